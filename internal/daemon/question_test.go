package daemon

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/netip"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/localca"
)

// escaped is PEM as it stands in JSON.
func escaped(s string) string {
	text, err := json.Marshal(s)
	if err != nil {
		panic(err)
	}
	return string(text)
}

func chainMember(text string) string { return `"chain":` + escaped(text) }

// question with these members instead of the good ones of the same name.
func with(members ...string) string {
	all := []string{`"source":"b.example"`, `"service":"_xmpp-server._tcp"`, `"direction":"incoming"`, chainMember(pemOf(of(host).Chain()...))}
	for _, m := range members {
		name, _, _ := strings.Cut(m, ":")
		replaced := false
		for i := range all {
			if strings.HasPrefix(all[i], name+":") {
				all[i], replaced = m, true
			}
		}
		if !replaced {
			all = append(all, m)
		}
	}
	return "{" + strings.Join(all, ",") + "}"
}

func TestDecode(t *testing.T) {
	chain := of(host).Chain()
	small := localca.Must(around.CA.Issue("RSA-2048", []string{host}, chain[0].NotBefore, chain[0].NotAfter, nil))
	key := localca.Must(localca.KeyPEM(of(host).Key()))
	leaf := pemOf(chain[0])
	many := strings.Repeat(leaf, limits.MaxPeerCertificates)
	const (
		ok      = reasons.Reason("")
		bad     = reasons.BadQuery
		missing = reasons.MissingInput
	)
	for _, c := range []struct {
		name, body string
		want       reasons.Reason
		says       string
	}{
		{"good", with(), ok, ""},
		{"short service", with(`"service":"xmpp-server"`), ok, ""},
		{"the second label of the role", with(`"service":"xmpps-server"`), ok, ""},
		{"white space", " \n" + with() + "\t\n", ok, ""},
		{"escapes", with(`"source":"b.ex\u0061mple"`), ok, ""},
		{"outgoing, target", with(`"direction":"outgoing"`, `"target":{"host":"xmpp.hosting.example","port":5269}`), ok, ""},
		{"peer, IPv6", with(`"peer":"2001:db8::1"`), ok, ""},
		{"evidence", with(`"evidence":true`), ok, ""},
		{"a statement", with(`"statement":{"encoding":"jws","text":"x.y.z"}`), ok, ""},
		{"a statement of whatever kind the peer chose", with(`"statement":{"encoding":"","text":"\u0000"}`), ok, ""},
		{"a statement without text", with(`"statement":{"encoding":"jws"}`), missing, `"text" is needed`},
		{"a statement with something else", with(`"statement":{"encoding":"jws","text":"x","body":"y"}`), bad, `no member "body"`},
		{"a statement as a string", with(`"statement":"x.y.z"`), bad, "object"},
		{"one certificate", with(chainMember(leaf)), ok, ""},
		{"ten certificates", with(chainMember(many)), ok, ""},
		{"CR LF in PEM", with(chainMember(strings.ReplaceAll(leaf, "\n", "\r\n"))), ok, ""},
		{"spaces after PEM", with(chainMember(strings.TrimSpace(leaf) + " \t\n" + leaf)), ok, ""},
		{"no line end after PEM", with(chainMember(strings.TrimSpace(leaf))), ok, ""},
		{"an RSA key", with(chainMember(pemOf(small.Leaf()))), ok, ""},

		{"nothing", "", bad, "object"},
		{"null", "null", bad, "object"},
		{"a list", "[]", bad, "object"},
		{"a list of one", "[" + with() + "]", bad, "object"},
		{"half of it", with()[:40], bad, "unexpected end of JSON input"},
		{"an empty object", "{}", missing, `"source" is needed`},
		{"no chain", `{"source":"b.example","service":"xmpp-server","direction":"incoming"}`, missing, `"chain" is needed`},
		{"two questions", with() + with(), bad, "follows"},
		{"something after it", with() + "x", bad, "follows"},
		{"unknown member", with(`"evidence_in":{}`), bad, `no member "evidence_in"`},
		{"evidence from the client", with(`"evidence":{"version":1}`), bad, "true or false"},
		{"name in another case", with(`"Source":"b.example"`), bad, `no member "Source"`},
		{"twice", `{"source":"b.example",` + with()[1:], bad, "twice"},
		{"twice, by an escape", `{"\u0073ource":"b.example",` + with()[1:], bad, "twice"},
		{"twice in the target", with(`"direction":"outgoing"`, `"target":{"host":"x.example","host":"x.example","port":1}`), bad, "twice"},
		{"not UTF-8", with("\"source\":\"b\xff.example\""), bad, "UTF-8"},
		{"half a surrogate", with(`"source":"b\ud800.example"`), bad, "source"},
		{"source is null", with(`"source":null`), bad, "a string is needed"},
		{"source is a number", with(`"source":1`), bad, "a string is needed"},
		{"upper case", with(`"source":"B.example"`), bad, "source"},
		{"trailing dot", with(`"source":"b.example."`), bad, "source"},
		{"U-label", with(`"source":"bücher.example"`), bad, "source"},
		{"an address", with(`"source":"192.0.2.1"`), bad, "source"},
		{"empty source", with(`"source":""`), bad, "source"},
		{"no service", with(`"service":"_xmpp server._tcp"`), bad, ""},
		{"the name is too long", with(`"source":"` + strings.Repeat("a.", 120) + `example"`), bad, "253"},
		{"another direction", with(`"direction":"sideways"`), bad, "sideways"},
		{"incoming, target", with(`"target":{"host":"xmpp.hosting.example","port":5269}`), bad, "dialled"},
		{"target without port", with(`"direction":"outgoing"`, `"target":{"host":"x.example"}`), missing, `"port" is needed`},
		{"target without host", with(`"direction":"outgoing"`, `"target":{"port":1}`), missing, `"host" is needed`},
		{"port 0", with(`"direction":"outgoing"`, `"target":{"host":"x.example","port":0}`), bad, "port"},
		{"port 65536", with(`"direction":"outgoing"`, `"target":{"host":"x.example","port":65536}`), bad, "port"},
		{"port 1.5", with(`"direction":"outgoing"`, `"target":{"host":"x.example","port":1.5}`), bad, "port"},
		{"port as text", with(`"direction":"outgoing"`, `"target":{"host":"x.example","port":"1"}`), bad, "port"},
		{"host is an address", with(`"direction":"outgoing"`, `"target":{"host":"127.0.0.1","port":1}`), bad, "target"},
		{"target is empty", with(`"direction":"outgoing"`, `"target":{}`), missing, "needed"},
		{"peer with a port", with(`"peer":"192.0.2.1:5269"`), bad, "without a port"},
		{"peer is a name", with(`"peer":"localhost"`), bad, "address"},
		{"evidence is text", with(`"evidence":"true"`), bad, "true or false"},
		{"recheck is a number", with(`"recheck":1`), bad, "true or false"},
		{"chain_verified is text", with(`"chain_verified":"true"`), bad, "true or false"},
		{"chain_verified, with the chain", with(`"chain_verified":true`), bad, "leave chain_verified out"},

		{"no PEM", with(`"chain":"x"`), bad, "something else"},
		{"text before", with(chainMember("subject=...\n" + leaf)), bad, "something else"},
		{"text between", with(chainMember(leaf + "subject=...\n" + leaf)), bad, "after 1 certificates"},
		{"text behind", with(chainMember(leaf + "x")), bad, "something else"},
		{"two on a line", with(chainMember(strings.TrimSpace(leaf) + leaf)), bad, "certificate 1 is not in PEM"},
		{"a form feed on the last line", with(chainMember(strings.TrimSpace(leaf) + "\f")), bad, "certificate 1 is not in PEM"},
		{"a form feed on a line", with(chainMember(leaf + "\f\n" + leaf)), ok, ""},
		{"a blank on the first line", with(chainMember(leaf + " " + leaf)), bad, "something else"},
		{"a lone CR before PEM", with(chainMember(leaf + "\r" + leaf)), bad, "something else"},
		{"a key", with(chainMember(leaf + string(key))), bad, "something else"},
		{"a block of another kind", with(chainMember(strings.ReplaceAll(leaf, "CERTIFICATE", "X509 CRL"))), bad, "something else"},
		{"OpenSSL's oldest label", with(chainMember(leaf + strings.ReplaceAll(leaf, "CERTIFICATE", "X509 CERTIFICATE"))), bad, "after 1 certificates"},
		{"OpenSSL's trusted label", with(chainMember(leaf + strings.ReplaceAll(leaf, "CERTIFICATE", "TRUSTED CERTIFICATE"))), bad, "after 1 certificates"},
		{"a byte order mark", with(chainMember("\ufeff" + leaf)), bad, "something else"},
		{"a byte order mark between", with(chainMember(leaf + "\ufeff" + leaf)), bad, "after 1 certificates"},
		{"a header", with(chainMember(strings.Replace(leaf, "-----\n", "-----\nA: b\n\n", 1))), bad, "not in PEM"},
		{"cut off", with(chainMember(leaf[:len(leaf)/2])), bad, "no end"},
		{"cut off, then a whole one", with(chainMember(leaf[:len(leaf)/2] + "\n" + leaf)), bad, "no end"},
		{"not base64", with(chainMember(strings.Replace(leaf, "\nM", "\n!", 1) + leaf)), bad, "not in PEM"},
		{"eleven, and then something else", with(chainMember(many + leaf + "x")), bad, "something else"},
		{"deep", strings.Repeat(`{"target":`, 1000), bad, "no member"},
	} {
		t.Run(c.name, func(t *testing.T) {
			q, err := readQuestion([]byte(c.body), newChains())
			if got := delegation.ReasonOf(err); got != c.want || err != nil && !strings.Contains(err.Error(), c.says) {
				t.Errorf("got %v, want %q that says %q", err, c.want, c.says)
			}
			if err == nil && (q.source != source || q.service != service || len(q.chain) == 0 || q.unusable != nil) {
				t.Errorf("got %+v", q)
			}
		})
	}
	q, err := readQuestion([]byte(with(`"direction":"outgoing"`, `"target":{"port":5270,"host":"xmpp.hosting.example"}`, `"peer":"192.0.2.7"`, `"evidence":true`, `"recheck":true`)), newChains())
	if err != nil || q.direction != association.Outgoing || q.target != (delegation.Endpoint{Host: host, Port: 5270}) ||
		q.peer != netip.MustParseAddr("192.0.2.7") || !q.evidence || !q.recheck || !q.chain[1].Equal(chain[1]) {
		t.Errorf("got %+v, %v", q, err)
	}
	if q, err := readQuestion([]byte(with(`"peer":"fe80::1%`+strings.Repeat("x", 1000)+`"`)), newChains()); err != nil || q.peer != netip.MustParseAddr("fe80::1") {
		t.Errorf("got %.80s, %v", q.peer, err)
	}
}

// TestUnusable: what a peer may do wrong, which must not keep the answer from
// saying whether there is a statement.
func TestUnusable(t *testing.T) {
	leaf := of(host).Leaf()
	block := func(der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
	}
	selfSigned := func(c elliptic.Curve) string {
		key, err := ecdsa.GenerateKey(c, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{host}}
		der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		return block(der)
	}
	r := start(t, &network{records: []string{record(host)}}, "", defaultBounds)
	for name, c := range map[string]struct {
		chain string
		want  reasons.Reason
	}{
		"nothing":                       {"", reasons.PeerUntrusted},
		"white space":                   {" \n ", reasons.PeerUntrusted},
		"eleven certificates":           {strings.Repeat(pemOf(leaf), limits.MaxPeerCertificates+1), reasons.PeerUntrusted},
		"no certificate":                {block([]byte("x")), reasons.PeerUntrusted},
		"octets behind it":              {block(append(bytes.Clone(leaf.Raw), 0)), reasons.PeerUntrusted},
		"no certificate behind another": {pemOf(leaf) + block([]byte("x")), reasons.PeerUntrusted},
		"P-224":                         {selfSigned(elliptic.P224()), reasons.UnsupportedKey},
		"P-224 behind another":          {pemOf(leaf) + selfSigned(elliptic.P224()), reasons.UnsupportedKey},
		"P-521":                         {selfSigned(elliptic.P521()), reasons.PeerUntrusted},
	} {
		q, err := readQuestion([]byte(with(chainMember(c.chain))), newChains())
		if err != nil || (q.unusable == nil) != (name == "P-521") || q.unusable != nil && q.chain != nil {
			t.Errorf("%s: got %+v, %v", name, q, err)
		}
		status, _, body := r.send(nil, "POST", "/v1/check", with(chainMember(c.chain)))
		if a := r.read(body); status != 200 || a.Outcome != reasons.OutcomeRefused || a.Reason != c.want || !a.Required {
			t.Errorf("%s: status %d: %s", name, status, body)
		}
	}
}

// FuzzDecode: what is accepted means the same to encoding/json, and the chain
// is what package encoding/pem reads.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		with(), with(`"direction":"outgoing"`, `"target":{"host":"xmpp.hosting.example","port":5269}`, `"peer":"192.0.2.7"`, `"evidence":false`, `"recheck":true`), with(`"chain_verified":true`, chainMember(pemOf(of(host).Leaf()))),
		with(chainMember("")), `{"source":"b.example","source":"b.example"}`, `{"source":null}`, `{}`, ``,
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		q, err := readQuestion(body, newChains())
		if err != nil {
			switch delegation.ReasonOf(err) {
			case reasons.BadQuery, reasons.MissingInput:
			default:
				t.Fatalf("an error of another kind: %v", err)
			}
			return
		}
		var want struct {
			Source, Service, Direction, Chain string
			Target                            delegation.Endpoint
			Peer                              netip.Addr
			Evidence, Recheck                 bool
			Verified                          bool `json:"chain_verified"`
		}
		if err := json.Unmarshal(body, &want); err != nil {
			t.Fatalf("we accept, encoding/json refuses: %v", err)
		}
		service, err := delegation.ParseService(want.Service)
		if err != nil || q.source != want.Source || q.service != delegation.RoleOf(service).Service || string(q.direction) != want.Direction ||
			q.target != want.Target || q.peer != want.Peer || q.evidence != want.Evidence || q.recheck != want.Recheck || q.verified != want.Verified || q.verified && len(q.chain) > 1 {
			t.Fatalf("got %+v, want %+v", q, want)
		}
		if q.unusable != nil {
			return
		}
		rest := []byte(want.Chain)
		for i, c := range q.chain {
			var block *pem.Block
			if block, rest = pem.Decode(rest); block == nil || !bytes.Equal(block.Bytes, c.Raw) {
				t.Fatalf("certificate %d is another", i)
			}
		}
		if block, _ := pem.Decode(rest); block != nil {
			t.Fatal("a certificate is lost")
		}
	})
}

// TestNameless: a peer that writes a domain in another form does not thereby
// bring about that something weaker than its statement will do.
func TestNameless(t *testing.T) {
	r := start(t, &network{records: []string{record(host)}}, "", defaultBounds)
	for source, required := range map[string]bool{
		"B.example": true, "b.example.": true, "Bücher.example": true, "b。example": true,
		"b": false, "192.0.2.1": false, "[2001:db8::1]": false, "b.local": false, "b..example": false, "": false,
		strings.Repeat("A", 64) + ".example": false, strings.Repeat("ü", 1023) + ".example": false,
	} {
		status, _, body := r.send(nil, "POST", "/v1/check", with(`"source":`+escaped(source)))
		if a := r.read(body); status != 400 || a.Reason != reasons.BadQuery || a.Required != required {
			t.Errorf("%.40q: status %d, required %t, want %t", source, status, a.Required, required)
		}
	}
}
