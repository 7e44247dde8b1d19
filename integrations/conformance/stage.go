package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// A question is what the server asks, and nothing else.
type question struct {
	Source        string          `json:"source"`
	Service       string          `json:"service"`
	Direction     string          `json:"direction"`
	Chain         string          `json:"chain"`
	Peer          string          `json:"peer"`
	Target        json.RawMessage `json:"target"`
	Evidence      bool            `json:"evidence"`
	Recheck       bool            `json:"recheck"`
	ChainVerified bool            `json:"chain_verified"`

	name string // in the peers' certificate
}

// An answer has the members of docs/openapi.yaml.
type answer map[string]any

func (q question) refused(outcome, reason string, required bool) answer {
	return answer{
		"version": 1, "outcome": outcome, "reason": reason, "detail": "a test", "hint": "", "source": q.Source, "service": "_xmpp-server._tcp",
		"direction": q.Direction, "method": nil, "name": nil, "chain_verified_by": nil, "names": []any{}, "required": required,
		"valid_until": nil, "refresh_at": in(time.Hour), "cached": false, "message": "a test",
	}
}

func (q question) verified() answer {
	by := "daemon"
	if q.ChainVerified {
		by = "caller"
	}
	return q.refused("verified", "verified", true).with("method", "delegation").with("name", q.name).with("chain_verified_by", by).with("valid_until", in(time.Hour))
}

func (a answer) with(name string, value any) answer {
	a[name] = value
	return a
}

// in is a time from now.
func in(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }

// A stage is the daemon, and the server of the source, for one rule.
type stage struct {
	config
	ctx       context.Context
	questions chan question

	mu       sync.Mutex
	respond  func(question) any
	bad      error // a request that is no question
	http     *http.Server
	back     net.Listener
	asked    atomic.Int32 // connections for dialback
	rechecks chan struct{}
}

func newStage(ctx context.Context, c config) (*stage, error) {
	s := &stage{config: c, ctx: ctx, questions: make(chan question, 100), rechecks: make(chan struct{}, 100)}
	daemon, err := net.Listen("tcp", c.daemon)
	if err != nil {
		return nil, err
	}
	if s.back, err = net.Listen("tcp", c.back); err != nil {
		daemon.Close()
		return nil, err
	}
	s.http = &http.Server{Handler: s}
	go s.http.Serve(daemon)
	go func() {
		for {
			conn, err := s.back.Accept()
			if err != nil {
				return
			}
			s.asked.Add(1)
			conn.Close()
		}
	}()
	return s, nil
}

func (s *stage) close() {
	s.http.Close()
	s.back.Close()
}

// leave ends the daemon.
func (s *stage) leave() { s.http.Close() }

// answers sets what the daemon says: an answer, text, a status, or nothing ever.
func (s *stage) answers(respond func(question) any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.respond = respond
}

func (s *stage) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var q question
	decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 256<<10))
	decoder.DisallowUnknownFields()
	err := decoder.Decode(&q)
	s.mu.Lock()
	respond := s.respond
	if err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/check" || r.Header.Get("Content-Type") != "application/json" {
		s.bad = fmt.Errorf("not a question: %s %s: %v", r.Method, r.URL.Path, err)
	}
	err = s.bad
	s.mu.Unlock()
	if err != nil {
		http.Error(w, "", http.StatusBadRequest)
		return
	}
	q.name = s.certificate.Leaf.DNSNames[0]
	s.questions <- q
	if q.Recheck {
		s.rechecks <- struct{}{}
	}
	switch a := respond(q).(type) {
	case answer:
		json.NewEncoder(w).Encode(a)
	case string:
		w.Write([]byte(a))
	case int:
		w.WriteHeader(a)
	case nil:
		<-r.Context().Done()
	}
}

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
	if s.asked.Load() > 0 {
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
