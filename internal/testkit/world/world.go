// Package world is the world of most tests, on paper: a moment, authorities, the
// certificates and statements of domains, and evidence about them. Package setup
// has a folder and servers for it.
package world

import (
	"sync"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/keys"
)

// The question that most tests ask: may the host serve the source?
const (
	Source  = "b.example"
	Service = "_xmpp-server._tcp"
	Direct  = "_xmpps-server._tcp" // the other label of the role
	Host    = "xmpp.hosting.example"
)

// Day is how long a day is.
const Day = 24 * time.Hour

// Noon is a moment for tests that need no other one.
var Noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// A World has authorities that everybody trusts.
type World struct {
	Now time.Time
	CA  *localca.Authority // below the root
	mu  sync.Mutex
	of  map[string]*keys.Signer
}

// At makes a world of that moment.
func At(now time.Time) *World {
	return &World{Now: now, CA: localca.NewChain(now), of: map[string]*keys.Signer{}}
}

// Of is the certificate of a name, the same one each time. It begins ten days before
// now and ends 60 days after.
func (w *World) Of(name string) *keys.Signer {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.of[name] == nil {
		w.of[name] = w.Issue(-10*Day, 60*Day, name)
	}
	return w.of[name]
}

// Issue makes a certificate for names. Its begin and its end are relative to now.
func (w *World) Issue(begin, end time.Duration, names ...string) *keys.Signer {
	return localca.Must(w.CA.Issue("P-256", names, w.Now.Add(begin), w.Now.Add(end), nil))
}

// Policy trusts the authorities, and judges at now.
func (w *World) Policy() delegation.Policy {
	return delegation.Policy{Roots: w.CA.Pool(), Time: w.Now}
}
