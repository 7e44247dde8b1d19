package delegation

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/acder"
	"github.com/dnasign/dnasign/internal/testkit/dertree"
)

// acRecord is a spoiler that has the message in a TXT record, its base64
// changed. An extension fills it so that the base64 ends in one "=".
func acRecord(change func(value string) string) func(*trial) {
	return func(tr *trial) {
		var der []byte
		for n := 0; len(der)%3 != 2; n++ {
			der = tr.ac(acEdits{info: func(info *dertree.Node) {
				info.At(acder.PartExtensions).Add(acder.Extension("2.25.1", false, make([]byte, n)))
			}})
		}
		tr.evidence = evidenceOf(txtAnswer("v=DNA1; e=ac; s=" + change(base64.StdEncoding.EncodeToString(der))))
	}
}

func acFile(change func(der []byte) []byte) func(*trial) {
	return func(tr *trial) {
		tr.evidence = evidenceOf(Document{File: "statement", Body: change(tr.ac(acEdits{}))})
	}
}

func acServed(change func(d *Document)) func(*trial) {
	return func(tr *trial) {
		d := acDocument(tr.ac(acEdits{}))
		change(&d)
		tr.evidence = evidenceOf(d)
	}
}

func asIs(der []byte) []byte { return der }

// endsInLF is a message with a signer info, of which the last octet is 0x0A.
func endsInLF(der []byte) []byte {
	message := dertree.MustParse(der)
	message.At(1, 0, acder.BagSigners).Add(acder.Integer('\n'))
	return message.Bytes()
}

func acPlaceCases() []verifyCase {
	return []verifyCase{
		{"record", func(tr *trial) {
			tr.evidence = evidenceOf(txtAnswer(AC.TXTRecord(tr.ac(acEdits{}))))
		}, reasons.Verified},
		{"record that ends in padding", acRecord(func(v string) string { return v }), reasons.Verified},
		{"record without padding", acRecord(func(v string) string { return strings.TrimRight(v, "=") }), reasons.MalformedRecord},
		{"record with more padding", acRecord(func(v string) string { return v + "=" }), reasons.MalformedRecord},
		{"record with padding inside", acRecord(func(v string) string { return v[:4] + "=" + v[5:] }), reasons.MalformedRecord},
		{"record with trailing bits", acRecord(func(v string) string { return v[:len(v)-2] + "B=" }), reasons.MalformedRecord},
		{"record in base64url", acRecord(func(v string) string { return "-_" + v[2:] }), reasons.MalformedRecord},
		{"record with a dot", acRecord(func(v string) string { return v[:4] + "." + v[5:] }), reasons.MalformedRecord},
		{"record with a space", acRecord(func(v string) string { return v[:4] + " " + v[4:] }), reasons.MalformedRecord},
		{"record with a line end", acRecord(func(v string) string { return v + "\n" }), reasons.MalformedRecord},
		{"record with a line end inside", acRecord(func(v string) string { return v[:4] + "\r\n" + v[4:] }), reasons.MalformedRecord},
		{"record of one character", acRecord(func(string) string { return "A" }), reasons.MalformedRecord},
		{"record of padding", acRecord(func(string) string { return "====" }), reasons.MalformedRecord},
		{"record with LF in the DER", acRecord(func(v string) string {
			der, _ := base64.StdEncoding.DecodeString(v)
			return base64.StdEncoding.EncodeToString(append(der, '\n'))
		}), reasons.MalformedBag},
		{"record in base64 twice", acRecord(func(v string) string { return base64.StdEncoding.EncodeToString([]byte(v)) }), reasons.MalformedBag},
		{"record that says jws", func(tr *trial) {
			tr.evidence = evidenceOf(txtAnswer(JWS.TXTRecord([]byte(base64.StdEncoding.EncodeToString(tr.ac(acEdits{}))))))
		}, reasons.MalformedToken},
		{"record of a JWS that says ac", func(tr *trial) {
			tr.evidence = evidenceOf(txtAnswer("v=DNA1; e=ac; s=" + string(tr.sign())))
		}, reasons.MalformedRecord},
		{"record of a JWS in base64 that says ac", func(tr *trial) {
			tr.evidence = evidenceOf(txtAnswer(AC.TXTRecord(tr.sign())))
		}, reasons.MalformedBag},
		{"record too large", func(tr *trial) {
			tr.evidence = evidenceOf(txtAnswer(AC.TXTRecord(make([]byte, limits.MaxStatementSize+1))))
		}, reasons.StatementTooLarge},

		{"document", acServed(func(*Document) {}), reasons.Verified},
		// Evidence has media types without parameters: who fetches drops them.
		{"media type with a parameter left", acServed(func(d *Document) { d.MediaType += "; smime-type=certs-only" }), reasons.NoStatement},
		{"media type in upper case", acServed(func(d *Document) { d.MediaType = "Application/PKCS7-MIME" }), reasons.NoStatement},
		{"media type of signatures", acServed(func(d *Document) { d.MediaType = "application/pkcs7-signature" }), reasons.NoStatement},
		{"old media type", acServed(func(d *Document) { d.MediaType = "application/x-pkcs7-mime" }), reasons.NoStatement},
		{"media type of the other encoding", acServed(func(d *Document) { d.MediaType = JWS.MediaType() }), reasons.NoStatement},
		{"media type of pages", acServed(func(d *Document) { d.MediaType = "text/html" }), reasons.NoStatement},
		{"at the address of the other encoding", acServed(func(d *Document) { d.URL, d.MediaType = documentPlace, JWS.MediaType() }), reasons.MalformedToken},
		{"a JWS at this address", acServed(func(d *Document) { d.Body = []byte("e30.e30.AA") }), reasons.MalformedBag},
		{"status 404", acServed(func(d *Document) { d.Status = 404 }), reasons.NoStatement},
		{"LF at the end", acServed(func(d *Document) { d.Body = append(d.Body, '\n') }), reasons.MalformedBag},
		{"CR LF at the end", acServed(func(d *Document) { d.Body = append(d.Body, '\r', '\n') }), reasons.MalformedBag},
		{"LF at the beginning", acServed(func(d *Document) { d.Body = append([]byte{'\n'}, d.Body...) }), reasons.MalformedBag},
		{"PEM", acServed(func(d *Document) {
			d.Body = []byte("-----BEGIN CMS-----\n" + base64.StdEncoding.EncodeToString(d.Body) + "\n-----END CMS-----\n")
		}), reasons.MalformedBag},
		{"base64", acServed(func(d *Document) { d.Body = []byte(base64.StdEncoding.EncodeToString(d.Body)) }), reasons.MalformedBag},
		{"last octet 0x0A", acServed(func(d *Document) { d.Body = endsInLF(d.Body) }), reasons.BagContents},
		{"32,769 octets", acServed(func(d *Document) { d.Body = append(d.Body, make([]byte, limits.MaxStatementSize+1-len(d.Body))...) }), reasons.StatementTooLarge},

		{"file", acFile(asIs), reasons.Verified},
		{"file with LF at the end", acFile(func(der []byte) []byte { return append(der, '\n') }), reasons.MalformedBag},
		{"file with last octet 0x0A", acFile(endsInLF), reasons.BagContents},
		{"file with LF at the beginning", acFile(func(der []byte) []byte { return append([]byte{'\n'}, der...) }), reasons.MalformedToken},
		{"file in base64", acFile(func(der []byte) []byte { return []byte(base64.StdEncoding.EncodeToString(der)) }), reasons.MalformedToken},
		{"file in base64url that begins like DER", acFile(func([]byte) []byte { return []byte("0.0.0") }), reasons.MalformedBag},
	}
}

func TestACPlaces(t *testing.T) { runCases(t, 42, acPlaceCases()) }

// TestACSniff: the first octet tells the encoding of a file.
func TestACSniff(t *testing.T) {
	tr := newTrial(t)
	for text, want := range map[string]Encoding{
		"": JWS, "e": JWS, "0": AC, "\x30\x82": AC, "\x31": JWS, "\n\x30": JWS, "\xa0": JWS,
		string(tr.ac(acEdits{})): AC, string(tr.sign()): JWS,
	} {
		if got := sniff([]byte(text)); got != want {
			t.Errorf("%.20q: %s, want %s", text, got, want)
		}
	}
}

// TestACInspect: Inspect shows the same statement from both encodings, and
// of this one the attribute certificate.
func TestACInspect(t *testing.T) {
	tr := newTrial(t)
	der, token := tr.ac(acEdits{}), tr.sign()
	ac, err := Inspect(der)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := Inspect(append(token, '\n'))
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []*Inspection{ac, jws} {
		if diff := cmp.Diff(tr.statement, in.Statement); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", in.Encoding, diff)
		}
		if len(in.Certificates) != 2 || !in.Certificates[0].Equal(tr.signer.Leaf()) || !in.Certificates[1].Equal(tr.signer.Chain()[1]) {
			t.Errorf("%s: %d certificates", in.Encoding, len(in.Certificates))
		}
	}
	if ac.Encoding != AC || jws.Encoding != JWS || ac.Algorithm != "ECDSA-SHA256" || jws.Algorithm != "ES256" {
		t.Errorf("%s by %s, %s by %s", ac.Encoding, ac.Algorithm, jws.Encoding, jws.Algorithm)
	}
	if !bytes.Equal(ac.Raw, der) || !bytes.Equal(jws.Raw, token) {
		t.Error("other octets")
	}
	if !bytes.Equal(ac.AttributeCertificate, acParse(t, der).Raw) || jws.AttributeCertificate != nil {
		t.Error("another attribute certificate")
	}
	for name, c := range map[string]struct {
		raw  []byte
		want reasons.Reason
	}{
		"LF after DER":      {append(bytes.Clone(der), '\n'), reasons.MalformedBag},
		"last octet 0x0A":   {endsInLF(der), reasons.BagContents},
		"two LF":            {append(token, '\n', '\n'), reasons.MalformedToken},
		"cut":               {der[:len(der)-1], reasons.MalformedBag},
		"a bad certificate": {tr.ac(acEdits{bag: func(signed *dertree.Node) { signed.At(acder.BagCertificates).Children[0].Tail = []byte{0} }}), reasons.SignerHashMismatch},
	} {
		in, err := Inspect(c.raw)
		if ReasonOf(err) != c.want || in != nil {
			t.Errorf("%s: %v, want %s", name, err, c.want)
		}
	}
}
