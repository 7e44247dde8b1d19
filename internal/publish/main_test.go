package publish

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// TestMain: this test's own program is the one that changes records, too.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == asCommand {
		if err := changeRecords(os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(3)
		}
		return
	}
	goleak.VerifyTestMain(m)
}

var _, _, _ Place = (*Records)(nil), (*Files)(nil), (*Commanded)(nil)

const (
	source   = world.Source
	service  = world.Service
	owner    = "_xmpp-server._tcp._dna.b.example."
	document = ".well-known/dna/_xmpp-server._tcp.jws" // below a web root
	secret   = realtest.TSIGSecret
)

// testNow is when statements of age 0 are issued.
var testNow = time.Now().Truncate(time.Second)

// around is the world of these tests, and strangers are another one.
var (
	around    = world.At(testNow)
	strangers = world.At(testNow)
)

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
	hosts := slices.DeleteFunc(strings.Fields(cmp.Or(d.host, "one.example")), func(h string) bool { return h == "nobody" })
	s := world.Statement(cmp.Or(d.source, source), cmp.Or(d.service, service), testNow.Add(-d.age), hosts...)
	if d.life != 0 {
		s.Expires = s.Issued.Add(d.life)
	}
	raw := world.Sign(s, cmp.Or(d.encoding, delegation.JWS), around.Of(s.Source))
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
func line(text string) string { return world.TextLine(source, service, text) }

// record is a zone line with a statement.
func record(e delegation.Encoding, raw []byte) string { return line(e.TXTRecord(raw)) }

func goodKey(t testing.TB) *TSIGKey {
	t.Helper()
	key, err := parseTSIGKey([]byte(realtest.TSIGKey))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// at updates one server and looks at others, that one too if there are none.
func at(t testing.TB, primary *dnsserver.Server, authorities ...*dnsserver.Server) *DNS {
	d := &DNS{Owner: Owner{Roots: around.CA.Pool()}, Server: primary.Addr, Resolver: primary.Addr, Key: goodKey(t), Authorities: []string{primary.Addr}}
	for _, a := range authorities {
		d.Authorities = append(d.Authorities, a.Addr)
	}
	return d
}

// webRoot is a web root of an owner who believes the authority of the tests.
func webRoot(root string) *Web { return &Web{Owner: Owner{Roots: around.CA.Pool()}, Root: root} }

// wantReason fails the test unless an error has a reason.
func wantReason(t testing.TB, err error, want reasons.Reason) {
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
