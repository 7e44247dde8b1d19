package delegation

import (
	"bytes"
	"crypto/ed25519"
	"crypto/x509"
	"encoding/base64"
	"strings"
	"testing"

	"golang.org/x/net/dns/dnsmessage"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/keys"
)

// FuzzNames: what a person's name is read as is a legal name, and read as
// itself. A legal name is its own Unicode form's and its own upper-case form's
// reading, and fits into a DNS message.
func FuzzNames(f *testing.F) {
	seeds := 0
	for _, c := range nameCases {
		f.Add(c.text)
		seeds++
	}
	for _, text := range []string{"B.Example.", "bücher.example", "xn--bcher-kva.example", "faß.example", "b。example", "_xmpp-server._tcp", "*.example", "192.0.2.1"} {
		f.Add(text)
		seeds++
	}
	if seeds < 50 {
		f.Fatalf("only %d seeds", seeds)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if CheckService(text) == nil && (len(text) > 21 || strings.ToLower(text) != text || CheckName(text) == nil) {
			t.Fatalf("service %q", text)
		}
		service, err := ParseService(text)
		if again, err2 := ParseService(service); err == nil && (CheckService(service) != nil || err2 != nil || again != service) {
			t.Fatalf("the service %q is read as %q, and that as %q, %v", text, service, again, err2)
		}
		if CheckService(text) == nil && service != text {
			t.Fatalf("the service %q is legal and read as %q, %v", text, service, err)
		}
		name, err := ParseName(text)
		if err == nil && CheckName(name) != nil {
			t.Fatalf("%q is read as %q, which is not legal", text, name)
		}
		if CheckName(text) != nil {
			return
		}
		if err != nil || name != text {
			t.Fatalf("%q is legal and read as %q, %v", text, name, err)
		}
		unicode, err := typed.ToUnicode(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range []string{unicode, strings.ToUpper(text), text + "."} {
			if name, err := ParseName(other); err != nil || name != text {
				t.Fatalf("%q is legal, but %q is read as %q, %v", text, other, name, err)
			}
		}
		if _, err := dnsmessage.NewName(text + "."); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzJWS: what decodes says the same to Inspect, and an error has a reason.
// Nothing is verified but the one statement that was signed, under its own
// signature.
func FuzzJWS(f *testing.F) {
	tr := fixedTrial(f)
	good := tr.sign()
	seeds := [][]byte{good, append(bytes.Clone(good), '\n'), bytes.Replace(good, []byte("."), []byte(".."), 1), good[:len(good)-1], []byte("..")}
	for _, spoil := range []func(*trial){
		func(tr *trial) { tr.statement.Targets = nil },
		func(tr *trial) { tr.statement.Service = "_xmpp-client._tcp" },
		func(tr *trial) { tr.statement.Source = "c.example" },
		func(tr *trial) { tr.header = replace(f, `"dna+jwt"`, `"dna+jwt","crit":[]`) },
		func(tr *trial) { tr.header = replace(f, "EdDSA", "none") },
		func(tr *trial) { tr.payload = replace(f, `"iss":`, `"iss":"x.example","iss":`) },
	} {
		tr := fixedTrial(f)
		spoil(tr)
		seeds = append(seeds, tr.sign())
	}
	for _, seed := range seeds {
		f.Add(seed)
	}
	signedPart := func(token []byte) []byte { return token[:bytes.LastIndexByte(token, '.')] }
	f.Fuzz(func(t *testing.T, token []byte) {
		input := bytes.Clone(token)
		result, err := Verify(tr.query, evidenceOf(document(token)), tr.policy)
		if !bytes.Equal(input, token) {
			t.Fatal("the input was changed")
		}
		if err != nil {
			wantRefusal(t, ReasonOf(err), err)
			if !ReasonOf(err).Known() || result != nil {
				t.Fatalf("%v beside %v", err, result)
			}
			return
		}
		if !bytes.Equal(signedPart(token), signedPart(good)) {
			t.Fatalf("verified: %s", token)
		}
		in, err := Inspect(token)
		if err != nil || in.Statement.Source != source || len(result.Targets()) != 1 || result.Targets()[0].Endpoint != endpoint {
			t.Fatalf("verified targets %v, inspected %+v, %v", result.Targets(), in, err)
		}
	})
}

// FuzzCertificate puts any octets into the place of the signer's certificate,
// under a good signature of the statement. Only certificates that the authority
// signed are accepted. What is taken for a certificate at all is one for
// crypto/x509, and nothing besides.
func FuzzCertificate(f *testing.F) {
	tr := fixedTrial(f)
	leaf := tr.signer.Leaf().Raw
	token := tr.sign()
	header := `{"alg":"EdDSA","typ":"dna+jwt","x5c":["`
	payload := strings.Split(string(token), ".")[1]
	f.Add(leaf)
	f.Add(append(bytes.Clone(leaf), 0))
	f.Add(leaf[:len(leaf)-1])
	for _, c := range newTrial(f).signer.Chain() {
		f.Add(c.Raw)
	}
	for _, kind := range []string{"RSA-2048", "P-384"} {
		f.Add(newLaboratory(f).issue(kind, func(c *x509.Certificate) {
			c.DNSNames, c.Policies = append(c.DNSNames, "*.example"), []x509.OID{attributeOID}
		}).Leaf().Raw)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		part := base64.RawURLEncoding.EncodeToString([]byte(header+base64.StdEncoding.EncodeToString(der)+`"]}`)) + "." + payload
		// Without a certificate nobody looks at the signature, and making one is
		// most of the work.
		signature := make([]byte, ed25519.SignatureSize)
		if c, err := parseCertificate(der); err == nil {
			if !bytes.Equal(c.Raw, der) {
				t.Fatalf("%x is taken for the certificate %x", der, c.Raw)
			}
			keys.Name(c)
			keys.Describe(c.PublicKey)
			if signature, err = keys.EdDSA.Sign(tr.signer.Key(), []byte(part)); err != nil {
				t.Fatal(err)
			}
		}
		signed := []byte(part + "." + base64.RawURLEncoding.EncodeToString(signature))
		_, err := Verify(tr.query, evidenceOf(document(signed)), tr.policy)
		if (err == nil) != bytes.Equal(der, leaf) {
			t.Fatalf("with the certificate %x: %v", der, err)
		}
		if err != nil && !ReasonOf(err).Known() {
			t.Fatalf("no reason: %v", err)
		}
	})
}

// FuzzAttribute: what decodes is written again as the same octets.
func FuzzAttribute(f *testing.F) {
	revoked, pinned, several := goodStatement(), goodStatement(), goodStatement()
	revoked.Targets = nil
	pinned.Targets[0].SPKI = []Pin{{1}, {2}}
	several.Targets = append(several.Targets, Target{Endpoint: Endpoint{"h2.example", 1}, TLS: Direct, SPKI: []Pin{{3}}}, Target{Endpoint: Endpoint{host, 65535}, Priority: 65535, Weight: 65535})
	for _, s := range []Statement{goodStatement(), revoked, pinned, several} {
		value, err := encodeAttribute(s, Digest{1})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(value)
		f.Add(value[:len(value)-1])
	}
	base := goodStatement()
	f.Fuzz(func(t *testing.T, value []byte) {
		d, hash, e := decodeAttribute(value)
		if e != nil {
			if e.Reason != reasons.MalformedAttribute && e.Reason != reasons.AttributeVersion {
				t.Fatal(e)
			}
			return
		}
		d.issued, d.expires, d.id = base.Issued.Unix(), base.Expires.Unix(), base.ID
		s, e := d.statement()
		if e != nil {
			return
		}
		if again, err := encodeAttribute(*s, hash); err != nil || !bytes.Equal(again, value) {
			t.Fatalf("written again as\n%x (%v), was\n%x", again, err, value)
		}
	})
}
