package keys_test

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"testing"

	"github.com/dnasign/dnasign/keys"
)

func TestName(t *testing.T) {
	for want, c := range map[string]x509.Certificate{
		"b.example":            {DNSNames: []string{"b.example", "www.b.example"}, Subject: pkix.Name{CommonName: "other"}},
		"CN=Bücher,O=Test":     {Subject: pkix.Name{CommonName: "Bücher", Organization: []string{"Test"}}},
		"serial number ff01":   {SerialNumber: big.NewInt(0xff01)},
		"b.example?[2Kb.test?": {DNSNames: []string{"b.example\x1b[2Kb.test\n"}},
		"CN=?txt.exe??]0title": {Subject: pkix.Name{CommonName: "\u202etxt.exe\x07\u009d]0title"}},
		"CN=?":                 {Subject: pkix.Name{CommonName: "\xff"}},
	} {
		if got := keys.Name(&c); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestNewSigner(t *testing.T) {
	ca := authority(t)
	key := newKey(t, "P-256")
	good := issue(t, ca, key)
	leaf := good.Leaf()
	if len(good.Chain()) != 2 || good.Chain()[0] != leaf || good.Key() != key {
		t.Errorf("a signer of %d certificates with key %v", len(good.Chain()), good.Key())
	}
	five := []*x509.Certificate{leaf, leaf, leaf, leaf, leaf}
	if _, err := keys.NewSigner(five, key); err != nil {
		t.Errorf("%d certificates: %v", keys.MaxChain, err)
	}
	unknown := *leaf
	unknown.PublicKey = nil
	for name, c := range map[string]struct {
		chain []*x509.Certificate
		key   crypto.Signer
		want  error
	}{
		"no certificate":          {nil, key, keys.ErrPEM},
		"six certificates":        {append(five, leaf), key, keys.ErrPEM},
		"no key":                  {five, nil, keys.ErrKeyMismatch},
		"another key":             {five, newOtherKey(t, "P-256"), keys.ErrKeyMismatch},
		"a key of another kind":   {five, newKey(t, "Ed25519"), keys.ErrKeyMismatch},
		"issuer first":            {[]*x509.Certificate{good.Chain()[1], leaf}, key, keys.ErrKeyMismatch},
		"a leaf of unknown kind":  {[]*x509.Certificate{&unknown}, key, keys.ErrUnsupportedKey},
		"a certificate by itself": {[]*x509.Certificate{leaf}, key, nil},
	} {
		if signer, err := keys.NewSigner(c.chain, c.key); !errors.Is(err, c.want) || (err == nil) != (signer != nil) {
			t.Errorf("%s: got %v, %v, want %v", name, signer, err, c.want)
		}
	}
	for _, kind := range []string{"RSA-1024", "RSA-2048", "P-521"} {
		want := error(nil)
		if kind == "RSA-1024" {
			want = keys.ErrUnsupportedKey
		}
		signer, err := ca.IssueFor(newKey(t, kind), nil, leaf.NotBefore, leaf.NotAfter, nil)
		if !errors.Is(err, want) || (err == nil) != (signer != nil) {
			t.Errorf("%s: got %v, %v, want %v", kind, signer, err, want)
		}
	}
}
