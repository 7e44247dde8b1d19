package publish

import (
	"context"
	"crypto/rand"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/dnsserver"
	"github.com/dnasign/dnasign/internal/localca"
	"github.com/dnasign/dnasign/keys"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

var _, _ Place = (*Records)(nil), (*Files)(nil)

const (
	source  = "b.example"
	service = "_xmpp-server._tcp"
	owner   = "_xmpp-server._tcp._dna.b.example."
	keyName = "owner-key"
	secret  = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
)

// testNow is when statements of age 0 are issued, and start when the
// certificates of the tests begin.
var (
	testNow = time.Now().Truncate(time.Second)
	start   = testNow.Add(-24 * time.Hour)
)

// authority issues the certificates of the tests.
var authority = sync.OnceValue(func() *localca.Authority {
	root, err := localca.New("Test Root", time.Now())
	if err != nil {
		panic(err)
	}
	inter, err := root.Intermediate("Test Intermediate", time.Now(), nil)
	if err != nil {
		panic(err)
	}
	return inter
})

// signerOf has a certificate for a domain; there is one for each.
var signerOf = func() func(domain string) *keys.Signer {
	var known sync.Map
	return func(domain string) *keys.Signer {
		if s, ok := known.Load(domain); ok {
			return s.(*keys.Signer)
		}
		s, err := authority().Issue("P-256", []string{domain}, start, start.AddDate(0, 2, 0), nil)
		if err != nil {
			panic(err)
		}
		known.Store(domain, s)
		return s
	}
}()

// A draft is a statement to be signed; what it leaves out is that of the usual
// one, of b.example to one.example, issued now.
type draft struct {
	source, service string
	encoding        delegation.Encoding
	host            string // of the targets, with spaces between; "nobody" is a revocation
	age             time.Duration
	life            time.Duration
	spoil           bool // sign and then change the signature
}

func (d draft) sign(t testing.TB) []byte {
	t.Helper()
	or := func(s, other string) string {
		if s == "" {
			return other
		}
		return s
	}
	s := delegation.Statement{Source: or(d.source, source), Service: or(d.service, service)}
	for host := range strings.FieldsSeq(or(d.host, "one.example")) {
		if host != "nobody" {
			s.Targets = append(s.Targets, delegation.Target{Endpoint: delegation.Endpoint{Host: host, Port: 5269}})
		}
	}
	for !s.ID.Valid() {
		rand.Read(s.ID[:])
		s.ID[0] &= 0x7f
	}
	s.Issued = testNow.Add(-d.age)
	if d.life == 0 {
		d.life = 14 * 24 * time.Hour
	}
	s.Expires = s.Issued.Add(d.life)
	raw, err := delegation.Sign(s, delegation.Encoding(or(string(d.encoding), "jws")), signerOf(s.Source))
	if err != nil {
		t.Fatal(err)
	}
	if d.spoil {
		at := len(raw) - 9
		if raw[at] ^= 1; raw[at]|0x20 < 'a' || raw[at]|0x20 > 'z' {
			raw[at] = 'x'
		}
	}
	return raw
}

// zone is a zone without statements.
func zone(more ...string) []string {
	return append([]string{
		"b.example. 3600 IN SOA ns.b.example. hostmaster.b.example. 1 3600 600 86400 60",
		"b.example. 3600 IN NS ns.b.example.",
		"ns.b.example. 3600 IN A 127.0.0.1",
	}, more...)
}

// line is a zone line with a text.
func line(text string) string {
	out := owner + " 600 IN TXT"
	for len(text) > 200 {
		out += ` "` + text[:200] + `"`
		text = text[200:]
	}
	return out + ` "` + text + `"`
}

// record is a zone line with a statement.
func record(e delegation.Encoding, raw []byte) string { return line(delegation.TXTRecord(e, raw)) }

func startServer(t testing.TB, records ...string) *dnsserver.Server {
	t.Helper()
	s, err := dnsserver.Start(records)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	s.AllowUpdates(keyName, secret)
	return s
}

func goodKey(t testing.TB) *TSIGKey {
	t.Helper()
	key, err := parseTSIGKey([]byte("hmac-sha256:" + keyName + ":" + secret))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// at updates one server and looks at others, that one too if there are none.
func at(t testing.TB, primary *dnsserver.Server, authorities ...*dnsserver.Server) *DNS {
	d := &DNS{Server: primary.Addr, Resolver: primary.Addr, Key: goodKey(t), Authorities: []string{primary.Addr}}
	for _, a := range authorities {
		d.Authorities = append(d.Authorities, a.Addr)
	}
	return d
}

// wantReason fails the test unless an error has a reason.
func wantReason(t testing.TB, err error, want delegation.Reason) {
	t.Helper()
	if got := delegation.ReasonOf(err); err == nil || got != want {
		t.Fatalf("error %v, reason %q, want %s", err, got, want)
	}
}

// recordsAt are the TXT records that a server has at the name.
func recordsAt(t testing.TB, server string) []string {
	t.Helper()
	set := look(t.Context(), []nameServer{{addresses: mustServers(t, server)}}, owner)[0]
	if set.err != nil {
		t.Fatal(set.err)
	}
	return set.texts
}

func newTXT(t testing.TB, zoneLine string) dns.RR {
	t.Helper()
	rr, err := dns.NewRR(zoneLine)
	if err != nil {
		t.Fatal(err)
	}
	return rr
}

// contextUntil ends as soon as something holds.
func contextUntil(t testing.TB, holds func() bool) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	var watch sync.WaitGroup
	watch.Go(func() {
		defer cancel()
		for ctx.Err() == nil && !holds() {
			time.Sleep(time.Millisecond)
		}
	})
	return ctx, func() { cancel(); watch.Wait() }
}
