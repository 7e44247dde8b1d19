package delegation

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"math/big"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/sct"
	"github.com/dnasign/dnasign/keys"
)

// The benchmarks of a verification, all with the same keys and certificates in
// one run, so that they can be divided by each other. docs/benchmarks.md tells
// how to read them.

// benchChains are the keys of intermediate and root, one kind for both or one for
// each. Let's Encrypt uses the last pair. The signer's key is always P-256.
var benchChains = []string{"P-256", "P-384", "RSA-2048", "P-384+RSA-4096"}

// A benchWorld is a statement by a certificate as public authorities issue
// them, below an intermediate and a root. The certificate has subject and
// authority key identifiers, policies, revocation pointers and two signed
// certificate timestamps.
type benchWorld struct {
	signer   *keys.Signer
	root     *x509.Certificate
	policy   Policy
	query    Query
	raw      map[Encoding][]byte
	evidence map[Encoding]*Evidence
}

func newBenchWorld(b *testing.B, kind string) *benchWorld {
	b.Helper()
	ballast(b)
	middleKind, rootKind, two := strings.Cut(kind, "+")
	if !two {
		rootKind = kind
	}
	rootKey, middleKey, leafKey := benchKey(b, rootKind), benchKey(b, middleKind), benchKey(b, "P-256")
	root := benchCertificate(b, &x509.Certificate{
		Subject: pkix.Name{Country: []string{"XX"}, Organization: []string{"Test Trust Services"}, CommonName: "Test Root X1"},
		IsCA:    true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		NotBefore: now.AddDate(-5, 0, 0), NotAfter: now.AddDate(10, 0, 0),
	}, nil, rootKey, rootKey)
	middle := benchCertificate(b, &x509.Certificate{
		Subject: pkix.Name{Country: []string{"XX"}, Organization: []string{"Test Trust Services"}, CommonName: "E5"},
		IsCA:    true, MaxPathLenZero: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
		IssuingCertificateURL: []string{"http://x1.i.test.example/"}, CRLDistributionPoints: []string{"http://x1.c.test.example/"},
		PolicyIdentifiers: []asn1.ObjectIdentifier{{2, 23, 140, 1, 2, 1}},
		NotBefore:         now.AddDate(-2, 0, 0), NotAfter: now.AddDate(1, 0, 0),
	}, root, middleKey, rootKey)
	logged := sct.V1(uint64(now.Add(-10 * day).UnixMilli()))
	leaf := benchCertificate(b, &x509.Certificate{
		DNSNames: []string{source, "www." + source}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		OCSPServer:  []string{"http://e5.o.test.example"}, IssuingCertificateURL: []string{"http://e5.i.test.example/"},
		CRLDistributionPoints: []string{"http://e5.c.test.example/42.crl"},
		PolicyIdentifiers:     []asn1.ObjectIdentifier{{2, 23, 140, 1, 2, 1}},
		ExtraExtensions:       []pkix.Extension{sct.Extension(logged, logged)},
		NotBefore:             now.Add(-10 * day), NotAfter: now.Add(80 * day),
	}, middle, leafKey, middleKey)
	signer, err := keys.NewSigner([]*x509.Certificate{leaf, middle}, leafKey)
	if err != nil {
		b.Fatal(err)
	}
	w := &benchWorld{
		signer: signer, root: root, query: Query{Source: source, Service: service},
		policy: Policy{Roots: x509.NewCertPool(), Time: now},
		raw:    map[Encoding][]byte{}, evidence: map[Encoding]*Evidence{},
	}
	w.policy.Roots.AddCert(root)
	for _, encoding := range Encodings() {
		raw, err := Sign(goodStatement(), encoding, signer)
		if err != nil {
			b.Fatal(err)
		}
		w.raw[encoding], w.evidence[encoding] = raw, evidenceOf(txtAnswer(encoding.TXTRecord(raw)))
	}
	return w
}

// ballast is live heap, so that the garbage collector runs about as often as in
// a daemon. On an empty heap its cost looks larger.
func ballast(b *testing.B) {
	live := make([]*[1 << 10]byte, 32<<10)
	for i := range live {
		live[i] = new([1 << 10]byte)
	}
	b.Cleanup(func() { runtime.KeepAlive(live) })
}

// slowKey takes seconds to make.
var slowKey = sync.OnceValue(func() crypto.Signer { return localca.Must(localca.NewKey("RSA-4096")) })

func benchKey(b *testing.B, kind string) crypto.Signer {
	b.Helper()
	if kind == "RSA-4096" {
		return slowKey()
	}
	return localca.Must(localca.NewKey(kind))
}

func benchCertificate(b testing.TB, template, parent *x509.Certificate, key, parentKey crypto.Signer) *x509.Certificate {
	b.Helper()
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		b.Fatal(err)
	}
	identifier := sha1.Sum(spki)
	template.SubjectKeyId, template.BasicConstraintsValid = identifier[:], true
	if template.SerialNumber, err = rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 140)); err != nil {
		b.Fatal(err)
	}
	if parent == nil {
		parent = template
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), parentKey)
	if err != nil {
		b.Fatal(err)
	}
	certificate, err := x509.ParseCertificate(der)
	if err != nil {
		b.Fatal(err)
	}
	return certificate
}

// eachChain runs a benchmark for each kind of authority.
func eachChain(b *testing.B, run func(b *testing.B, w *benchWorld)) {
	for _, kind := range benchChains {
		b.Run("ca="+kind, func(b *testing.B) {
			w := newBenchWorld(b, kind)
			b.ReportAllocs()
			run(b, w)
		})
	}
}

// eachEncoding is eachChain for each encoding.
func eachEncoding(b *testing.B, run func(b *testing.B, w *benchWorld, e Encoding)) {
	for _, encoding := range Encodings() {
		b.Run("enc="+string(encoding), func(b *testing.B) {
			eachChain(b, func(b *testing.B, w *benchWorld) { run(b, w, encoding) })
		})
	}
}

// BenchmarkFloorStatement is only the signature checks that a verification
// needs: statement, leaf and intermediate. Keys are parsed and digests made
// beforehand.
func BenchmarkFloorStatement(b *testing.B) {
	eachChain(b, func(b *testing.B, w *benchWorld) {
		checks := append(w.statementCheck(b), w.chainChecks()...)
		for b.Loop() {
			runChecks(b, checks)
		}
	})
}

// BenchmarkFloorKnown is the one check that another statement by a known
// certificate cannot do without: its own.
func BenchmarkFloorKnown(b *testing.B) {
	eachChain(b, func(b *testing.B, w *benchWorld) {
		checks := w.statementCheck(b)
		for b.Loop() {
			runChecks(b, checks)
		}
	})
}

// BenchmarkFloorReading is BenchmarkFloorStatement with what comes before a
// check: certificates out of base64 and parsed by crypto/x509, and the digests
// of what is signed. A verifier that has crypto/x509 judge chains does at
// least that.
func BenchmarkFloorReading(b *testing.B) { eachChain(b, readAndCheck) }

// readAndCheck checks the signatures of the token and of the certificates.
func readAndCheck(b *testing.B, w *benchWorld) {
	token := w.raw[JWS]
	header, rest, _ := bytes.Cut(token, []byte("."))
	payload, end, _ := bytes.Cut(rest, []byte("."))
	message := token[:len(header)+1+len(payload)]
	raw, err := base64.RawURLEncoding.DecodeString(string(end))
	if err != nil {
		b.Fatal(err)
	}
	r, s := new(big.Int).SetBytes(raw[:len(raw)/2]), new(big.Int).SetBytes(raw[len(raw)/2:])
	chain := append(w.signer.Chain(), w.root)
	var texts []string
	for _, c := range chain[:len(chain)-1] {
		texts = append(texts, base64.StdEncoding.EncodeToString(c.Raw))
	}
	out, parsed := make([]byte, len(token)), slices.Clone(chain)
	for b.Loop() {
		if _, err := base64.RawURLEncoding.Decode(out, header); err != nil {
			b.Fatal(err)
		}
		for i, text := range texts {
			der, err := base64.StdEncoding.DecodeString(text)
			if err != nil {
				b.Fatal(err)
			}
			if parsed[i], err = x509.ParseCertificate(der); err != nil {
				b.Fatal(err)
			}
		}
		digest := sha256.Sum256(message)
		if !ecdsa.Verify(parsed[0].PublicKey.(*ecdsa.PublicKey), digest[:], r, s) {
			b.Fatal("the statement's signature does not verify")
		}
		for i := range texts {
			if err := parsed[i+1].CheckSignature(parsed[i].SignatureAlgorithm, parsed[i].RawTBSCertificate, parsed[i].Signature); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func runChecks(b *testing.B, checks []func() bool) {
	for _, check := range checks {
		if !check() {
			b.Fatal("a signature does not verify")
		}
	}
}

func (w *benchWorld) statementCheck(b *testing.B) []func() bool {
	b.Helper()
	message := sha256.Sum256([]byte("a statement"))
	signature, err := w.signer.Key().Sign(rand.Reader, message[:], crypto.SHA256)
	if err != nil {
		b.Fatal(err)
	}
	leaf := w.signer.Leaf().PublicKey.(*ecdsa.PublicKey)
	return []func() bool{func() bool { return ecdsa.VerifyASN1(leaf, message[:], signature) }}
}

func (w *benchWorld) chainChecks() []func() bool {
	chain := append(w.signer.Chain(), w.root)
	var list []func() bool
	for i, c := range chain[:len(chain)-1] {
		hash := crypto.SHA256
		if c.SignatureAlgorithm == x509.ECDSAWithSHA384 {
			hash = crypto.SHA384
		}
		h := hash.New()
		h.Write(c.RawTBSCertificate)
		digest := h.Sum(nil)
		switch key := chain[i+1].PublicKey.(type) {
		case *ecdsa.PublicKey:
			list = append(list, func() bool { return ecdsa.VerifyASN1(key, digest, c.Signature) })
		case *rsa.PublicKey:
			list = append(list, func() bool { return rsa.VerifyPKCS1v15(key, hash, digest, c.Signature) == nil })
		}
	}
	return list
}

// BenchmarkPlainJWS is a verification as somebody would write it with go-jose
// and crypto/x509: x5c judged by the library, claims by encoding/json. It makes
// few of the checks that this package does.
func BenchmarkPlainJWS(b *testing.B) {
	eachChain(b, func(b *testing.B, w *benchWorld) {
		token := string(w.raw[JWS])
		for b.Loop() {
			parsed, err := jose.ParseSignedCompact(token, []jose.SignatureAlgorithm{jose.ES256})
			if err != nil {
				b.Fatal(err)
			}
			chains, err := parsed.Signatures[0].Protected.Certificates(x509.VerifyOptions{
				Roots: w.policy.Roots, CurrentTime: now, DNSName: source,
				KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
			})
			if err != nil {
				b.Fatal(err)
			}
			payload, err := parsed.Verify(chains[0][0].PublicKey)
			if err != nil {
				b.Fatal(err)
			}
			if _, err := decodeClaims(payload); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkColdVerify is Verify with nothing remembered from before.
func BenchmarkColdVerify(b *testing.B) {
	eachEncoding(b, func(b *testing.B, w *benchWorld, e Encoding) {
		for b.Loop() {
			if _, err := Verify(w.query, w.evidence[e], w.policy); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkKnownCertificate is Verify of another statement by a certificate
// that is known.
func BenchmarkKnownCertificate(b *testing.B) {
	eachEncoding(b, func(b *testing.B, w *benchWorld, e Encoding) {
		w.policy.Cache = NewCache(w.policy.Roots)
		key := key{aRecord, w.evidence[e].TXT[0].Records[0]}
		for b.Loop() {
			w.policy.Cache.of[forSigner].Remove(key)
			if _, err := Verify(w.query, w.evidence[e], w.policy); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkKnownStatement is Verify of a statement that is known.
func BenchmarkKnownStatement(b *testing.B) {
	eachEncoding(b, func(b *testing.B, w *benchWorld, e Encoding) {
		w.policy.Cache = NewCache(w.policy.Roots)
		for b.Loop() {
			if _, err := Verify(w.query, w.evidence[e], w.policy); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// BenchmarkColdPeer and BenchmarkKnownPeer are the check of a peer's certificates.
func BenchmarkColdPeer(b *testing.B) {
	eachChain(b, func(b *testing.B, w *benchWorld) { w.meet(b, nil) })
}

func BenchmarkKnownPeer(b *testing.B) {
	eachChain(b, func(b *testing.B, w *benchWorld) { w.meet(b, NewCache(w.policy.Roots)) })
}

func (w *benchWorld) meet(b *testing.B, cache *Cache) {
	p := PeerPolicy{Roots: w.policy.Roots, Cache: cache, Now: clock(now)}
	chain, references := w.signer.Chain(), []Reference{{Name: source}}
	for b.Loop() {
		if _, err := p.Check(chain, references); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecode is a statement decoded, without its certificates and without
// cryptography.
func BenchmarkDecode(b *testing.B) {
	for _, encoding := range Encodings() {
		b.Run("enc="+string(encoding), func(b *testing.B) {
			w := newBenchWorld(b, "P-256")
			b.ReportAllocs()
			b.SetBytes(int64(len(w.raw[encoding])))
			for b.Loop() {
				if _, err := decode(encoding, w.raw[encoding], nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
