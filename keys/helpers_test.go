package keys_test

import (
	"crypto"
	"sync"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/keys"
)

// stock keeps the keys of a test run, since RSA keys are slow to make.
var stock struct {
	sync.Mutex
	keys map[string]crypto.Signer
}

// newKey returns the test run's key of a kind (see localca.NewKey).
func newKey(t testing.TB, kind string) crypto.Signer { return stockedKey(t, kind, "") }

// newOtherKey returns another key of that kind.
func newOtherKey(t testing.TB, kind string) crypto.Signer { return stockedKey(t, kind, " other") }

func stockedKey(t testing.TB, kind, suffix string) crypto.Signer {
	t.Helper()
	stock.Lock()
	defer stock.Unlock()
	key := stock.keys[kind+suffix]
	if key == nil {
		key = localca.Must(localca.NewKey(kind))
		if stock.keys == nil {
			stock.keys = map[string]crypto.Signer{}
		}
		stock.keys[kind+suffix] = key
	}
	return key
}

// authority makes an issuing authority below a root.
func authority(t testing.TB) *localca.Authority {
	t.Helper()
	root := localca.Must(localca.New("Test Root", time.Now()))
	return localca.Must(root.Intermediate("Test Issuing", time.Now(), nil))
}

// issue certifies a key for b.example.
func issue(t testing.TB, ca *localca.Authority, key crypto.Signer) *keys.Signer {
	t.Helper()
	return localca.Must(ca.IssueFor(key, []string{"b.example"}, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), nil))
}
