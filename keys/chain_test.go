package keys_test

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/keys"
)

// A party has a name and a key; others certify it.
type party struct {
	name string
	key  crypto.Signer
}

func newParty(t testing.TB, name string) *party {
	t.Helper()
	key := localca.Must(localca.NewKey("P-256"))
	return &party{name, key}
}

const day = 24 * time.Hour

var serial int64

// certify makes a certificate of one party for another, which lasts for life.
func (p *party) certify(t testing.TB, subject *party, life time.Duration) *x509.Certificate {
	t.Helper()
	serial++
	now := time.Now()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(serial), Subject: pkix.Name{CommonName: subject.name}, NotBefore: now.Add(-day), NotAfter: now.Add(life),
		KeyUsage: x509.KeyUsageCertSign, BasicConstraintsValid: true, IsCA: true,
	}
	if strings.HasSuffix(subject.name, ".example") {
		c.Subject, c.DNSNames, c.KeyUsage, c.IsCA = pkix.Name{}, []string{subject.name}, x509.KeyUsageDigitalSignature, false
	}
	parent := &x509.Certificate{Subject: pkix.Name{CommonName: p.name}}
	der, err := x509.CreateCertificate(rand.Reader, c, parent, subject.key.Public(), p.key)
	if err != nil {
		t.Fatal(err)
	}
	if c, err = x509.ParseCertificate(der); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestChain: what is in the file, and what the signer makes of it.
func TestChain(t *testing.T) {
	owner, other := newParty(t, "b.example"), newParty(t, "c.example")
	r1, r2, inter, upper := newParty(t, "Root 1"), newParty(t, "Root 2"), newParty(t, "Intermediate"), newParty(t, "Upper")
	impostor := newParty(t, "Intermediate")
	certify := func(issuer, subject *party, life time.Duration) *x509.Certificate {
		return issuer.certify(t, subject, life)
	}

	root1, root2 := certify(r1, r1, 1000*day), certify(r2, r2, 1000*day)
	leaf := certify(inter, owner, 90*day)
	by1, by2, by2long := certify(r1, inter, 50*day), certify(r2, inter, 40*day), certify(r2, inter, 80*day)
	outlasting := certify(r2, inter, 400*day)
	cross := certify(r2, r1, 20*day) // an old root vouches for a new one
	renewed, rolled := certify(inter, owner, 95*day), certify(r1, &party{"Root 1", newParty(t, "").key}, 1000*day)
	direct := certify(r1, owner, 90*day)
	unrelated := certify(upper, upper, 90*day)
	// Five authorities above the leaf, then six.
	var tower []*x509.Certificate
	below := []*party{owner}
	for i := range 6 {
		p := newParty(t, fmt.Sprintf("Floor %d", i))
		tower = append(tower, certify(p, below[i], 90*day))
		below = append(below, p)
	}
	// Two that have certified each other, below a root.
	mutual := []*x509.Certificate{leaf, certify(upper, inter, 90*day), certify(inter, upper, 90*day), certify(r1, upper, 90*day), root1}
	list := func(c ...*x509.Certificate) []*x509.Certificate { return c }

	for _, c := range []struct {
		name  string
		file  []*x509.Certificate
		roots []*x509.Certificate
		want  []*x509.Certificate // nil: refused
		says  string              // in the only warning, or in the error
		err   error
	}{
		{name: "usual", file: list(leaf, by1), want: list(leaf, by1)},
		{name: "root at the end", file: list(leaf, by1, root1), want: list(leaf, by1)},
		{name: "root first", file: list(root1, by1, leaf), want: list(leaf, by1)},
		{name: "each twice", file: list(leaf, leaf, by1, by1, leaf, root1, root1), want: list(leaf, by1)},
		{name: "wrong order", file: list(by1, leaf), want: list(leaf, by1)},
		{name: "cross-signed pair, the second lasts longer", file: list(leaf, by1, by2long), want: list(leaf, by2long)},
		{name: "cross-signed pair, the first lasts longer", file: list(leaf, by1, by2), want: list(leaf, by1)},
		{name: "cross-signed pair, both outlast the leaf", file: list(leaf, certify(r1, inter, 200*day), outlasting, certify(r1, inter, 300*day)), want: list(leaf, outlasting)},
		{name: "cross-signed pair, both roots there", file: list(leaf, by2, by1, root1, root2), want: list(leaf, by1)},
		{name: "one root there", file: list(leaf, by1, by2, root2), want: list(leaf, by2)},
		{name: "one root given", file: list(leaf, by1, by2), roots: list(root2), want: list(leaf, by2)},
		{name: "both roots given", file: list(leaf, by2, by1), roots: list(root1, root2), want: list(leaf, by1)},
		{name: "another root given", file: list(leaf, by1, by2long), roots: list(unrelated), want: list(leaf, by2long)},
		{name: "cross-signed root", file: list(leaf, by1, cross), want: list(leaf, by1, cross)},
		{name: "cross-signed root, the new one given", file: list(leaf, by1, cross), roots: list(root1), want: list(leaf, by1, cross)},
		{name: "cross-signed root, the old one given", file: list(leaf, by1, cross), roots: list(root2), want: list(leaf, by1, cross)},
		{name: "cross-signed root and itself", file: list(leaf, by1, cross, root1), want: list(leaf, by1)},
		{name: "cross-signed root and itself, the old one given", file: list(root1, leaf, by1, cross), roots: list(root2), want: list(leaf, by1, cross)},
		{name: "key of a root rolled over", file: list(leaf, by1, rolled), want: list(leaf, by1), says: "left out: CN=Root 1"},
		{name: "certified each other", file: mutual, want: list(leaf, mutual[1], mutual[3])},
		{name: "a stranger", file: list(leaf, certify(r2, other, 90*day), by1), want: list(leaf, by1), says: "cert.pem: not part of the chain, and left out: c.example (P-256)"},
		{name: "a stranger's chain", file: list(certify(upper, other, 90*day), certify(r1, upper, 90*day), leaf, by1), want: list(leaf, by1), says: "left out: c.example (P-256), CN=Upper (P-256)"},
		{name: "a stranger of the same name", file: list(leaf, certify(r1, impostor, 99*day), by1), want: list(leaf, by1), says: "left out: CN=Intermediate"},
		{name: "old and renewed with the same key", file: list(leaf, renewed, by2long), want: list(renewed, by2long)},
		{name: "leaf only", file: list(leaf), want: list(leaf), says: "the certificate of the issuer of b.example (CN=Intermediate) is missing"},
		{name: "leaf of a root", file: list(direct, root1), want: list(direct)},
		{name: "leaf of a root that is given", file: list(direct), roots: list(root1), want: list(direct)},
		{name: "five", file: slices.Concat(tower[:5], list(certify(below[5], below[5], 90*day))), want: tower[:5]},
		{name: "six", file: slices.Concat(tower, list(certify(below[6], below[6], 90*day))), err: keys.ErrPEM, says: "has 6 certificates without its root, more than 5"},
		{name: "six, and the fifth is given", file: tower, roots: list(certify(below[5], below[5], 90*day)), err: keys.ErrPEM},
		{name: "not ours", file: list(by1, root1, certify(inter, other, 90*day)), err: keys.ErrKeyMismatch, says: "it is P-256, and the certificates are CN=Intermediate (P-256), CN=Root 1 (P-256), c.example (P-256)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			dir := t.TempDir()
			cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
			write(t, cert, localca.PEM(c.file...), 0o644)
			write(t, key, pkcs8(t, owner.key), 0o600)
			loader := keys.Loader{}
			if c.roots != nil {
				loader.Roots = poolOf(c.roots...)
			}
			signer, warnings, err := loader.LoadSigner(cert, key)
			text := strings.Join(warnings, "\n")
			if err != nil {
				text = err.Error()
			}
			if !errors.Is(err, c.err) || !strings.Contains(text, c.says) || c.err == nil && (c.says == "") != (text == "") {
				t.Fatalf("got %v, warnings %q, want %v and %q", err, warnings, c.err, c.says)
			}
			if err == nil && !slices.EqualFunc(signer.Chain(), c.want, (*x509.Certificate).Equal) {
				t.Errorf("the chain is %v, want %v", describe(signer.Chain()), describe(c.want))
			}
		})
	}
}

func describe(chain []*x509.Certificate) (list []string) {
	for _, c := range chain {
		list = append(list, fmt.Sprintf("%s by %s until %s", keys.Name(c), c.Issuer, c.NotAfter.Format(time.DateOnly)))
	}
	return list
}

// TestManyWays: a file with countless ways through it is refused, soon.
func TestManyWays(t *testing.T) {
	owner := newParty(t, "b.example")
	floors := []*party{owner}
	var file []*x509.Certificate
	for i := range 5 {
		p := newParty(t, fmt.Sprintf("Floor %d", i))
		for range 4 {
			file = append(file, p.certify(t, floors[i], 90*day))
		}
		floors = append(floors, p)
	}
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	write(t, cert, localca.PEM(file...), 0o644)
	write(t, key, pkcs8(t, owner.key), 0o600)
	if _, _, err := keys.LoadSigner(cert, key); !errors.Is(err, keys.ErrPEM) || !strings.Contains(err.Error(), "more than 256 ways") {
		t.Errorf("got %v", err)
	}
}
