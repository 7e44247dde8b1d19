package main

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/keys"
)

// selfSigned makes a certificate that no authority signed, as a provider with DANE
// has it, and returns its files.
func (h *hosting) selfSigned(host string) (cert, key string) {
	h.t.Helper()
	cert, key = filepath.Join(h.dir, host+".pem"), filepath.Join(h.dir, host+".key")
	realtest.Output(h.t, h.dir, "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "1",
		"-subj", "/CN="+host, "-addext", "subjectAltName=DNS:"+host, "-keyout", key, "-out", cert)
	return cert, key
}

// tlsa are the data of a TLSA record 3 1 1.
func (h *hosting) tlsa(cert string) string {
	h.t.Helper()
	list, err := keys.LoadCertificates(cert)
	if err != nil {
		h.t.Fatal(err)
	}
	return fmt.Sprintf("%x", sha256.Sum256(list[0].RawSubjectPublicKeyInfo))
}

// TestRealDANE: real prosodys of providers with and without a signed zone, found
// through a real knot and a real unbound.
func TestRealDANE(t *testing.T) {
	realtest.Need(t, "prosody", "knotd", "keymgr", "unbound", "openssl")
	h := newHosting(t)
	cert, key := h.selfSigned(provider)
	domains := []string{"b.example", "secure.example", "wrong.example", "owner.example", "bogus.example", "plain.example", provider}
	self := realtest.Prosody(t, cert, key, nil, append(domains, "swrong.example")...) // nobody trusts it
	public := realtest.Prosody(t, h.cert, h.key, nil, append(domains, "swrong.example")...)
	own, ownKey := h.WriteKeys("owner", h.Of("owner.example"))
	owner := realtest.Prosody(t, own, ownKey, nil, "owner.example", "sowner.example", provider)

	right, wrong := h.tlsa(cert), strings.Repeat("0", 64)
	at := func(port int, data string) string { return fmt.Sprintf("_%d._tcp.xmpp TLSA 3 1 1 %s\n", port, data) }
	const statementFor = "xmpp.hosting.example"
	zones := []realtest.Zone{
		{Name: "hosting.example", Signed: true, Content: "xmpp A 127.0.0.1\n" + at(self.Server, right) + at(public.Server, wrong) + at(owner.Server, wrong) +
			fmt.Sprintf("_%d._tcp.xmpp TLSA 4 1 1 %s\n", public.ServerDirect, wrong)},
		{Name: "brokenhosting.example", Signed: true, Broken: true, Content: "xmpp A 127.0.0.1\n" + at(public.Server, wrong)},
		{Name: "plainhosting.example", Content: "xmpp A 127.0.0.1\n" + at(self.Server, right)},
		{Name: "b.example", Content: h.txt("b.example", s2s, statementFor, time.Hour, self.Server)},
		{Name: "wrong.example", Content: h.txt("wrong.example", s2s, statementFor, time.Hour, public.Server)},
		{Name: "owner.example", Content: h.txt("owner.example", s2s, statementFor, time.Hour, owner.Server)},
		{Name: "unusable.example", Content: h.txt("unusable.example", s2s, statementFor, time.Hour, 0, public.ServerDirect)},
		{Name: "bogus.example", Content: h.txt("bogus.example", s2s, "xmpp.brokenhosting.example", time.Hour, public.Server)},
		{Name: "plain.example", Content: h.txt("plain.example", s2s, "xmpp.plainhosting.example", time.Hour, self.Server)},
		{Name: "secure.example", Signed: true, Content: h.srv(s2s, 0, self.Server)},
		{Name: "swrong.example", Signed: true, Content: h.srv(s2s, 0, public.Server)},
	}
	_, resolver := realtest.KnotAndUnbound(t, zones...)
	named, unnamed := connectBy(resolver)

	for _, c := range []struct {
		name, line, domain string
		code               int
		want               []string
	}{
		{"statement, a self-signed certificate, and its key in TLSA", named, "b.example", 0,
			[]string{`OK    dane +matches TLSA 3 1 1 ` + right[:20], `VERIFIED until .* by delegation, as ` + provider + `, with the key of a TLSA record \(3 1 1\)`}},
		{"the same, by a resolver that is not named as validating", unnamed, "b.example", 1, []string{`FAIL  peer +peer-untrusted`, `REFUSED: peer-untrusted`}},
		{"statement, a good certificate, and another key in TLSA", named, "wrong.example", 1, []string{`FAIL  dane +dane-mismatch`, `REFUSED: dane-mismatch`}},
		{"the same, by a resolver that is not named as validating", unnamed, "wrong.example", 0, []string{`by delegation, as ` + provider + "\n"}},
		{"statement, the source's own certificate, and another key in TLSA", named, "owner.example", 0,
			[]string{`--    dane +.* 1 usable TLSA records, .*; they are not about the name that counts`, `by pkix, as owner.example`}},
		{"statement, and no usable TLSA record", named, "unusable.example", 0, []string{`--    dane +.* has no usable TLSA record \(of 1\)`, `by delegation, as ` + provider + "\n"}},
		{"statement for a host in a bogus zone", named, "bogus.example", 3, []string{`FAIL  dane +dns-bogus`, `UNDETERMINED: dns-bogus`}},
		{"statement for a host in a zone that is not signed", named, "plain.example", 1,
			[]string{`--    dane +not asked for TLSA records: the addresses of xmpp.plainhosting.example are insecure`, `REFUSED: peer-untrusted`}},
		{"secure SRV, a self-signed certificate, and its key in TLSA", named, "secure.example", 0,
			[]string{`asking for ` + provider, `OK    dane +matches TLSA 3 1 1`, `by dnssec, as ` + provider + `, with the key`}},
		{"secure SRV, a good certificate, and another key in TLSA", named, "swrong.example", 1, []string{`FAIL  dane +dane-mismatch`, `REFUSED: dane-mismatch`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &session{t, h.bin, h.dir}
			out, _ := s.run(c.code, fmt.Sprintf(c.line, c.domain))
			want(t, out, c.want...)
		})
	}
}
