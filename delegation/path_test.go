package delegation

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/dertree"
	"github.com/dnasign/dnasign/keys"
)

// A pathCase is a chain of three with one peculiarity. It is tried twice. Once
// the leaf is a signer's, with the name of the source. Once it is a peer's,
// with the name of the target.
type pathCase struct {
	name                     string
	root, intermediate, leaf func(c *x509.Certificate)
	want                     string         // refused, verified
	signer                   reasons.Reason // if the signer is refused for another reason than UntrustedSigner
}

const refused, verified = "refused", "verified"

// extended is an edit that adds an extension, in the place of the usual one.
func extended(critical bool, id asn1.ObjectIdentifier, value ...byte) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: id, Critical: critical, Value: value})
	}
}

// alsoNamed is an edit that adds names to a leaf.
func alsoNamed(names ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.DNSNames = append(c.DNSNames, names...) }
}

func permittedNames(names ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.PermittedDNSDomains, c.PermittedDNSDomainsCritical = names, true }
}

func excludedNames(names ...string) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.ExcludedDNSDomains, c.PermittedDNSDomainsCritical = names, true }
}

// forms is a nameConstraints extension that permits these GeneralNames.
func forms(critical bool, names ...*dertree.Node) func(*x509.Certificate) {
	permitted := dertree.Constructed(0xa0)
	for _, name := range names {
		permitted.Add(dertree.Constructed(0x30, name))
	}
	return extended(critical, oidNameConstraints, dertree.Constructed(0x30, permitted).Bytes()...)
}

func pathCases() []pathCase {
	var (
		directory = dertree.Constructed(0xa4, dertree.Constructed(0x30))
		other     = dertree.Constructed(0xa0, dertree.Primitive(0x06, 0x2a, 3), dertree.Constructed(0xa0, dertree.Primitive(0x0c, 'x')))
		ofDNS     = dertree.Primitive(0x82, []byte("example")...)
		ofAddress = dertree.Primitive(0x87, 192, 0, 2, 0, 255, 255, 255, 0)

		policyConstraints = asn1.ObjectIdentifier{2, 5, 29, 36}
		inhibitAnyPolicy  = asn1.ObjectIdentifier{2, 5, 29, 54}
		policyMappings    = asn1.ObjectIdentifier{2, 5, 29, 33}
	)
	return []pathCase{
		{name: "nothing", want: verified},
		{name: "leaf without keyUsage", leaf: func(c *x509.Certificate) { c.KeyUsage = 0 }, want: verified},
		{name: "leaf without extKeyUsage", leaf: func(c *x509.Certificate) { c.ExtKeyUsage = nil }, want: verified},
		{name: "intermediate without keyUsage", intermediate: func(c *x509.Certificate) { c.KeyUsage = 0 }, want: verified},
		{name: "anchor without keyUsage", root: func(c *x509.Certificate) { c.KeyUsage = 0 }, want: verified},

		// Empty is present.
		{name: "leaf with empty keyUsage", leaf: extended(true, oidKeyUsage, 3, 1, 0), want: refused, signer: reasons.SignerKeyUsage},
		{name: "leaf with empty extKeyUsage", leaf: extended(false, oidExtKeyUsage, 0x30, 0), want: refused, signer: reasons.SignerExtKeyUsage},
		{name: "leaf with empty critical extKeyUsage", leaf: extended(true, oidExtKeyUsage, 0x30, 0), want: refused, signer: reasons.SignerExtKeyUsage},
		{name: "intermediate with empty keyUsage", intermediate: extended(true, oidKeyUsage, 3, 1, 0), want: refused},
		{name: "intermediate with empty keyUsage, not critical", intermediate: extended(false, oidKeyUsage, 3, 1, 0), want: refused},
		{name: "intermediate with keyUsage of zeros", intermediate: extended(true, oidKeyUsage, 3, 2, 7, 0), want: refused},
		{name: "intermediate with empty extKeyUsage", intermediate: extended(true, oidExtKeyUsage, 0x30, 0), want: refused},
		{name: "intermediate with empty extKeyUsage, not critical", intermediate: extended(false, oidExtKeyUsage, 0x30, 0), want: refused},
		{name: "anchor with empty keyUsage", root: extended(true, oidKeyUsage, 3, 1, 0), want: refused},
		{name: "anchor with empty extKeyUsage", root: extended(false, oidExtKeyUsage, 0x30, 0), want: refused},

		// What an anchor says of policies is not looked at.
		{name: "anchor asks for a policy", root: extended(true, policyConstraints, 0x30, 3, 0x80, 1, 0), want: verified},
		{name: "intermediate asks for a policy", intermediate: extended(true, policyConstraints, 0x30, 3, 0x80, 1, 0), want: refused},
		{name: "anchor inhibits any policy", root: extended(true, inhibitAnyPolicy, 2, 1, 0), want: verified},
		{name: "anchor maps policies", root: extended(true, policyMappings, 0x30, 8, 0x30, 6, 6, 1, 0x2a, 6, 1, 0x2b), want: verified},

		// Name constraints.
		{name: "wildcard that covers a name in an excluded subtree", intermediate: excludedNames("bar.example.com"), leaf: alsoNamed("*.example.com"), want: refused},
		{name: "wildcard in other case", intermediate: excludedNames("BAR.Example.com"), leaf: alsoNamed("*.eXample.COM"), want: refused},
		{name: "wildcard, excluded by the anchor", root: excludedNames("bar.example.com"), leaf: alsoNamed("*.example.com"), want: refused},
		{name: "wildcard, several excluded", intermediate: excludedNames("a.example.com", "bar.example.com", "z.example.com"), leaf: alsoNamed("*.example.com"), want: refused},
		{name: "wildcard inside an excluded subtree", intermediate: excludedNames("example.com"), leaf: alsoNamed("*.example.com"), want: refused},
		{name: "wildcard beside an excluded subtree", intermediate: excludedNames("bar.example.com"), leaf: alsoNamed("*.example.net"), want: verified},
		{name: "wildcard above an excluded subtree", intermediate: excludedNames("a.bar.example.com"), leaf: alsoNamed("*.example.com"), want: verified},
		{name: "wildcard, names below are excluded", intermediate: excludedNames(".bar.example.com"), leaf: alsoNamed("*.example.com"), want: verified},
		{name: "wildcard that is permitted", intermediate: permittedNames("example", "example.com"), leaf: alsoNamed("*.example.com"), want: verified},
		{name: "wildcard, a part is permitted", intermediate: permittedNames("example", "bar.example.com"), leaf: alsoNamed("*.example.com"), want: refused},

		{name: "no name, without constraints", leaf: alsoNamed(".example.com", ""), want: verified},
		{name: "leading dot, permitted", intermediate: permittedNames("example", "example.com"), leaf: alsoNamed(".example.com", "foo.example.com"), want: refused},
		{name: "leading dot, permitted with a leading dot", intermediate: permittedNames("example", ".example.com"), leaf: alsoNamed(".example.com"), want: refused},
		{name: "leading dot, another is excluded", intermediate: excludedNames("c.example"), leaf: alsoNamed(".example.com"), want: refused},
		{name: "leading dot, excluded by the anchor", root: excludedNames("c.example"), leaf: alsoNamed(".example.com"), want: refused},
		{name: "trailing dot", intermediate: excludedNames("c.example"), leaf: alsoNamed("example.com."), want: refused},
		{name: "two dots", intermediate: excludedNames("c.example"), leaf: alsoNamed("a..example.com"), want: refused},
		{name: "a space", intermediate: excludedNames("c.example"), leaf: alsoNamed("a b.example.com"), want: refused},
		{name: "empty name, permitted", intermediate: permittedNames("example"), leaf: alsoNamed(""), want: refused},
		{name: "empty name, everything permitted", intermediate: permittedNames(""), leaf: alsoNamed(""), want: refused},
		{name: "empty name, another is excluded", intermediate: excludedNames("c.example"), leaf: alsoNamed(""), want: refused},
		{name: "empty name, excluded by the anchor", root: excludedNames("c.example"), leaf: alsoNamed(""), want: refused},
		{name: "empty name of the intermediate", root: excludedNames("c.example"), intermediate: alsoNamed(""), want: refused},
		{name: "empty name of the authority with the constraints", intermediate: func(c *x509.Certificate) {
			excludedNames("c.example")(c)
			alsoNamed("")(c)
		}, want: verified},
		{name: "no name, addresses constrained", intermediate: forms(true, ofAddress), leaf: alsoNamed(""), want: refused},
		{name: "addresses constrained", intermediate: forms(true, ofAddress), want: verified},

		{name: "critical constraints of directoryName", intermediate: forms(true, directory), want: refused},
		{name: "critical constraints of otherName", intermediate: forms(true, other), want: refused},
		{name: "critical constraints of dNSName and directoryName", intermediate: forms(true, ofDNS, directory), want: refused},
		{name: "critical constraints of dNSName", intermediate: forms(true, ofDNS), want: verified},
		{name: "the anchor's critical constraints of directoryName", root: forms(true, directory), want: refused},
	}
}

// A family is the certificates of a case.
type family struct {
	root         *x509.Certificate
	intermediate *x509.Certificate
	leaf         *x509.Certificate
	key          crypto.Signer // of the leaf
}

func (f *family) chain() []*x509.Certificate { return []*x509.Certificate{f.leaf, f.intermediate} }

func pool(anchors ...*x509.Certificate) *x509.CertPool {
	p := x509.NewCertPool()
	for _, c := range anchors {
		p.AddCert(c)
	}
	return p
}

// newFamily issues a chain of three to a name, with the edits of the case.
func (c pathCase) newFamily(t testing.TB, name string) *family {
	t.Helper()
	f := &family{key: keyOf("P-256")}
	rootKey, key := keyOf("P-384"), keyOf("other P-256")
	f.root = benchCertificate(t, authorityTemplate("Root", c.root), nil, rootKey, rootKey)
	f.intermediate = benchCertificate(t, authorityTemplate("Intermediate", c.intermediate), f.root, key, rootKey)
	f.leaf = benchCertificate(t, leafTemplate(name, c.leaf), f.intermediate, f.key, key)
	return f
}

func authorityTemplate(name string, edit func(*x509.Certificate)) *x509.Certificate {
	c := &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, KeyUsage: x509.KeyUsageCertSign,
		NotBefore: now.Add(-100 * day), NotAfter: now.Add(100 * day),
	}
	if edit != nil {
		edit(c)
	}
	return c
}

func leafTemplate(name string, edit func(*x509.Certificate)) *x509.Certificate {
	c := &x509.Certificate{
		DNSNames: []string{name}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		NotBefore: now.Add(-10 * day), NotAfter: now.Add(80 * day),
	}
	if edit != nil {
		edit(c)
	}
	return c
}

// signWith is a spoiler that signs with a chain below these trust anchors.
func signWith(chain []*x509.Certificate, key crypto.Signer, roots *x509.CertPool) func(*trial) {
	return func(tr *trial) {
		signer, err := keys.NewSigner(chain, key)
		if err != nil {
			tr.t.Fatal(err)
		}
		tr.signer, tr.policy.Roots = signer, roots
	}
}

// meets is what a peer with this chain and the name of the target is told.
func meets(chain []*x509.Certificate, roots *x509.CertPool) (time.Time, error) {
	match, err := PeerPolicy{Roots: roots, Now: clock(now)}.Check(chain, []Reference{{Name: host}})
	if err != nil {
		return time.Time{}, err
	}
	return match.Until, nil
}

// signerPathCases are the cases for the chain of a signer.
func signerPathCases() []verifyCase {
	var cases []verifyCase
	for _, c := range pathCases() {
		want := reasons.Verified
		if c.want == refused {
			want = reasons.UntrustedSigner
			if c.signer != "" {
				want = c.signer
			}
		}
		cases = append(cases, verifyCase{c.name, func(tr *trial) {
			f := c.newFamily(tr.t, source)
			signWith(f.chain(), f.key, pool(f.root))(tr)
		}, want})
	}
	return cases
}

// TestPaths: what holds for the chain of a signer holds for that of a peer.
func TestPaths(t *testing.T) {
	t.Run("signer", func(t *testing.T) { runCases(t, 45, signerPathCases()) })
	for _, c := range pathCases() {
		t.Run("peer/"+c.name, func(t *testing.T) {
			f := c.newFamily(t, host)
			_, err := meets(f.chain(), pool(f.root))
			switch {
			case c.want == refused:
				wantRefusal(t, reasons.PeerUntrusted, err)
			case err != nil:
				t.Error(err)
			}
		})
	}
}

// TestPathDetail: a refusal names the certificate and the extension.
func TestPathDetail(t *testing.T) {
	f := pathCase{root: extended(true, oidKeyUsage, 3, 1, 0)}.newFamily(t, host)
	_, err := meets(f.chain(), pool(f.root))
	e := wantRefusal(t, reasons.PeerUntrusted, err)
	for _, part := range []string{"CN=Root", "keyUsage"} {
		if !strings.Contains(e.Detail, part) {
			t.Errorf("%q without %q", e.Detail, part)
		}
	}
}

// TestAnchorKeys: W2 holds for the trust anchor too. The certificates were made
// with OpenSSL. For each kind of key testdata/anchors has a root and an
// intermediate below it, and the key of all intermediates.
func TestAnchorKeys(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("testdata", "anchors", "intermediate-key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file     string
		accepted bool // by W2
	}{
		{"rsa2048.pem", true},
		{"rsa1024.pem", false},
		{"rsa4098.pem", false},
		{"p224.pem", false},
		{"p192.pem", false}, // crypto/x509 cannot read the root
		{"dsa.pem", false},  // crypto/x509 cannot verify with the key
	} {
		t.Run(c.file, func(t *testing.T) {
			text, err := os.ReadFile(filepath.Join("testdata", "anchors", c.file))
			if err != nil {
				t.Fatal(err)
			}
			root, rest := pem.Decode(text)
			below, _ := pem.Decode(rest)
			roots := x509.NewCertPool()
			if read := roots.AppendCertsFromPEM(pem.EncodeToMemory(root)); read != (c.file != "p192.pem") {
				t.Errorf("the root was read: %t", read)
			}
			intermediate := parse(t, below.Bytes)
			chainTo := func(name string) []*x509.Certificate {
				return []*x509.Certificate{benchCertificate(t, leafTemplate(name, nil), intermediate, keyOf("P-256"), key.(crypto.Signer)), intermediate}
			}
			tr := newTrial(t)
			signWith(chainTo(source), keyOf("P-256"), roots)(tr)
			result, signerErr := tr.verify()
			sameWithCache(t, tr, result, signerErr)
			_, peerErr := meets(chainTo(host), roots)
			if c.accepted {
				wantEnd(t, reasons.Verified, result, signerErr)
				if peerErr != nil {
					t.Error(peerErr)
				}
				return
			}
			wantRefusal(t, reasons.UntrustedSigner, signerErr)
			wantRefusal(t, reasons.PeerUntrusted, peerErr)
		})
	}
}

// TestOtherPath: of two paths to a trust anchor the good one counts, though the
// bad one lives longer. The proof ends with the good one.
func TestOtherPath(t *testing.T) {
	const goodLife, badLife = 20 * day, 40 * day
	ends := func(life time.Duration, edits ...func(*x509.Certificate)) func(*x509.Certificate) {
		return func(c *x509.Certificate) {
			c.NotAfter = now.Add(life)
			for _, edit := range edits {
				edit(c)
			}
		}
	}
	until := now.Add(goodLife + time.Second)
	for name, bad := range map[string]func(*x509.Certificate){
		"keyUsage":    extended(true, oidKeyUsage, 3, 1, 0),
		"extKeyUsage": extended(true, oidExtKeyUsage, 0x30, 0),
		"names":       excludedNames("c.example"), // the leaf has an empty one
	} {
		leaf := func(c *x509.Certificate) { c.DNSNames = append(c.DNSNames, "") }

		// Two anchors of one name and key.
		for _, first := range []string{"bad", "good"} {
			t.Run(name+"/anchors, first the "+first, func(t *testing.T) {
				anchors := func(f *family) *x509.CertPool {
					key := keyOf("P-384")
					twin := benchCertificate(t, authorityTemplate("Root", ends(badLife, bad)), nil, key, key)
					if first == "bad" {
						return pool(twin, f.root)
					}
					return pool(f.root, twin)
				}
				c := pathCase{root: ends(goodLife), leaf: leaf}
				f := c.newFamily(t, source)
				tr := newTrial(t)
				signWith(f.chain(), f.key, anchors(f))(tr)
				tr.statement.Expires = until.Add(day)
				result, err := tr.verify()
				wantEnd(t, reasons.Verified, result, err)
				if !result.ValidUntil().Equal(until) {
					t.Errorf("signer: until %s, want %s", result.ValidUntil(), until)
				}
				sameWithCache(t, tr, result, err)

				f = c.newFamily(t, host)
				if got, err := meets(f.chain(), anchors(f)); err != nil || !got.Equal(until) {
					t.Errorf("peer: until %s (%v), want %s", got, err, until)
				}
			})
		}

		// A peer may show two intermediates of one name and key.
		t.Run(name+"/intermediates", func(t *testing.T) {
			f := pathCase{intermediate: ends(goodLife), leaf: leaf}.newFamily(t, host)
			twin := benchCertificate(t, authorityTemplate("Intermediate", ends(badLife, bad)), f.root, keyOf("other P-256"), keyOf("P-384"))
			for _, chain := range [][]*x509.Certificate{{f.leaf, twin, f.intermediate}, {f.leaf, f.intermediate, twin}} {
				if got, err := meets(chain, pool(f.root)); err != nil || !got.Equal(until) {
					t.Errorf("until %s (%v), want %s", got, err, until)
				}
			}
			_, err := meets([]*x509.Certificate{f.leaf, twin}, pool(f.root))
			wantRefusal(t, reasons.PeerUntrusted, err)
		})
	}
}

// TestPeerIsAnchor: a peer's certificate may itself be a trust anchor, if its
// extensions allow something.
func TestPeerIsAnchor(t *testing.T) {
	for name, c := range map[string]struct {
		edit func(*x509.Certificate)
		want reasons.Reason
	}{
		"nothing":           {nil, reasons.Verified},
		"empty keyUsage":    {extended(true, oidKeyUsage, 3, 1, 0), reasons.PeerUntrusted},
		"empty extKeyUsage": {extended(true, oidExtKeyUsage, 0x30, 0), reasons.PeerUntrusted},
	} {
		key := keyOf("P-256")
		template := leafTemplate(host, c.edit)
		template.Subject.CommonName = "Peer"
		peer := benchCertificate(t, template, nil, key, key)
		_, err := meets([]*x509.Certificate{peer}, pool(peer))
		if c.want != reasons.Verified {
			wantRefusal(t, c.want, err)
		} else if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestSelfIssuedAuthority: an authority's certificate for its own next key
// counts for pathLenConstraint like any other.
func TestSelfIssuedAuthority(t *testing.T) {
	old, next, key := keyOf("P-384"), keyOf("other P-384"), keyOf("other P-256")
	for length, want := range map[int]reasons.Reason{1: reasons.PeerUntrusted, 2: reasons.Verified} {
		root := benchCertificate(t, authorityTemplate("Root", func(c *x509.Certificate) { c.MaxPathLen = length }), nil, old, old)
		rollover := benchCertificate(t, authorityTemplate("Root", nil), root, next, old)
		intermediate := benchCertificate(t, authorityTemplate("Intermediate", nil), rollover, key, next)
		leaf := benchCertificate(t, leafTemplate(host, nil), intermediate, keyOf("P-256"), key)
		_, err := meets([]*x509.Certificate{leaf, intermediate, rollover}, pool(root))
		if want != reasons.Verified {
			wantRefusal(t, want, err)
		} else if err != nil {
			t.Errorf("path length %d: %v", length, err)
		}
	}
}

// TestManyPaths: a good path is found behind thirty bad ones.
func TestManyPaths(t *testing.T) {
	f := pathCase{}.newFamily(t, host)
	key := keyOf("P-384")
	anchors := pool(f.root)
	for i := range 30 {
		anchors.AddCert(benchCertificate(t, authorityTemplate("Root", func(c *x509.Certificate) {
			c.NotAfter = now.Add(time.Duration(i+1) * day)
			extended(true, oidKeyUsage, 3, 1, 0)(c)
		}), nil, key, key))
	}
	best, err := longestPath(forPeer, (*Cache)(nil).pathKey(f.chain()), f.chain(), anchors, nil, now)
	if err != nil || !slices.ContainsFunc(best.chain, f.root.Equal) {
		t.Errorf("%v, %v", best, err)
	}
}
