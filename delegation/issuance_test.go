package delegation

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/binary"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/sct"
	"github.com/dnasign/dnasign/internal/text"
	"github.com/dnasign/dnasign/keys"
)

// logged is an edit that embeds SCTs with these timestamps.
func logged(moments ...time.Time) func(*x509.Certificate) { return sct.Embed(moments...) }

// embedded is an edit that embeds SCTs as they are.
func embedded(scts ...[]byte) func(*x509.Certificate) {
	return embeddedValue(sct.Value(sct.List(scts...)))
}

// embeddedValue is an edit that gives the extension for SCTs any value.
func embeddedValue(value []byte) func(*x509.Certificate) {
	return func(c *x509.Certificate) {
		c.ExtraExtensions = append(c.ExtraExtensions, pkix.Extension{Id: sct.OID, Value: value})
	}
}

func milli(t time.Time) uint64 { return uint64(t.UnixMilli()) }

// An issuanceCase is a certificate and when it was issued.
type issuanceCase struct {
	name string
	edit func(c *x509.Certificate)
	want time.Time // zero: Issuance refuses it with the reason
	// What Verify says, and what Sign says.
	reason, sign reasons.Reason
}

func issuanceCases() []issuanceCase {
	var (
		start   = now.Add(-10 * day) // notBefore
		early   = start.Add(-time.Hour)
		later   = start.Add(5*time.Hour + 866*time.Millisecond)
		latest  = start.Add(5*time.Hour + 867*time.Millisecond)
		issued  = goodStatement().Issued
		one     = sct.V1(milli(later))
		two     = sct.V1(milli(latest))
		list    = sct.List(one, two)
		unknown = slices.Concat([]byte{1}, one[1:])
		never   time.Time
	)
	// resized changes the two octets that say how long something is.
	resized := func(b []byte, at, by int) []byte {
		b = bytes.Clone(b)
		binary.BigEndian.PutUint16(b[at:], uint16(int(binary.BigEndian.Uint16(b[at:]))+by))
		return b
	}
	withExtensions := slices.Concat(resized(one[:43], 41, 3), []byte("abc"), one[43:])
	signature := len(one) - 71
	withoutSignature := resized(one[:signature], signature-2, -71)
	good := func(name string, want time.Time, edit func(c *x509.Certificate)) issuanceCase {
		return issuanceCase{name, edit, want, reasons.Verified, reasons.Verified}
	}
	malformed := func(name string, value []byte) issuanceCase {
		return issuanceCase{name, embeddedValue(value), never, reasons.MalformedCertificate, reasons.MalformedCertificate}
	}
	tooLate := func(name string, scts ...[]byte) issuanceCase {
		return issuanceCase{name, embedded(scts...), never, reasons.SignerNotYetValid, reasons.SignerNotYetValid}
	}
	return []issuanceCase{
		good("no SCTs", start, nil),
		good("one SCT", later, logged(later)),
		good("the latest last", latest, embedded(one, two)),
		good("the latest first", latest, embedded(two, one)),
		good("the latest between", latest, embedded(one, two, one)),
		good("twice the same", later, embedded(one, one)),
		good("before notBefore", early, logged(early)),
		good("in 1970", time.UnixMilli(0), embedded(sct.V1(0))),
		good("an unknown version that says later", later, embedded(one, slices.Concat([]byte{1}, two[1:]))),
		good("unknown versions in another form", later, embedded([]byte{1}, one, []byte{255, 0})),
		good("unknown versions only", start, embedded(unknown, []byte{2})),
		good("with extensions of the SCT", later, embedded(withExtensions)),
		good("with an empty signature", later, embedded(withoutSignature)),
		good("transparency of RFC 9162", start, func(c *x509.Certificate) {
			c.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{1, 3, 101, 75}, Value: []byte{4, 0}}}
		}),
		{"in a critical extension", func(c *x509.Certificate) {
			logged(later)(c)
			c.ExtraExtensions[0].Critical = true
		}, later, reasons.UntrustedSigner, reasons.UntrustedSigner},

		malformed("nothing", nil),
		malformed("an empty OCTET STRING", sct.Value(nil)),
		malformed("one octet in it", sct.Value([]byte{0})),
		malformed("an empty list", sct.Value(sct.List())),
		malformed("an empty SCT", sct.Value(sct.List(nil))),
		malformed("an empty SCT beside a good one", sct.Value(sct.List(one, nil))),
		malformed("no OCTET STRING", list),
		malformed("a SEQUENCE", slices.Concat([]byte{0x30}, sct.Value(list)[1:])),
		malformed("a BIT STRING", slices.Concat([]byte{0x03}, sct.Value(list)[1:])),
		malformed("a constructed OCTET STRING", slices.Concat([]byte{0x24}, sct.Value(list)[1:])),
		malformed("a longer length than needed", slices.Concat([]byte{4, 0x82, 0}, sct.Value(list)[2:])),
		malformed("an indefinite length", slices.Concat([]byte{4, 0x80}, list, []byte{0, 0})),
		malformed("the last octet is missing", sct.Value(list)[:len(sct.Value(list))-1]),
		malformed("the last octet of the list is missing", sct.Value(list[:len(list)-1])),
		malformed("the list is longer than it says", sct.Value(resized(list, 0, -1))),
		malformed("the list is shorter than it says", sct.Value(resized(list, 0, 1))),
		malformed("an SCT is longer than it says", sct.Value(resized(list, 2, -1))),
		malformed("an SCT is shorter than it says", sct.Value(resized(sct.List(one), 2, 1))),
		malformed("octets after the OCTET STRING", slices.Concat(sct.Value(list), []byte{0})),
		malformed("octets after the list", sct.Value(slices.Concat(list, []byte{0}))),
		malformed("octets after the signature", sct.Value(sct.List(one, slices.Concat(two, []byte{0})))),
		malformed("a version and nothing else", sct.Value(sct.List([]byte{0}))),
		malformed("half a timestamp", sct.Value(sct.List(one[:37]))),
		malformed("half a length of extensions", sct.Value(sct.List(one[:42]))),
		malformed("no algorithm", sct.Value(sct.List(one[:43]))),
		malformed("no signature", sct.Value(sct.List(one[:45]))),
		malformed("half a signature", sct.Value(sct.List(one[:100]))),

		tooLate("in the year 10000", sct.V1(253402300800000)),
		tooLate("2^63 - 1 ms", sct.V1(1<<63-1)),
		tooLate("2^63 ms", sct.V1(1<<63)),
		tooLate("2^63 ms beside a good one", sct.V1(1<<63), one),
		tooLate("2^64 - 1 ms", one, sct.V1(1<<64-1)),
		{"the last moment of the year 9999", embedded(sct.V1(253402300799999)), time.UnixMilli(253402300799999), reasons.SignerNotYetValid, reasons.IssuedBeforeSigner},
		{"2^63 ms in an unknown version", embedded(slices.Concat([]byte{1}, sct.V1(1 << 63)[1:]), one), later, reasons.Verified, reasons.Verified},

		good("5 minutes after the statement", issued.Add(limits.ClockSkew), logged(issued.Add(limits.ClockSkew))),
		{"5 minutes and a millisecond after the statement", logged(issued.Add(limits.ClockSkew + time.Millisecond)), issued.Add(limits.ClockSkew + time.Millisecond), reasons.IssuedBeforeSigner, reasons.IssuedBeforeSigner},
		{"one of two after the statement", logged(early, now), now, reasons.IssuedBeforeSigner, reasons.IssuedBeforeSigner},
		{"5 minutes in the future", logged(now.Add(limits.ClockSkew)), now.Add(limits.ClockSkew), reasons.IssuedBeforeSigner, reasons.IssuedBeforeSigner},
		{"5 minutes and a millisecond in the future", logged(now.Add(limits.ClockSkew + time.Millisecond)), now.Add(limits.ClockSkew + time.Millisecond), reasons.SignerNotYetValid, reasons.IssuedBeforeSigner},
		{"one of two in the future", logged(now.Add(day), early), now.Add(day), reasons.SignerNotYetValid, reasons.IssuedBeforeSigner},
	}
}

// signerIssuanceCases are those for Verify.
func signerIssuanceCases() []verifyCase {
	var cases []verifyCase
	for _, c := range issuanceCases() {
		cases = append(cases, verifyCase{c.name, leaf(c.edit), c.reason})
	}
	return cases
}

// TestIssuance: Issuance, Verify and Sign read the same in a certificate.
func TestIssuance(t *testing.T) {
	t.Run("verify", func(t *testing.T) { runCases(t, 54, signerIssuanceCases()) })
	for _, c := range issuanceCases() {
		t.Run("read/"+c.name, func(t *testing.T) {
			lab := newLaboratory(t)
			signer := lab.issue("P-256", c.edit)
			got, err := Issuance(signer.Leaf())
			switch {
			case c.want.IsZero():
				wantRefusal(t, c.reason, err)
				if !got.IsZero() {
					t.Errorf("%s beside the error", got)
				}
			case err != nil || got != c.want.UTC():
				t.Errorf("got %s (%v), want %s", got, err, c.want.UTC())
			}
			raw, err := Sign(goodStatement(), JWS, signer)
			if c.sign != reasons.Verified {
				wantRefusal(t, c.sign, err)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			in, err := Inspect(raw)
			if err != nil {
				t.Fatal(err)
			}
			if want := (Order{c.want.UTC(), goodStatement().Issued}); in.Order() != want {
				t.Errorf("order %v, want %v", in.Order(), want)
			}
		})
	}
}

// TestIssuancePublic reads certificates of public authorities. The timestamps
// are those that "openssl x509 -text" shows.
func TestIssuancePublic(t *testing.T) {
	for _, c := range []struct {
		file              string
		notBefore, issued string
	}{
		{"hour.pem", "2023-01-02T08:19:19Z", "2023-01-02T09:19:20.101Z"},
		{"midnight.pem", "2019-05-17T00:00:00Z", "2019-05-17T06:03:08.866Z"},
	} {
		list, err := keys.LoadCertificates(filepath.Join("testdata", "public", c.file))
		if err != nil {
			t.Fatal(err)
		}
		got, err := Issuance(list[0])
		if err != nil || got.Format(time.RFC3339Nano) != c.issued || text.FineStamp(list[0].NotBefore) != c.notBefore {
			t.Errorf("%s: issued %s (%v), valid from %s", c.file, got, err, list[0].NotBefore)
		}
	}
}

// TestIssuanceOfSignerOnly: nobody looks at the SCTs of an authority.
func TestIssuanceOfSignerOnly(t *testing.T) {
	runCases(t, 2, []verifyCase{
		{"a malformed list in the intermediate", below(embeddedValue(nil)), reasons.Verified},
		{"an SCT of the future in the intermediate", below(logged(now.Add(day))), reasons.Verified},
	})
}

// signedByItself is a signer whose certificate is its own issuer.
func signedByItself(t testing.TB, edit func(*x509.Certificate)) *keys.Signer {
	t.Helper()
	key := keyOf("P-256")
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "Self"}, DNSNames: []string{source}, KeyUsage: x509.KeyUsageDigitalSignature,
		NotBefore: now.Add(-10 * day), NotAfter: now.Add(80 * day),
	}
	if edit != nil {
		edit(template)
	}
	signer, err := keys.NewSigner([]*x509.Certificate{benchCertificate(t, template, nil, key, key)}, key)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

// TestSelfIssued: a signer without an authority is ordered by iat, whatever its
// certificate says, and refused when its chain is judged.
func TestSelfIssued(t *testing.T) {
	self := func(edit func(*x509.Certificate)) func(*trial) {
		return func(tr *trial) { tr.signer = signedByItself(tr.t, edit) }
	}
	// likeIssuer is a leaf with the name of the anchor that issued it. To
	// crypto/x509 it is a good one.
	likeIssuer := func(tr *trial) {
		tr.signer = tr.issueBelow(tr.root, "P-256", func(c *x509.Certificate) { c.Subject = tr.root.Root().Subject })
	}
	runCases(t, 8, []verifyCase{
		{"self-signed", self(nil), reasons.UntrustedSigner},
		{"self-signed with an SCT", self(logged(now.Add(-day))), reasons.UntrustedSigner},
		{"self-signed, and a trust anchor", func(tr *trial) {
			self(nil)(tr)
			tr.policy.Roots.AddCert(tr.signer.Leaf())
		}, reasons.UntrustedSigner},
		{"named like the anchor that issued it", likeIssuer, reasons.UntrustedSigner},
		{"self-signed, with a malformed list", self(embeddedValue(nil)), reasons.MalformedCertificate},
		{"self-signed, with an SCT of the future", self(logged(now.Add(day))), reasons.SignerNotYetValid},
		{"self-signed, begins in 5 minutes", self(func(c *x509.Certificate) { c.NotBefore = now.Add(limits.ClockSkew) }), reasons.UntrustedSigner},
		{"self-signed, begins in 5 minutes and a second", self(func(c *x509.Certificate) { c.NotBefore = now.Add(limits.ClockSkew + time.Second) }), reasons.SignerNotYetValid},
	})

	for name, edit := range map[string]func(*x509.Certificate){"no SCT": nil, "an SCT": logged(now.Add(-day))} {
		signer := signedByItself(t, edit)
		if got, err := Issuance(signer.Leaf()); err != nil || !got.IsZero() {
			t.Errorf("%s: issued %s, %v", name, got, err)
		}
		raw, err := Sign(goodStatement(), JWS, signer) // DNSSEC may name the key
		if err != nil {
			t.Fatal(err)
		}
		in, err := Inspect(raw)
		if err != nil {
			t.Fatal(err)
		}
		if issued := goodStatement().Issued; in.Order() != (Order{issued, issued}) {
			t.Errorf("%s: order %v", name, in.Order())
		}
	}
}

// TestFreshCertificate: a certificate of this minute works at once, also for a
// verifier whose clock is up to 5 minutes slow. Each path is judged for the
// start of the signer's certificate then.
func TestFreshCertificate(t *testing.T) {
	fresh := func(notBefore time.Time, more ...func(*x509.Certificate)) func(*trial) {
		return func(tr *trial) {
			tr.statement.Issued = now
			leaf(func(c *x509.Certificate) {
				c.NotBefore = notBefore
				for _, edit := range more {
					edit(c)
				}
			})(tr)
		}
	}
	under := func(authority func(*x509.Certificate), notBefore time.Time) func(*trial) {
		return func(tr *trial) {
			tr.statement.Issued = now
			tr.signer = tr.issueBelow(tr.authority(tr.root, "Another Intermediate", authority), "P-256", func(c *x509.Certificate) { c.NotBefore = notBefore })
		}
	}
	minute := func(n time.Duration) time.Time { return now.Add(n * time.Minute) }
	runCases(t, 10, []verifyCase{
		{"begins now", fresh(now), reasons.Verified},
		{"begins in 5 minutes", fresh(minute(5)), reasons.Verified},
		{"begins in 5 minutes and a second", fresh(minute(5).Add(time.Second)), reasons.SignerNotYetValid},
		{"logged in 5 minutes, begins an hour ago", fresh(minute(-60), logged(minute(5))), reasons.Verified},
		{"logged an hour ago, begins in 5 minutes", fresh(minute(5), logged(minute(-60))), reasons.Verified},
		{"logged an hour ago, begins in 6 minutes", fresh(minute(6), logged(minute(-60))), reasons.SignerNotYetValid},
		{"the authority begins with it", under(func(c *x509.Certificate) { c.NotBefore = minute(2) }, minute(2)), reasons.Verified},
		{"the authority begins later", under(func(c *x509.Certificate) { c.NotBefore = minute(3) }, minute(2)), reasons.UntrustedSigner},
		{"the authority ends when it begins", under(func(c *x509.Certificate) { c.NotAfter = minute(2) }, minute(2)), reasons.Verified},
		{"the authority ends before it begins", under(func(c *x509.Certificate) { c.NotAfter = minute(1) }, minute(2)), reasons.UntrustedSigner},
	})

	t.Run("sign", func(t *testing.T) {
		lab := newLaboratory(t)
		s := goodStatement()
		s.Issued = now
		for _, c := range []struct {
			name string
			edit func(c *x509.Certificate)
			want reasons.Reason
		}{
			{"begins now", func(c *x509.Certificate) { c.NotBefore = now }, reasons.Verified},
			{"logged in 5 minutes", logged(minute(5)), reasons.Verified},
			{"logged in 5 minutes and a millisecond", logged(minute(5).Add(time.Millisecond)), reasons.IssuedBeforeSigner},
			{"begins in 6 minutes", func(c *x509.Certificate) { c.NotBefore = minute(6) }, reasons.IssuedBeforeSigner},
			{"logged now, begins in 6 minutes", func(c *x509.Certificate) { logged(now)(c); c.NotBefore = minute(6) }, reasons.SignerNotYetValid},
		} {
			_, err := Sign(s, JWS, lab.issue("P-256", c.edit))
			if c.want != reasons.Verified {
				wantRefusal(t, c.want, err)
			} else if err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
		}
	})
}

// FuzzSCTList: a second reader accepts the same lists and finds the same latest
// timestamp in them. What is accepted is written again as the same octets.
func FuzzSCTList(f *testing.F) {
	seeds := 0
	lab := newLaboratory(f)
	for _, c := range issuanceCases() {
		for _, e := range lab.issue("P-256", c.edit).Leaf().Extensions {
			if e.Id.Equal(sct.OID) {
				f.Add(e.Value)
				seeds++
			}
		}
	}
	for _, file := range []string{"hour.pem", "midnight.pem"} {
		list, err := keys.LoadCertificates(filepath.Join("testdata", "public", file))
		if err != nil {
			f.Fatal(err)
		}
		at := slices.IndexFunc(list[0].Extensions, func(e pkix.Extension) bool { return e.Id.Equal(sct.OID) })
		f.Add(list[0].Extensions[at].Value)
	}
	if seeds < 50 {
		f.Fatalf("only %d seeds", seeds)
	}
	f.Fuzz(func(t *testing.T, value []byte) {
		latest, ok, err := parseSCTList(value)
		scts, good := readSCTs(value)
		if (err == nil) != good {
			t.Fatalf("%v, and for the second reader %t", err, good)
		}
		if err != nil {
			if latest != 0 || ok {
				t.Fatalf("%d, %t beside the error", latest, ok)
			}
			return
		}
		var second []uint64
		for _, s := range scts {
			if s[0] == 0 {
				second = append(second, binary.BigEndian.Uint64(s[33:]))
			}
		}
		if ok != (len(second) > 0) || ok && latest != slices.Max(second) {
			t.Fatalf("latest %d, %t of %d", latest, ok, second)
		}
		if again := sct.Value(sct.List(scts...)); !bytes.Equal(again, value) {
			t.Fatalf("written again as\n%x, was\n%x", again, value)
		}
	})
}

// readSCTs is a second reader: the SCTs of an extension's value.
func readSCTs(value []byte) (scts [][]byte, ok bool) {
	var list []byte
	rest, err := asn1.Unmarshal(value, &list)
	if err != nil || len(rest) > 0 || len(list) < 3 || int(binary.BigEndian.Uint16(list)) != len(list)-2 {
		return nil, false
	}
	for list = list[2:]; len(list) > 0; {
		if len(list) < 3 {
			return nil, false
		}
		size := int(binary.BigEndian.Uint16(list))
		if size == 0 || size > len(list)-2 {
			return nil, false
		}
		one := list[2 : 2+size]
		list = list[2+size:]
		if one[0] == 0 && !inForm(one) {
			return nil, false
		}
		scts = append(scts, one)
	}
	return scts, true
}

// inForm: version, log and timestamp are 41 octets. Then come two octets of
// length with the extensions, two of an algorithm, and two of length with the
// signature.
func inForm(v1 []byte) bool {
	at := 41
	if len(v1) < at+2 {
		return false
	}
	at += 2 + int(binary.BigEndian.Uint16(v1[at:])) + 2
	if len(v1) < at+2 {
		return false
	}
	return len(v1) == at+2+int(binary.BigEndian.Uint16(v1[at:]))
}
