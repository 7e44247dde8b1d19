package renew

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/setup"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A lab is a site with a configuration.
type lab struct{ *setup.Site }

// newLab makes one, with domains whose service is at h.example:5269.
func newLab(t testing.TB, domains ...string) *lab {
	t.Helper()
	var zones []string
	for _, d := range domains {
		zones = append(zones, zone(d)...)
	}
	l := &lab{setup.NewSite(t, zones...)}
	for _, d := range domains {
		l.certificate(d, -day, 60*day)
	}
	l.Write("tsig.key", realtest.TSIGKey)
	return l
}

// zone is the records of a domain without statements.
func zone(domain string) []string {
	return []string{
		domain + ". 300 IN SOA ns." + domain + ". hostmaster." + domain + ". 1 3600 600 86400 60",
		"_xmpp-server._tcp." + domain + ". 300 IN SRV 0 0 5269 h.example.",
	}
}

// certificate puts a new certificate and key for a domain into the folder, from
// and to relative to now.
func (l *lab) certificate(domain string, from, to time.Duration) {
	l.Helper()
	l.WriteKeys(domain, l.Issue(from, to, domain))
}

// config writes the configuration: the defaults, with the place dns at the
// server of the lab, and then more.
func (l *lab) config(more string) {
	l.Helper()
	l.Write("dna.yaml", fmt.Sprintf(`defaults:
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
	return fmt.Sprintf(`{server: %q, authority: [%[1]q], tsig: tsig.key}`, l.DNS.Addr)
}

// run runs once.
func (l *lab) run(edit ...func(*Runner)) *Report {
	l.Helper()
	c, err := ReadConfig(l.Path("dna.yaml"))
	l.Must(err)
	r := &Runner{
		Config: c, Client: discovery.Client{Resolver: l.DNS.Addr, HTTPSRoots: l.CA.Pool(), AllowPrivateAddresses: true},
		Roots: l.CA.Pool(),
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
	c := discovery.Client{Resolver: l.DNS.Addr, Via: discovery.ViaDNS}
	e, err := c.Gather(l.Context(), domain, "_xmpp-server._tcp", nil)
	l.Must(err)
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
	return len(slices.DeleteFunc(l.DNS.Queries(), func(q dnsserver.Query) bool { return q.Type != rtype }))
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
