package delegation

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/keys"
)

// sameWithKnownChains holds a verification to the same one with known chains,
// which have seen the base case, and then the case itself.
func sameWithKnownChains(t *testing.T, tr *trial, result *Result, err error) {
	t.Helper()
	if tr.policy.Roots == nil || tr.policy.Known != nil {
		return
	}
	policy := tr.policy
	policy.Known = NewKnownChains(policy.Roots)
	base := newTrial(t)
	base.policy = Policy{Roots: policy.Roots, Time: now, Known: policy.Known}
	base.verify()
	for round := range 2 {
		again, errAgain := Verify(tr.query, tr.evidence, policy)
		if diff := cmp.Diff(conclusion(result, err), conclusion(again, errAgain)); diff != "" {
			t.Errorf("with known chains, round %d: %s", round, diff)
		}
	}
}

// conclusion is all that a verification says but for its explanation.
func conclusion(r *Result, err error) string {
	if err != nil {
		e := err.(*Error)
		return fmt.Sprint(e.Outcome, e.Reason, e.Detail, e.Floors)
	}
	return fmt.Sprint(r.Targets(), r.Dial(), r.ValidUntil(), r.RefreshAt(), r.Floors(), r.notes)
}

// tookShortcut reports whether the second of two equal verifications takes the
// shortcut.
func tookShortcut(tr *trial) bool {
	tr.t.Helper()
	tr.policy.Known = NewKnownChains(tr.policy.Roots)
	if _, err := tr.verify(); err != nil {
		tr.t.Fatal(err)
	}
	chain := tr.signer.Chain()
	for i := range chain[1:] {
		if c := tr.policy.Known.parsed[string(chain[i+1].Raw)]; c != nil {
			chain[i+1] = c
		}
	}
	_, known := tr.policy.Known.below(chain, tr.policy.Time)
	return known
}

// renewedRoot is a spoiler with two trust anchors of the same name and key, of
// which the first found does not live longest.
func renewedRoot(tr *trial) {
	key := keyOf("P-384")
	root := func(end time.Time) *x509.Certificate {
		return benchCertificate(tr.t, &x509.Certificate{
			Subject: pkix.Name{CommonName: "Renewed Root"}, IsCA: true, KeyUsage: x509.KeyUsageCertSign, NotBefore: now.Add(-day), NotAfter: end,
		}, nil, key, key)
	}
	short, long := root(now.Add(2*day)), root(now.Add(3*day))
	middle := benchCertificate(tr.t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "Middle"}, IsCA: true, KeyUsage: x509.KeyUsageCertSign, NotBefore: now.Add(-day), NotAfter: now.Add(4 * day),
	}, short, keyOf("P-521"), key)
	signed := benchCertificate(tr.t, &x509.Certificate{
		DNSNames: []string{source}, KeyUsage: x509.KeyUsageDigitalSignature, NotBefore: now.Add(-day), NotAfter: now.Add(5 * day),
	}, middle, keyOf("P-256"), keyOf("P-521"))
	signer, err := keys.NewSigner([]*x509.Certificate{signed, middle}, keyOf("P-256"))
	if err != nil {
		tr.t.Fatal(err)
	}
	tr.signer, tr.policy.Roots = signer, x509.NewCertPool()
	tr.policy.Roots.AddCert(short)
	tr.policy.Roots.AddCert(long)
}

// TestRenewedRoot: of two ways to an anchor the one that lives longer counts,
// also where one of them is known.
func TestRenewedRoot(t *testing.T) {
	tr := newTrial(t)
	renewedRoot(tr)
	tr.policy.Known = NewKnownChains(tr.policy.Roots)
	for range 2 {
		result, err := tr.verify()
		if err != nil {
			t.Fatal(err)
		}
		if want := now.Add(3*day + time.Second); !result.ValidUntil().Equal(want) {
			t.Errorf("until %s, want %s", result.ValidUntil(), want)
		}
	}
}

// another is an edit that adds an extension.
func another(id ...int) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = []pkix.Extension{{Id: id, Value: []byte{5, 0}}}
	}
}

// TestShortcut: where the shortcut is taken, and above all where it is not.
func TestShortcut(t *testing.T) {
	tests := []struct {
		name  string
		spoil func(*trial)
		taken bool
	}{
		{"the base case", func(*trial) {}, true},
		{"three certificates", func(tr *trial) {
			tr.signer = tr.issueBelow(tr.authority(tr.intermediate, "Second", nil), "P-256", nil)
		}, true},
		{"path length 0", below(func(c *x509.Certificate) { c.MaxPathLenZero = true }), true},
		{"no intermediate", func(tr *trial) { tr.signer = tr.issueBelow(tr.root, "P-256", nil) }, false},
		{"names permitted above", below(func(c *x509.Certificate) { c.PermittedDNSDomains = []string{source} }), false},
		{"names excluded above", below(func(c *x509.Certificate) { c.ExcludedDNSDomains = []string{"c.example"} }), false},
		{"policy constraints above", below(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 36}, Critical: true, Value: []byte{0x30, 3, 0x80, 1, 5}}}
		}), false},
		{"unknown extension above", below(another(1, 3, 6, 1, 4, 1, 99999)), false},
		{"unknown extension of the leaf", leaf(another(1, 3, 6, 1, 4, 1, 99999)), false},
		{"two ways to an anchor", func(tr *trial) {
			tr.policy.Roots = tr.root.Pool()
			tr.policy.Roots.AddCert(tr.intermediate.Certificate)
		}, false},
		{"two anchors of the same name and key", renewedRoot, false},
		{"root included", chain(func(lab *laboratory, der [][]byte) [][]byte { return append(der, lab.root.Root().Raw) }), false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tr := newTrial(t)
			test.spoil(tr)
			if got := tookShortcut(tr); got != test.taken {
				t.Errorf("%v, want %v", got, test.taken)
			}
		})
	}
}

// named is an issuer of which only the name is known.
func named(c *x509.Certificate) *x509.Certificate { return &x509.Certificate{RawSubject: c.RawSubject} }

// TestShortcutAbuse: an authority that is known tries what crypto/x509 would
// refuse.
func TestShortcutAbuse(t *testing.T) {
	tests := []struct {
		name  string
		later func(tr *trial) // after the base case was verified
		want  Reason
	}{
		{"a leaf that expired", func(tr *trial) {
			tr.signer = tr.issue("P-256", func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) })
		}, SignerExpired},
		{"a leaf by a stranger's key", func(tr *trial) {
			template := *tr.signer.Leaf()
			tr.chain = [][]byte{
				certificate(tr.t, &template, named(tr.intermediate.Certificate), tr.signer.Key().Public()), tr.intermediate.Certificate.Raw,
			}
		}, UntrustedSigner},
		{"a leaf with a critical extension", leaf(func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 99999}, Critical: true, Value: []byte{5, 0}}}
		}), UntrustedSigner},
		{"a leaf that is a trust anchor", func(tr *trial) { tr.policy.Roots.AddCert(tr.signer.Leaf()) }, SignerIsCA},
		{"another certificate of the intermediate's name and key", func(tr *trial) {
			twin := *tr.intermediate.Certificate
			tr.chain = [][]byte{tr.signer.Leaf().Raw, certificate(tr.t, &twin, named(tr.root.Certificate), tr.intermediate.Certificate.PublicKey)}
		}, UntrustedSigner},
		{"the intermediate's own leaf as an authority", func(tr *trial) {
			template := &x509.Certificate{Subject: pkix.Name{CommonName: "c.example"}, DNSNames: []string{"c.example"}, NotBefore: now.Add(-day), NotAfter: now.Add(day)}
			victim := tr.issue("P-384", func(c *x509.Certificate) { *c = *template })
			signed := *tr.signer.Leaf()
			der := certificate(tr.t, &signed, named(victim.Leaf()), tr.signer.Key().Public())
			tr.chain = [][]byte{der, victim.Leaf().Raw, tr.intermediate.Certificate.Raw}
		}, UntrustedSigner},
		{"after the intermediate ended", func(tr *trial) {
			tr.policy.Time = tr.intermediate.Certificate.NotAfter.Add(time.Second)
			tr.signer = tr.issue("P-256", func(c *x509.Certificate) {
				c.NotBefore, c.NotAfter = tr.policy.Time.Add(-day), tr.policy.Time.Add(day)
			})
			tr.statement.Issued, tr.statement.Expires = tr.policy.Time.Add(-time.Hour), tr.policy.Time.Add(day)
		}, UntrustedSigner},
		{"in the intermediate's last second", func(tr *trial) {
			tr.policy.Time = tr.intermediate.Certificate.NotAfter
			tr.signer = tr.issue("P-256", func(c *x509.Certificate) {
				c.NotBefore, c.NotAfter = tr.policy.Time.Add(-day), tr.policy.Time.Add(day)
			})
			tr.statement.Issued, tr.statement.Expires = tr.policy.Time.Add(-time.Hour), tr.policy.Time.Add(day)
		}, Verified},
		{"other trust anchors", func(tr *trial) { tr.policy.Roots = x509.NewCertPool() }, MissingInput},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			known := newTrial(t)
			known.policy.Known = NewKnownChains(known.policy.Roots)
			if _, err := known.verify(); err != nil {
				t.Fatal(err)
			}
			tr := newTrial(t)
			tr.policy = known.policy
			test.later(tr)
			result, err := tr.verify()
			wantEnd(t, test.want, result, err)
		})
	}
}

// TestKnownChainsBound: what is remembered stays within its bound, and still
// serves.
func TestKnownChainsBound(t *testing.T) {
	tr := newTrial(t)
	known := NewKnownChains(tr.policy.Roots)
	chain := append(tr.signer.Chain(), tr.root.Root())
	for i := range 3 * maxKnown {
		middle := *chain[1]
		middle.Raw = fmt.Append(nil, i)
		known.learn([]*x509.Certificate{chain[0], &middle}, [][]*x509.Certificate{{chain[0], &middle, chain[2]}}, "an anchor")
		if len(known.parsed) > maxKnown || len(known.proven) > maxKnown {
			t.Fatalf("%d certificates and %d chains after %d", len(known.parsed), len(known.proven), i)
		}
	}
	if len(known.proven) == 0 {
		t.Error("nothing is remembered")
	}
	if !tookShortcut(tr) {
		t.Error("no shortcut")
	}
}

// TestKnownChainsConcurrently is for the race detector.
func TestKnownChainsConcurrently(t *testing.T) {
	tr := newTrial(t)
	tr.policy.Known = NewKnownChains(tr.policy.Roots)
	tr.evidence = evidenceOf(txtAnswer(TXTRecord(JWS, tr.sign())))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				if _, err := Verify(tr.query, tr.evidence, tr.policy); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
