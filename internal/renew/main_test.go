package renew

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/setup"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A lab is a folder with certificates, keys and a configuration. Its DNS server
// is the primary of all domains, and a resolver too.
type lab struct {
	testing.TB
	dir    string
	ca     *localca.Authority
	server *dnsserver.Server
	now    time.Time
}

// newLab makes one, with domains whose service is at h.example:5269.
func newLab(t testing.TB, domains ...string) *lab {
	t.Helper()
	l := &lab{TB: t, dir: t.TempDir(), now: time.Now()}
	l.ca = localca.NewChain(l.now)
	var zones []string
	for _, d := range domains {
		l.certificate(d, -day, 60*day)
		zones = append(zones, zone(d)...)
	}
	l.server = setup.DNS(t, zones...)
	l.write("tsig.key", realtest.TSIGKey)
	return l
}

func (l *lab) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// zone is the records of a domain without statements.
func zone(domain string) []string {
	return []string{
		domain + ". 300 IN SOA ns." + domain + ". hostmaster." + domain + ". 1 3600 600 86400 60",
		"_xmpp-server._tcp." + domain + ". 300 IN SRV 0 0 5269 h.example.",
	}
}

func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }

func (l *lab) write(name, text string) {
	l.Helper()
	l.must(os.WriteFile(l.path(name), []byte(text), 0o600))
}

// certificate puts a new certificate and key for a domain into the folder, from
// and to relative to now.
func (l *lab) certificate(domain string, from, to time.Duration) {
	l.Helper()
	l.use(domain, l.issue(l.ca, domain, from, to))
}

// config writes the configuration: the defaults, with the place dns at the
// server of the lab, and then more.
func (l *lab) config(more string) {
	l.Helper()
	l.write("dna.yaml", fmt.Sprintf(`defaults:
  services: [xmpp-server]
  targets: [h.example:5269]
  cert: "{domain}.pem"
  key: "{domain}.key"
  formats: [jws]
  publish:
    - dns: %s
%s`, l.place(), more))
}

// place is the server of the lab as a place to publish at.
func (l *lab) place() string {
	return fmt.Sprintf(`{server: %q, authority: [%[1]q], tsig: tsig.key}`, l.server.Addr)
}

// run runs once.
func (l *lab) run(edit ...func(*Runner)) *Report {
	l.Helper()
	c, err := ReadConfig(l.path("dna.yaml"))
	l.must(err)
	r := &Runner{
		Config: c, Client: discovery.Client{Resolver: l.server.Addr, HTTPSRoots: l.ca.Pool(), AllowPrivateAddresses: true},
		Roots: l.ca.Pool(),
	}
	for _, e := range edit {
		e(r)
	}
	report := r.Run(l.Context())
	l.Logf("%s", text(report))
	return report
}

func text(r *Report) string {
	var b strings.Builder
	_ = r.WriteText(&b) // to memory
	return b.String()
}

// entry runs once, for one delegation.
func (l *lab) entry(edit ...func(*Runner)) Entry {
	l.Helper()
	report := l.run(edit...)
	if len(report.Delegations) != 1 {
		l.Fatalf("%d delegations", len(report.Delegations))
	}
	return report.Delegations[0]
}

// records are the TXT records at the usual name of a domain.
func (l *lab) records(domain string) []string {
	l.Helper()
	c := discovery.Client{Resolver: l.server.Addr, Via: discovery.ViaDNS}
	e, err := c.Gather(l.Context(), domain, "_xmpp-server._tcp", nil)
	l.must(err)
	for _, a := range e.TXT {
		if a.Name == delegation.TXTName(domain, "_xmpp-server._tcp") {
			if a.Failure != nil {
				l.Fatal(a.Failure)
			}
			return a.Records
		}
	}
	l.Fatal("no answer")
	return nil
}

// updates is how many updates the server has been sent.
func (l *lab) updates() int { return l.queries("UPDATE") }

// queries is how many questions about a type the server has been sent.
func (l *lab) queries(rtype string) int {
	return len(slices.DeleteFunc(l.server.Queries(), func(q dnsserver.Query) bool { return q.Type != rtype }))
}

// want fails the test unless an entry is as said; reasons are those of all that
// went wrong.
func (l *lab) want(e Entry, action Action, why Why, verified reasons.Outcome, ends ...reasons.Reason) {
	l.Helper()
	var got []reasons.Reason
	for _, t := range e.troubles() {
		got = append(got, t.Reason)
		if t.Detail == "" {
			l.Errorf("%s: no detail", t.Reason)
		}
	}
	if e.Action != action || e.Why != why || !slices.Equal(got, ends) {
		l.Errorf("%s: %s because %q, %v; want %s because %q, %v", e.Source, e.Action, e.Why, got, action, why, ends)
	}
	for _, v := range e.Verified {
		if v.Outcome != verified {
			l.Errorf("%s: via %s %s, want %s", e.Source, v.Via, v.Outcome, verified)
		}
	}
	if len(e.Verified) == 0 {
		l.Errorf("%s: nothing was verified", e.Source)
	}
}
