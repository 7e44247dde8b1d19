package main

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/fakedaemon"
)

// rules are those of docs/integrating.md.
func rules() []rule {
	list := []rule{
		{"ask", "the daemon is asked with source, role, direction, certificates and address", ask},
		{"verified", "a peer that is verified is accepted", func(s *stage) error {
			s.answers(s.verified)
			return s.accepted(true)
		}},
		{"no-statement", "a peer without a statement is not accepted by its certificate", func(s *stage) error {
			s.answers(func(q fakedaemon.Question) any { return q.Answer("refused", "no-statement") })
			return s.accepted(false)
		}},
		{"each-source", "a stream that is open for one source is asked about again for another", eachSource},
		{"recheck", "an open stream is asked about again at refresh_at, with recheck", recheck},
		{"revoked", "an open stream ends when the answer is refused", revoked},
		{"stays", "an open stream stays while the answer is undetermined, and ends at valid_until", stays},
	}
	list = append(list, []rule{
		{"ask-out", "the daemon is asked about a server that it connects to", askOut},
		{"verified-out", "what is for the source goes to a server that is verified", func(s *stage) error {
			s.outgoing(s.verified)
			return s.delivers()
		}},
		{"recheck-out", "a stream that it opened is asked about again at refresh_at, and ends when the answer is refused", recheckOut},
	}...)
	for _, c := range []struct {
		name, text string
		answer     func(*stage, fakedaemon.Question) any
	}{
		{"refused", "a peer with the wrong name is not accepted, nor by dialback, where something is required", func(_ *stage, q fakedaemon.Question) any {
			return q.Answer("refused", "peer-name-mismatch").With("required", true)
		}},
		{"undetermined", "undetermined opens no weaker way where something is required", func(_ *stage, q fakedaemon.Question) any {
			return q.Answer("undetermined", "dns-timeout").With("required", true)
		}},
		{"slow", "a daemon that does not answer accepts nobody and opens no weaker way", func(*stage, fakedaemon.Question) any { return nil }},
		{"broken", "an answer that is not JSON accepts nobody", func(*stage, fakedaemon.Question) any { return "<html>" }},
		{"status", "a status other than 200 accepts nobody", func(*stage, fakedaemon.Question) any { return 500 }},
		{"replayed", "an answer about another source accepts nobody", func(s *stage, q fakedaemon.Question) any { return q.Verified(s.name()).With("source", "other.example") }},
		{"version", "an answer of another version accepts nobody", func(s *stage, q fakedaemon.Question) any { return q.Verified(s.name()).With("version", 2) }},
		{"past", "an answer that has ended accepts nobody", func(s *stage, q fakedaemon.Question) any {
			return q.Verified(s.name()).With("valid_until", fakedaemon.In(-time.Minute))
		}},
	} {
		list = append(list, rule{c.name, c.text, func(s *stage) error {
			s.answers(func(q fakedaemon.Question) any { return c.answer(s, q) })
			return s.closed()
		}}, rule{c.name + "-out", "the same for a server that it connects to", func(s *stage) error {
			asked := make(chan struct{}, 100)
			s.outgoing(func(q fakedaemon.Question) any {
				asked <- struct{}{}
				return c.answer(s, q)
			})
			err := s.keeps(func() {})
			if err == nil && len(asked) == 0 {
				err = errors.New("it did not ask")
			}
			return err
		}})
	}
	return append(list, rule{"away", "a daemon that is not there accepts nobody and opens no weaker way", func(s *stage) error {
		s.leave()
		return s.closed()
	}}, rule{"away-out", "the same for a server that it connects to", func(s *stage) error {
		s.answers(s.verified)
		return s.keeps(s.leave)
	}})
}

func ask(s *stage) error {
	s.answers(s.verified)
	if err := s.accepted(true); err != nil {
		return err
	}
	if len(s.questions) == 0 { // the answer came before the peer was accepted
		return errors.New("it did not ask")
	}
	q := <-s.questions
	switch n := strings.Count(q.Chain, "-----BEGIN CERTIFICATE-----"); {
	case q.Source != s.source || q.Direction != "incoming" || q.Service != "_xmpp-server._tcp" && q.Service != "xmpp-server":
		return fmt.Errorf("it asked about %q of %q, %s", q.Service, q.Source, q.Direction)
	case q.Peer != "127.0.0.1":
		return fmt.Errorf("it gave %q as the peer's address", q.Peer)
	case q.Recheck:
		return errors.New("recheck is set for a new connection")
	case q.ChainVerified && n != 1, !q.ChainVerified && n != len(s.certificate.Certificate):
		return fmt.Errorf("it sent %d certificates of %d, chain_verified %t", n, len(s.certificate.Certificate), q.ChainVerified)
	}
	return nil
}

// askOut checks the question about the server of the source.
func askOut(s *stage) error {
	s.outgoing(s.verified)
	if err := s.delivers(); err != nil {
		return err
	}
	for {
		select {
		case q := <-s.questions:
			if q.Direction != "outgoing" {
				continue
			}
			if n := strings.Count(q.Chain, "-----BEGIN CERTIFICATE-----"); q.Source != s.source || q.Recheck || q.ChainVerified && n != 1 || !q.ChainVerified && n != len(s.certificate.Certificate) {
				return fmt.Errorf("it asked about %q, with %d certificates of %d, chain_verified %t, recheck %t", q.Source, n, len(s.certificate.Certificate), q.ChainVerified, q.Recheck)
			}
			return nil
		default:
			return errors.New("it did not ask")
		}
	}
}

// recheckOut refuses a server after it was accepted.
func recheckOut(s *stage) error {
	s.outgoing(func(q fakedaemon.Question) any {
		if q.Recheck {
			return q.Answer("refused", "revoked").With("required", true)
		}
		return q.Verified(s.name()).With("refresh_at", fakedaemon.In(3*time.Second))
	})
	v, err := s.visited(func() {})
	if err != nil {
		return err
	}
	if !v.delivered {
		return fmt.Errorf("the server of the source was not accepted: %s", v.end)
	}
	select {
	case <-v.ended:
		return nil
	case <-time.After(s.patience):
		return fmt.Errorf("the stream is still open after %s", s.patience)
	}
}

func eachSource(s *stage) error {
	const other = "other.example"
	s.answers(func(q fakedaemon.Question) any {
		if q.Source == s.source {
			return s.verified(q)
		}
		return q.Answer("refused", "peer-name-mismatch").With("required", true)
	})
	p, err := s.open()
	if err != nil {
		return err
	}
	defer p.close()
	if !p.accepted {
		return errors.New("the source itself was not accepted")
	}
	result, err := p.dialback(other)
	if err == nil && result == "valid" {
		return fmt.Errorf("%s was accepted on a stream of %s", other, s.source)
	}
	for {
		select {
		case q := <-s.questions:
			if q.Source == other {
				return nil
			}
		default:
			return fmt.Errorf("it did not ask about %s", other)
		}
	}
}

// again opens a stream that is asked about again soon, and gives the answers to that.
func again(s *stage, until time.Duration, answer func(fakedaemon.Question) any) (p *peer, err error) {
	s.answers(func(q fakedaemon.Question) any {
		if q.Recheck {
			return answer(q)
		}
		return q.Verified(s.name()).With("refresh_at", fakedaemon.In(3*time.Second)).With("valid_until", fakedaemon.In(until))
	})
	if p, err = s.open(); err == nil && !p.accepted {
		p.close()
		err = errors.New("the peer was not accepted")
	}
	return p, err
}

func recheck(s *stage) error {
	p, err := again(s, time.Hour, s.verified)
	if err != nil {
		return err
	}
	defer p.close()
	return s.rechecked()
}

func revoked(s *stage) error {
	p, err := again(s, time.Hour, func(q fakedaemon.Question) any { return q.Answer("refused", "revoked").With("required", true) })
	if err != nil {
		return err
	}
	defer p.close()
	return p.ends(time.Now())
}

func stays(s *stage) error {
	const life = 30 * time.Second
	end := time.Now().Add(life - time.Second) // times in answers are whole seconds
	p, err := again(s, life, func(q fakedaemon.Question) any { return q.Answer("undetermined", "dns-timeout").With("required", true) })
	if err != nil {
		return err
	}
	defer p.close()
	if err := s.rechecked(); err != nil {
		return err
	}
	return p.ends(end)
}
