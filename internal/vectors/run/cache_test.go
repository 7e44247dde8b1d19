package run

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/vectors"
	"github.com/dnasign/dnasign/testvectors"
)

// TestCache: every case that verifies a statement, or the certificates of a peer,
// ends in the same way with a cache. Cases with the same trust anchors share it,
// each with its own time, and all of them run twice.
func TestCache(t *testing.T) {
	files, err := Load(testvectors.Files)
	if err != nil {
		t.Fatal(err)
	}
	type shared struct {
		roots *x509.CertPool
		cache *delegation.Cache
	}
	caches := map[string]shared{}
	of := func(anchors [][]byte) shared {
		key := fmt.Sprint(anchors)
		if _, ok := caches[key]; !ok {
			roots := poolOf(anchors)
			caches[key] = shared{roots, delegation.NewCache(roots)}
		}
		return caches[key]
	}
	statements, peers := 0, 0
	for range 2 {
		for _, f := range files {
			for _, c := range f.Cases {
				if c.Operation == "verify" && c.Policy.Roots != nil {
					statements++
					s := of(*c.Policy.Roots)
					if want, got := verdict(t, c, nil, nil), verdict(t, c, s.roots, s.cache); want != got {
						t.Errorf("%s: %.2000s, want %.2000s", c.ID, got, want)
					}
				}
				if c.Peer == nil || c.Connection != nil {
					continue
				}
				a, refused, err := decisionOf(c)
				policy, unknown := peersOf(c.Peer)
				chain, unreadable := chainOf(c.Peer.Chain)
				if refused != nil || err != nil || unknown != nil || unreadable != nil {
					continue
				}
				peers++
				want, wantErr := a.AcceptAnywhere(policy, chain)
				s := of(c.Peer.Roots)
				policy.Roots, policy.Cache = s.roots, s.cache
				got, gotErr := a.AcceptAnywhere(policy, chain)
				if fmt.Sprint(want, wantErr) != fmt.Sprint(got, gotErr) {
					t.Errorf("%s: %v (%v), want %v (%v)", c.ID, got, gotErr, want, wantErr)
				}
			}
		}
	}
	if statements < 1800 || peers < 50 || len(caches) > statements/4 {
		t.Errorf("%d statements and %d peers with %d caches", statements, peers, len(caches))
	}
}

// verdict is all that a verification says, with a cache or without.
func verdict(t *testing.T, c vectors.Case, roots *x509.CertPool, cache *delegation.Cache) string {
	t.Helper()
	q, err := queryOf(c.Query)
	if err != nil {
		t.Fatal(err)
	}
	p, err := policyOf(c.Policy)
	if err != nil {
		t.Fatal(err)
	}
	if cache != nil {
		p.Roots, p.Cache = roots, cache
	}
	e, err := evidenceOf(c.Evidence)
	if err != nil {
		return err.Error()
	}
	result, err := delegation.Verify(q, e, p)
	report, unwritten := json.Marshal(delegation.NewReport(q, result, err))
	if unwritten != nil {
		t.Fatal(unwritten)
	}
	if err != nil {
		return string(report)
	}
	return fmt.Sprintf("%s %+v", report, result.Proven())
}
