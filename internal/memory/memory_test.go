package memory

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/delegation"
)

const (
	service = "_xmpp-server._tcp"
	direct  = "_xmpps-server._tcp"
)

var t0 = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func floor(service string, signer, issued int, host string) delegation.Floor {
	var targets []delegation.Target
	if host != "" {
		targets = []delegation.Target{{Endpoint: delegation.Endpoint{Host: host, Port: 5269}}}
	}
	return delegation.Floor{
		Service: service,
		Order: delegation.Order{
			SignerNotBefore: t0.AddDate(0, 0, signer), Issued: t0.Add(time.Duration(issued) * time.Hour),
		},
		Targets:    delegation.DigestTargets(targets),
		ValidUntil: t0.AddDate(0, 0, 14),
	}
}

func TestFileFirst(t *testing.T) {
	path := filepath.Join(t.TempDir(), "memory.db")
	l := limits{sources: 3, domain: 2, shared: 2}
	s, err := open(t.Context(), path, Options{}, l)
	if err != nil {
		t.Fatal(err)
	}
	f := floor(service, 0, 1, "xmpp.hosting.example")
	got, err := s.Raise(t.Context(), "b.example", []delegation.Floor{f})
	if err != nil || !cmp.Equal(got, []delegation.Floor{f}) {
		t.Fatal(got, err)
	}
	if _, err := s.Raise(t.Context(), "b.example", []delegation.Floor{floor(service, 0, 0, "x.example"), floor(direct, 0, 0, "")}); err != nil {
		t.Fatal(err)
	}
	for i, want := range []error{nil, ErrFull, ErrFull} {
		if _, err := s.Raise(t.Context(), fmt.Sprintf("x%d.b.example", i), []delegation.Floor{f}); !errors.Is(err, want) {
			t.Error(i, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = open(t.Context(), path, Options{}, l); err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	got, err = s.Floors(t.Context(), "b.example")
	if want := []delegation.Floor{f, floor(direct, 0, 0, "")}; err != nil || !cmp.Equal(got, want) {
		t.Error(cmp.Diff(want, got), err)
	}
}
