package floorlaws

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/internal/floorrecord"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// An Opener opens the store in a place. The clock may be nil.
type Opener func(ctx context.Context, place string, limits floorrecord.Limits, now func() time.Time) (floors.Store, error)

// Must opens the store in a place until the test ends.
func (open Opener) Must(t *testing.T, place string, limits floorrecord.Limits, now func() time.Time) floors.Store {
	t.Helper()
	s, err := open(t.Context(), place, limits, now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// Client is a second role of the source.
const Client = "_xmpp-client._tcp"

// again closes a store and opens its place again, if what is there lasts.
func (k Kind) again(t *testing.T, s floors.Store, place string) floors.Store {
	t.Helper()
	if !k.Lasting {
		return s
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return k.Open.Must(t, place, Plenty, nil)
}

// Floor is that of a statement by a certificate of day signer, issued at hour
// issued, for one host, or of a revocation if host is "".
func Floor(signer, issued int, host string) delegation.Floor {
	var targets []delegation.Target
	if host != "" {
		targets = []delegation.Target{{Endpoint: delegation.Endpoint{Host: host, Port: 5269}}}
	}
	return delegation.Floor{
		Order: delegation.Order{
			Issuance: world.Noon.AddDate(0, 0, signer).Add(123 * time.Millisecond), Issued: world.Noon.Add(time.Duration(issued) * time.Hour),
		},
		Targets:    delegation.DigestTargets(targets),
		ValidUntil: world.Noon.AddDate(0, 0, 14), SignerUntil: world.Noon.AddDate(0, 0, 90),
	}
}

// Until is a floor with other ends.
func Until(f delegation.Floor, proof, signer time.Time) delegation.Floor {
	f.ValidUntil, f.SignerUntil = proof, signer
	return f
}

// Contradiction is the floor of two statements of the same order.
func Contradiction(f delegation.Floor) delegation.Floor {
	f.Targets = delegation.Contradiction
	return f
}

// afterAll is one second after the last time that a certificate can hold.
var afterAll = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)

func limits(records, domain, shared int) floorrecord.Limits {
	return floorrecord.Limits{Records: records, Domain: domain, Shared: shared}
}

// Plenty is more than a test needs.
var Plenty = floorrecord.Limits{Records: 1000, Domain: 1000, Shared: 1000, Statements: 1000}

// Clock is a clock that tests set.
type Clock struct {
	mu sync.Mutex
	at time.Time
}

// NewClock makes a clock.
func NewClock(at time.Time) *Clock { return &Clock{at: at} }

// Now reads the clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

// Set sets the clock.
func (c *Clock) Set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = at
}

// MustRaise raises a floor of a source.
func MustRaise(t *testing.T, s floors.Store, source string, f delegation.Floor) delegation.Floor {
	t.Helper()
	return MustKeep(t, s, source, floors.Record{Floor: f})
}

// MustKeep raises a record of a source.
func MustKeep(t *testing.T, s floors.Store, source string, r floors.Record) delegation.Floor {
	t.Helper()
	got, err := s.Raise(t.Context(), source, world.Service, r)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// MustFloor reads the floor of a source.
func MustFloor(t *testing.T, s floors.Store, source string) delegation.Floor {
	t.Helper()
	return MustLoad(t, s, source).Floor
}

// MustLoad reads the record of a source.
func MustLoad(t *testing.T, s floors.Store, source string) floors.Record {
	t.Helper()
	got, err := s.Load(t.Context(), source, world.Service)
	if err != nil {
		t.Fatal(err)
	}
	return got
}
