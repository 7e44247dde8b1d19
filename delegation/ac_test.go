package delegation

import (
	"bytes"
	"crypto/x509"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/acder"
	"github.com/dnasign/dnasign/internal/testkit/dertree"
	"github.com/dnasign/dnasign/keys"
)

// acDraw draws any legal statement.
func acDraw(t *rapid.T) Statement {
	name := rapid.StringMatching(`([a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?\.){1,3}(example|test|com)`).Filter(func(s string) bool {
		return CheckName(s) == nil
	})
	s := Statement{
		Source: name.Draw(t, "source"),
		Service: rapid.StringMatching(`_[a-z]([a-z0-9]{0,6}-)?[a-z0-9]{1,6}\._(tcp|udp)`).Filter(func(s string) bool {
			return CheckService(s) == nil
		}).Draw(t, "service"),
	}
	number := rapid.Uint16()
	hosts := rapid.SliceOfN(name, 1, limits.MaxTargets).Draw(t, "hosts") // few, so that some have several ports
	s.Targets = rapid.SliceOfNDistinct(rapid.Custom(func(t *rapid.T) Target {
		return Target{
			Endpoint: Endpoint{rapid.SampledFrom(hosts).Draw(t, "host"), uint16(rapid.IntRange(1, 65535).Draw(t, "port"))},
			Priority: number.Draw(t, "priority"), Weight: number.Draw(t, "weight"),
			SPKI: rapid.SliceOfN(rapid.Custom(acDrawPin), 0, limits.MaxPins).Draw(t, "spki"),
		}
	}), 0, limits.MaxTargets, func(target Target) Endpoint { return target.Endpoint }).Draw(t, "targets")
	if len(s.Targets) == 0 {
		s.Targets = nil
	}
	for i := range s.Targets {
		if len(s.Targets[i].SPKI) == 0 {
			s.Targets[i].SPKI = nil
		}
	}
	issued := rapid.Int64Range(0, maxTime-1).Draw(t, "iat")
	s.Issued = time.Unix(issued, 0).UTC()
	s.Expires = time.Unix(rapid.Int64Range(issued+1, maxTime).Draw(t, "exp"), 0).UTC()
	copy(s.ID[:], rapid.SliceOfN(rapid.Byte(), len(s.ID), len(s.ID)).Draw(t, "jti"))
	s.ID[0] &= 0x7f
	if !s.ID.Valid() {
		s.ID[15] = 1
	}
	return s
}

// acDrawPin draws both ends of a pin, which is faster than all of it.
func acDrawPin(t *rapid.T) (p Pin) {
	binary.BigEndian.PutUint64(p[:], rapid.Uint64().Draw(t, "pin"))
	p[len(p)-1] = rapid.Byte().Draw(t, "end of pin")
	return p
}

// TestOneMeaning: a statement that was encoded decodes to itself from both
// encodings. The attribute and the signed part have one form. The fixture,
// written by the specification alone, writes the same form.
func TestOneMeaning(t *testing.T) {
	lab := newLaboratory(t)
	for kind, edit := range map[string]func(*x509.Certificate){"P-256": nil, "P-384": acNamed, "RSA-2048": nil, "Ed25519": acNamed} {
		signer := lab.issue(kind, edit)
		t.Run(kind, rapid.MakeCheck(func(t *rapid.T) {
			s := acDraw(t)
			for _, e := range Encodings() {
				raw, err := encode(s, e, signer)
				if err != nil {
					t.Fatal(err)
				}
				received, err := decode(e, raw, nil)
				if err != nil {
					t.Fatalf("%s: %v", e, err)
				}
				if diff := cmp.Diff(s, received.statement); diff != "" {
					t.Fatalf("%s: (-want +got)\n%s", e, diff)
				}
				if !bytes.Equal(received.certificates[0], signer.Leaf().Raw) {
					t.Fatalf("%s: another signer", e)
				}
				if err := received.verify(signer.Leaf()); err != nil {
					t.Fatalf("%s: %v", e, err)
				}
				if e == AC {
					checkACForm(t, s, signer, received)
				}
			}
		}))
	}
}

func checkACForm(t *rapid.T, s Statement, signer *keys.Signer, received *signed) {
	ac := dertree.MustParse(received.attributeCertificate)
	if want := acInfoOf(s, signer).Bytes(); !bytes.Equal(ac.At(0).Bytes(), want) {
		t.Fatalf("acinfo is\n%x, want\n%x", ac.At(0).Bytes(), want)
	}
	value := ac.At(0).At(acder.PathValue...).Bytes()
	d, hash, e := decodeAttribute(value)
	if e != nil {
		t.Fatal(e)
	}
	d.issued, d.expires, d.id = s.Issued.Unix(), s.Expires.Unix(), s.ID
	again, e := d.statement()
	if e != nil {
		t.Fatal(e)
	}
	if der, err := encodeAttribute(*again, hash); err != nil || !bytes.Equal(der, value) {
		t.Fatalf("the attribute is written again as\n%x (%v), was\n%x", der, err, value)
	}
}

// TestACVerifies: Verify accepts a statement by every kind of key, with and
// without a subject, and says what it says.
func TestACVerifies(t *testing.T) {
	for name, signer := range acSigners(newLaboratory(t)) {
		t.Run(name, func(t *testing.T) {
			tr := newTrial(t)
			tr.signer = signer
			tr.statement.Targets = append(tr.statement.Targets, Target{Endpoint: Endpoint{host, 5270}, SPKI: []Pin{{1}, {2}}})
			raw, err := Sign(tr.statement, AC, signer)
			if err != nil {
				t.Fatal(err)
			}
			tr.evidence = evidenceOf(acDocument(raw))
			result, err := tr.verify()
			wantEnd(t, reasons.Verified, result, err)
			if diff := cmp.Diff(tr.statement, result.Proven().Statement); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if got := result.Proven().Encoding; got != AC {
				t.Errorf("encoding %s", got)
			}
		})
	}
}

// TestACOrders: the certificates of a message may be in any order. BouncyCastle
// writes the attribute certificate first, DER wants it last.
func TestACOrders(t *testing.T) {
	tr := newTrial(t)
	lower := tr.authority(tr.intermediate, "Lower Intermediate", nil)
	tr.signer = tr.issueBelow(lower, "P-256", acNamed)
	members := acBagMembers(tr.ac(acEdits{}))
	members = append(members, dertree.MustParse(tr.root.Root().Raw))
	count := 0
	acPermute(members, func(order []*dertree.Node) {
		count++
		tr := newTrial(t)
		tr.signer = nil
		message := acder.Bag(members[0])
		message.At(1, 0, acder.BagCertificates).Children = order
		tr.evidence = evidenceOf(acDocument(message.Bytes()))
		result, err := tr.verify()
		wantEnd(t, reasons.Verified, result, err)
	})
	if count != 120 { // leaf, two intermediates, root and attribute certificate
		t.Errorf("%d orders", count)
	}
}

// acBagMembers are the members of a message's set of certificates.
func acBagMembers(der []byte) []*dertree.Node {
	return dertree.MustParse(der).At(1, 0, acder.BagCertificates).Children
}

// acPermute calls visit with every order of a list.
func acPermute[T any](list []T, visit func([]T)) {
	var place func(done, left []T)
	place = func(done, left []T) {
		if len(left) == 0 {
			visit(done)
		}
		for i := range left {
			place(append(slices.Clone(done), left[i]), slices.Delete(slices.Clone(left), i, i+1))
		}
	}
	place(nil, list)
}

// acBases are messages that together have everything a statement can have.
func acBases(t testing.TB) map[string]*trial {
	bases := map[string]*trial{}
	plain := newTrial(t)
	bases["P-256"] = plain

	full := newTrial(t)
	full.signer = full.issue("RSA-2048", acNamed)
	full.statement.Targets = []Target{
		{Endpoint: Endpoint{host, 5269}, SPKI: []Pin{{1}, {2}}},
		{Endpoint: Endpoint{"second.hosting.example", 443}, Priority: 300, Weight: 40000},
	}
	bases["RSA-2048 with a subject and pins"] = full

	revocation := newTrial(t)
	revocation.signer = revocation.issue("Ed25519", nil)
	revocation.statement.Targets = nil
	bases["Ed25519, a revocation"] = revocation
	return bases
}

// An acMutation spoils one element wherever it occurs.
type acMutation struct {
	name  string
	fits  func(n *dertree.Node) bool
	spoil func(n *dertree.Node)
}

var acMutations = []acMutation{
	{"an octet after the last element", (*dertree.Node).Constructed, func(n *dertree.Node) { n.Tail = []byte{0} }},
	{"another element", (*dertree.Node).Constructed, func(n *dertree.Node) { n.Tail = []byte{acder.TagNull, 0} }},
	{"a longer length", func(*dertree.Node) bool { return true }, func(n *dertree.Node) { n.Form = dertree.Padded }},
	{"an indefinite length", (*dertree.Node).Constructed, func(n *dertree.Node) { n.Form = dertree.Indefinite }},
	{"a longer integer", func(n *dertree.Node) bool { return n.Tag == acder.TagInteger }, func(n *dertree.Node) {
		first := byte(0)
		if n.Content[0] >= 0x80 {
			first = 0xff
		}
		n.Content = append([]byte{first}, n.Content...)
	}},
	{"an octet after an extension", isExtension, func(n *dertree.Node) {
		value := n.Children[len(n.Children)-1]
		value.Content = append(value.Content, 0)
	}},
	{"an octet after a signature", func(n *dertree.Node) bool { return n.Tag == acder.TagBits }, func(n *dertree.Node) {
		n.Content = append(n.Content, 0)
	}},
}

func isExtension(n *dertree.Node) bool {
	return n.Tag == acder.TagSequence && len(n.Children) > 1 && n.Children[0].Tag == acder.TagOID && n.Children[len(n.Children)-1].Tag == acder.TagOctets
}

// TestACMutants spoils every element of a message in turn, with all lengths
// around it right. Inside acinfo the message is signed again. Nothing may be
// accepted. Only the content of extensions that the profile ignores is free
// (see TestAC, "an unknown extension"), and the bases have none.
func TestACMutants(t *testing.T) {
	total := 0
	for base, tr := range acBases(t) {
		good := tr.ac(acEdits{})
		var paths [][]int
		dertree.MustParse(good).Walk(func(path []int, _ *dertree.Node) { paths = append(paths, path) })
		for _, mutation := range acMutations {
			t.Run(base+"/"+mutation.name, func(t *testing.T) {
				count := 0
				for _, path := range paths {
					message := dertree.MustParse(good)
					n := message.At(path...)
					if !mutation.fits(n) {
						continue
					}
					count++
					mutation.spoil(n)
					ac := message.At(1, 0, acder.BagCertificates).Children[slices.IndexFunc(acBagMembers(good), func(m *dertree.Node) bool { return m.Tag == acder.Context(2) })]
					inside := len(path) > 4 && message.At(path[:4]...) == ac && path[4] == 0
					if inside {
						signature := acder.Sign(nil, tr.signer.Key(), acder.Hash(tr.signer.Leaf().PublicKey), ac.At(0).Bytes())
						ac.At(2).Content = append([]byte{0}, signature...)
					}
					trial := newTrial(t)
					trial.evidence = evidenceOf(acDocument(message.Bytes()))
					result, err := trial.verify()
					if err == nil || result != nil {
						t.Fatalf("%s at %v is accepted", mutation.name, path)
					}
					reason := err.(*Error).Reason
					if !reason.Known() || reason.Outcome() != reasons.OutcomeRefused || reason == reasons.Revoked || inside && reason == reasons.BadSignature {
						t.Errorf("%s at %v ends with %v", mutation.name, path, err)
					}
				}
				if count < 3 {
					t.Errorf("%d mutants", count)
				}
				total += count
			})
		}
	}
	if total < 800 {
		t.Errorf("%d mutants, want at least 800", total)
	}
}

// TestACOneBit flips bits all over a message. It is refused, or the message
// says what it said before. The latter is possible only for the order of its
// members.
func TestACOneBit(t *testing.T) {
	tr := newTrial(t)
	good := tr.ac(acEdits{})
	draw := rand.New(rand.NewPCG(1, 2))
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1 << draw.IntN(8)
		trial := newTrial(t)
		trial.evidence = evidenceOf(acDocument(bad))
		if _, err := trial.verify(); err == nil {
			t.Errorf("octet %d as %02x for %02x is accepted", i, bad[i], good[i])
		}
	}
}

// TestACEnds: the end of an attribute certificate is inclusive, that of a
// statement is not.
func TestACEnds(t *testing.T) {
	for _, c := range []struct {
		name string
		at   time.Duration // after exp
		want reasons.Reason
	}{
		{"a second before", -time.Second, reasons.Verified},
		{"at the end", 0, reasons.Expired},
		{"a second after", time.Second, reasons.Expired},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTrial(t)
			der := tr.ac(acEdits{})
			if got := acParse(t, der).NotAfter; !got.Equal(tr.statement.Expires.Add(-time.Second)) {
				t.Errorf("notAfterTime %v", got)
			}
			tr.policy.Time = tr.statement.Expires.Add(c.at)
			tr.evidence = evidenceOf(acDocument(der))
			result, err := tr.verify()
			wantEnd(t, c.want, result, err)
			if err == nil && !result.ValidUntil().Equal(tr.statement.Expires) {
				t.Errorf("valid until %v", result.ValidUntil())
			}
		})
	}
}

// TestACAndJWS: the two encodings of one statement are one statement.
func TestACAndJWS(t *testing.T) {
	tr := newTrial(t)
	tr.evidence = evidenceOf(txtAnswer(JWS.TXTRecord(tr.sign()), AC.TXTRecord(tr.ac(acEdits{}))))
	result, err := tr.verify()
	wantEnd(t, reasons.Verified, result, err)
	if got := result.Proven().Encoding; got != JWS {
		t.Errorf("the first of two equal ones is %s", got)
	}
	tr = newTrial(t)
	jws := JWS.TXTRecord(tr.sign())
	tr.statement.Targets[0].Port++
	tr.evidence = evidenceOf(txtAnswer(jws, AC.TXTRecord(tr.ac(acEdits{}))))
	result, err = tr.verify()
	wantEnd(t, reasons.Conflict, result, err)
}

// TestACSize: the largest statement that can be signed is one that is accepted.
func TestACSize(t *testing.T) {
	tr := newTrial(t)
	tr.signer = tr.issue("RSA-4096", acNamed)
	tr.statement.Targets = nil
	for i := range limits.MaxTargets {
		tr.statement.Targets = append(tr.statement.Targets, Target{
			Endpoint: Endpoint{fmt.Sprintf("%02d.%s", i, longName(240)), uint16(65535 - i)},
			Priority: 65535, Weight: 65535, SPKI: []Pin{{1}, {2}, {3}, {4}},
		})
	}
	raw, err := Sign(tr.statement, AC, tr.signer)
	if err != nil {
		t.Fatal(err)
	}
	tr.evidence = evidenceOf(txtAnswer(AC.TXTRecord(raw)))
	result, err := tr.verify()
	wantEnd(t, reasons.Verified, result, err)
	if n := len(result.Targets()); n != limits.MaxTargets {
		t.Errorf("%d targets", n)
	}
}
