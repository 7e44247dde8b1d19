package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/fakedaemon"
)

// A stage is the daemon, and the server of the source, for one rule.
type stage struct {
	config
	ctx       context.Context
	questions chan fakedaemon.Question

	mu       sync.Mutex
	respond  func(fakedaemon.Question) any
	bad      error // a request that is no question
	http     *http.Server
	back     *back
	rechecks chan struct{}
}

func newStage(ctx context.Context, c config) (*stage, error) {
	s := &stage{config: c, ctx: ctx, questions: make(chan fakedaemon.Question, 100), rechecks: make(chan struct{}, 100)}
	daemon, err := net.Listen("tcp", c.daemon)
	if err != nil {
		return nil, err
	}
	if s.back, err = newBack(c.back, c); err != nil {
		daemon.Close()
		return nil, err
	}
	s.http = &http.Server{Handler: fakedaemon.Handler(s.answer, s.strange)}
	go s.http.Serve(daemon)
	return s, nil
}

func (s *stage) close() {
	s.http.Close()
	s.back.close()
}

// leave ends the daemon.
func (s *stage) leave() { s.http.Close() }

// answers sets what the daemon says: an answer, text, a status, or nothing ever.
func (s *stage) answers(respond func(fakedaemon.Question) any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.respond = respond
}

// answer notes a question and answers it.
func (s *stage) answer(q fakedaemon.Question) any {
	s.mu.Lock()
	respond := s.respond
	s.mu.Unlock()
	s.questions <- q
	if q.Recheck {
		s.rechecks <- struct{}{}
	}
	return respond(q)
}

// strange notes a request that is no question.
func (s *stage) strange(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bad = err
}

// verified accepts the peer by the name in its certificate.
func (s *stage) verified(q fakedaemon.Question) any { return q.Verified(s.name()) }

func (s *stage) name() string { return s.certificate.Leaf.DNSNames[0] }

// accepted opens a stream and compares whether the peer was accepted.
func (s *stage) accepted(want bool) error {
	p, err := s.open()
	if err != nil {
		return err
	}
	defer p.close()
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.bad != nil:
		return s.bad
	case p.accepted && !want:
		return errors.New("the peer was accepted")
	case !p.accepted && want:
		return fmt.Errorf("the peer was not accepted: %s", p.said)
	}
	return nil
}

// closed opens no weaker way: the peer is not accepted by its certificate, and
// dialback is refused without a word to the server of the source.
func (s *stage) closed() error {
	if err := s.accepted(false); err != nil {
		return err
	}
	p, err := s.begin()
	if err != nil {
		return err
	}
	defer p.close()
	if result, err := p.dialback(s.source); err == nil && result == "valid" {
		return errors.New("dialback was accepted")
	}
	if s.back.asked() > 0 {
		return errors.New("the server began dialback")
	}
	return nil
}

// outgoing sets what the daemon says of the server of the source, to which the
// server under test connects. Peers that connect to it are verified.
func (s *stage) outgoing(respond func(fakedaemon.Question) any) {
	s.answers(func(q fakedaemon.Question) any {
		if q.Direction == "outgoing" {
			return respond(q)
		}
		return s.verified(q)
	})
}

// delivers has the server under test deliver something to the source.
func (s *stage) delivers() error {
	v, err := s.visited(func() {})
	if err == nil && !v.delivered {
		err = fmt.Errorf("the server of the source was not accepted: %s", v.end)
	}
	return err
}

// keeps has the server under test connect to the source, and deliver nothing: not
// after authentication by the certificate, and by no weaker way.
func (s *stage) keeps(meanwhile func()) error {
	v, err := s.visited(meanwhile)
	switch {
	case err != nil:
		return err
	case v.delivered:
		return errors.New("the server of the source was accepted")
	case v.weaker:
		return errors.New("the server began dialback")
	}
	return nil
}

// rechecked waits for a question with recheck.
func (s *stage) rechecked() error {
	select {
	case <-s.rechecks:
		return nil
	case <-time.After(s.patience):
		return fmt.Errorf("it did not ask again within %s", s.patience)
	}
}
