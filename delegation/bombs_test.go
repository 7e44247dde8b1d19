package delegation

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/acder"
	"github.com/dnasign/dnasign/internal/testkit/dertree"
	"github.com/dnasign/dnasign/keys"
)

// A bomb makes one statement; n tells those of one question apart.
type bomb func(t testing.TB, n byte) (Encoding, []byte)

// costBombs are statements that pass as many cheap steps as they can.
var costBombs = []struct {
	name string
	make bomb
	want reasons.Reason
}{
	{"P-521 authorities", longChain("P-384", "P-521", 5), reasons.UntrustedSigner},
	{"P-384 authorities", longChain("P-384", "P-384", 5), reasons.UntrustedSigner},
	{"P-384 authority", longChain("P-384", "P-384", 2), reasons.UntrustedSigner},
	{"slow RSA authorities", longChain("slow RSA", "slow RSA", 5), reasons.UntrustedSigner},
	{"slow RSA authority", longChain("slow RSA", "slow RSA", 2), reasons.UntrustedSigner},
	{"P-384 authority and spoilt signature", spoilt(longChain("P-384", "P-384", 2)), reasons.BadSignature},
	{"same name and key", sameName, reasons.ChainNotLinear},
	{"1000 names", manyNames, reasons.UntrustedSigner},
	{"1000 names of others", manyOtherNames, reasons.SignerNameMismatch},
	{"1000 extensions", manyExtensions, reasons.UntrustedSigner},
	{"1000 policies", manyPolicies, reasons.UntrustedSigner},
	{"500 constraints on 300 names", manyConstraints, reasons.UntrustedSigner},
	{"subject of 1000 parts", longSubject, reasons.UnsupportedKey},
	{"deep JSON", jsonBomb(strings.Repeat("[", 20<<10)), reasons.MalformedToken},
	{"wide JSON", jsonBomb("[" + strings.Repeat("1,", 10<<10) + "1]"), reasons.MalformedToken},
	{"white space in JSON", jsonBomb(strings.Repeat(" ", 20<<10) + "{}"), reasons.BadHeader},
	{"long name in JSON", jsonBomb(`{"` + strings.Repeat("a", 20<<10) + `":1}`), reasons.BadHeader},
	{"deep DER", deepAC, reasons.MalformedAttribute},
	{"6000 values in DER", wideAC, reasons.MalformedAttribute},
	{"250 names in DER", namesAC, reasons.HolderMismatch},
	{"16 targets with 4 pins", fullTargets, reasons.UntrustedSigner},
}

// stranger makes a certificate by an authority that nobody knows, or, without
// a parent, by itself.
type stranger struct {
	certificate *x509.Certificate
	key         crypto.Signer
}

func newStranger(t testing.TB, key crypto.Signer, parent *stranger, edit func(*x509.Certificate)) *stranger {
	t.Helper()
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "Root"}, NotBefore: now.Add(-day), NotAfter: now.Add(80 * day),
		IsCA: true, KeyUsage: x509.KeyUsageCertSign,
	}
	edit(template)
	s := &stranger{key: key}
	if parent == nil {
		s.certificate = benchCertificate(t, template, nil, key, key)
	} else {
		s.certificate = benchCertificate(t, template, parent.certificate, key, parent.key)
	}
	return s
}

func (s *stranger) leaf(t testing.TB, kind string, edit func(*x509.Certificate)) *stranger {
	t.Helper()
	return newStranger(t, costKey(kind), s, func(c *x509.Certificate) {
		c.Subject, c.IsCA, c.DNSNames, c.KeyUsage = pkix.Name{}, false, []string{source}, x509.KeyUsageDigitalSignature
		if edit != nil {
			edit(c)
		}
	})
}

// statementBy is a statement by the first of the certificates.
func statementBy(t testing.TB, n byte, targets []Target, chain ...*stranger) (Encoding, []byte) {
	t.Helper()
	d := newLaboratory(t).draft()
	d.t = t
	d.statement.ID[1] = n
	if targets != nil {
		d.statement.Targets = targets
	}
	for _, s := range chain {
		d.chain = append(d.chain, s.certificate.Raw)
	}
	var err error
	if d.signer, err = keys.NewSigner([]*x509.Certificate{chain[0].certificate}, chain[0].key); err != nil {
		t.Fatal(err)
	}
	raw := d.sign()
	if len(raw) > limits.MaxStatementSize {
		t.Fatalf("statement %d of %d octets", n, len(raw))
	}
	return JWS, raw
}

func commonName(name string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.Subject = pkix.Name{CommonName: name} }
}

var madeCertificates = map[string][]*stranger{}

// madeOnce makes certificates once for all statements of a question.
func madeOnce(name string, make func() []*stranger) []*stranger {
	if madeCertificates[name] == nil {
		madeCertificates[name] = make()
	}
	return madeCertificates[name]
}

// longChain is a statement by a leaf below authorities that nobody knows, named
// as anchors of costRoots are.
func longChain(leafKind, kind string, length int) bomb {
	return func(t testing.TB, n byte) (Encoding, []byte) {
		return statementBy(t, n, nil, madeOnce(fmt.Sprint(leafKind, kind, length), func() []*stranger {
			above := newStranger(t, costKey(kind), nil, commonName("Anchor 0"))
			var chain []*stranger
			for i := 1; i < length; i++ {
				above = newStranger(t, costKey(kind), above, commonName(fmt.Sprint("Anchor ", i)))
				chain = append(chain, above)
			}
			slices.Reverse(chain)
			return append([]*stranger{above.leaf(t, leafKind, nil)}, chain...)
		})...)
	}
}

// spoilt is a statement whose signature does not verify.
func spoilt(make bomb) bomb {
	return func(t testing.TB, n byte) (Encoding, []byte) {
		e, raw := make(t, n)
		at := &raw[len(raw)-8]
		if *at == 'A' { // base64url stays base64url
			*at = 'B'
		} else {
			*at = 'A'
		}
		return e, raw
	}
}

// slowRSA is a key that takes long to verify with: as many bits as are accepted
// and the largest exponent that crypto/rsa does.
var slowRSA = sync.OnceValue(func() crypto.Signer {
	data, err := os.ReadFile("../internal/vectors/keys/rsa-4096.pem")
	if err != nil {
		panic(err)
	}
	block, _ := pem.Decode(data)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		panic(err)
	}
	k := key.(*rsa.PrivateKey)
	one, product := big.NewInt(1), big.NewInt(1)
	for _, prime := range k.Primes {
		product.Mul(product, new(big.Int).Sub(prime, one))
	}
	slow := &rsa.PrivateKey{PublicKey: rsa.PublicKey{N: k.N, E: 1<<31 - 1}, Primes: k.Primes}
	slow.D = new(big.Int).ModInverse(big.NewInt(int64(slow.E)), product)
	slow.Precompute()
	return slow
})

// costKey is keyOf with one kind more.
func costKey(kind string) crypto.Signer {
	if kind == "slow RSA" {
		return slowRSA()
	}
	return keyOf(kind)
}

func sameName(t testing.TB, n byte) (Encoding, []byte) {
	return JWS, second(statementBy(t, n, nil, madeOnce("same", func() []*stranger {
		key := keyOf("P-521")
		above := newStranger(t, key, nil, commonName("CA"))
		var chain []*stranger
		for i := range keys.MaxChain - 1 {
			chain = append(chain, newStranger(t, key, above, func(c *x509.Certificate) {
				commonName("CA")(c)
				c.DNSNames = []string{fmt.Sprintf("%d.example", i)} // for crypto/x509, another certificate
			}))
		}
		return append([]*stranger{above.leaf(t, "P-256", nil)}, chain...)
	})...))
}

func second(_ Encoding, raw []byte) []byte { return raw }

// fat is a statement with one large leaf, about as large as can be carried.
func fat(name string, edit func(c *x509.Certificate)) bomb {
	return func(t testing.TB, n byte) (Encoding, []byte) {
		return statementBy(t, n, nil, madeOnce(name, func() []*stranger {
			above := newStranger(t, keyOf("P-256"), nil, commonName("CA"))
			return []*stranger{above.leaf(t, "P-256", edit), above}
		})...)
	}
}

var (
	manyNames = fat("names", func(c *x509.Certificate) {
		for i := range 1000 {
			c.DNSNames = append([]string{fmt.Sprintf("n%d.example", i)}, c.DNSNames...)
		}
	})
	manyOtherNames = fat("other names", func(c *x509.Certificate) {
		c.DNSNames = nil
		for i := range 1000 {
			c.DNSNames = append(c.DNSNames, fmt.Sprintf("n%d.example", i))
		}
	})
	manyExtensions = fat("extensions", func(c *x509.Certificate) {
		for i := range 1000 {
			c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: asn1.ObjectIdentifier{1, 3, 1, 1000 + i}, Value: []byte{5, 0}})
		}
	})
	manyPolicies = fat("policies", func(c *x509.Certificate) {
		for i := range 1000 {
			oid, err := x509.OIDFromInts([]uint64{2, 999, uint64(i)})
			if err != nil {
				panic(err)
			}
			c.Policies = append(c.Policies, oid)
		}
	})
)

// manyConstraints are below an authority that constrains what it names.
func manyConstraints(t testing.TB, n byte) (Encoding, []byte) {
	return statementBy(t, n, nil, madeOnce("constraints", func() []*stranger {
		above := newStranger(t, keyOf("P-256"), nil, func(c *x509.Certificate) {
			commonName("CA")(c)
			c.PermittedDNSDomainsCritical = true
			for i := range 250 {
				c.ExcludedDNSDomains = append(c.ExcludedDNSDomains, fmt.Sprintf("c%d.example", i))
				c.ExcludedIPRanges = append(c.ExcludedIPRanges, &net.IPNet{IP: net.IPv4(10, byte(i>>8), byte(i), 0).To4(), Mask: net.CIDRMask(24, 32)})
			}
		})
		return []*stranger{above.leaf(t, "P-256", func(c *x509.Certificate) {
			for i := range 300 {
				c.DNSNames = append(c.DNSNames, fmt.Sprintf("n%d.example", i))
			}
		}), above}
	})...)
}

// longSubject is a certificate besides with a subject that is long to write
// down, and a key that is complained about with that subject.
func longSubject(t testing.TB, n byte) (Encoding, []byte) {
	return statementBy(t, n, nil, madeOnce("subject", func() []*stranger {
		above := newStranger(t, keyOf("P-256"), nil, commonName("CA"))
		return []*stranger{above.leaf(t, "P-256", nil), newStranger(t, keyOf("RSA-1024"), above, func(c *x509.Certificate) {
			for range 1000 {
				c.Subject.ExtraNames = append(c.Subject.ExtraNames, pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "a"})
			}
		})}
	})...)
}

func jsonBomb(header string) bomb {
	return func(t testing.TB, n byte) (Encoding, []byte) {
		encode := base64.RawURLEncoding.EncodeToString
		return JWS, []byte(encode([]byte(header)) + "." + encode([]byte{'{', '}', n}) + "." + encode(make([]byte, 64)))
	}
}

// spoiltAC is an attribute certificate whose signed part was changed.
func spoiltAC(t testing.TB, n byte, change func(info *dertree.Node)) (Encoding, []byte) {
	t.Helper()
	tr := newTrial(t)
	tr.statement.ID[1] = n
	raw := tr.ac(acEdits{info: change})
	if len(raw) > limits.MaxStatementSize {
		t.Fatalf("statement %d of %d octets", n, len(raw))
	}
	return AC, raw
}

func deepAC(t testing.TB, n byte) (Encoding, []byte) {
	return spoiltAC(t, n, func(info *dertree.Node) {
		deep := dertree.Primitive(acder.TagNull)
		for range 5000 {
			deep = dertree.Constructed(acder.TagSequence, deep)
		}
		*info.At(acder.PathValue...) = *deep
	})
}

func wideAC(t testing.TB, n byte) (Encoding, []byte) {
	return spoiltAC(t, n, func(info *dertree.Node) {
		attributes := info.At(acder.PartAttributes)
		for i := range 60 {
			values := dertree.Constructed(acder.TagSet)
			for j := range 100 {
				values.Add(acder.Integer(int64(1000 + j)))
			}
			attributes.Add(dertree.Constructed(acder.TagSequence, acder.ObjectID(fmt.Sprintf("2.999.%d", i)), values))
		}
	})
}

func namesAC(t testing.TB, n byte) (Encoding, []byte) {
	return spoiltAC(t, n, func(info *dertree.Node) {
		holder := info.At(acder.PathHolderList...)
		for i := range 250 {
			holder.Add(acder.DNSName(fmt.Sprintf("n%d.%s.example", i, strings.Repeat("a", 63))))
		}
	})
}

func fullTargets(t testing.TB, n byte) (Encoding, []byte) {
	var targets []Target
	for i := range limits.MaxTargets {
		target := Target{Endpoint: Endpoint{Host: fmt.Sprintf("t%d.%s.%s.example", i, strings.Repeat("a", 63), strings.Repeat("b", 63)), Port: 5269}}
		for j := range limits.MaxPins {
			target.SPKI = append(target.SPKI, Pin{byte(i), byte(j)})
		}
		targets = append(targets, target)
	}
	return statementBy(t, n, targets, madeOnce("targets", func() []*stranger {
		above := newStranger(t, keyOf("P-256"), nil, commonName("CA"))
		return []*stranger{above.leaf(t, "P-256", nil), above}
	})...)
}
