package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

const provider = world.Host

// A hosting is a provider whose certificate names only itself. It has an
// authority for the domains that it hosts, each in a zone of its own.
type hosting struct {
	*session
	*setup.Site
	cert, key string // files of the provider
}

func newHosting(t *testing.T) *hosting {
	h := &hosting{Site: setup.NewSite(t)}
	h.session = &session{t, build(t), h.Dir}
	h.cert, h.key = h.WriteKeys("provider", h.Of(provider))
	return h
}

// srv is a line of a zone that leads to the provider.
func (h *hosting) srv(service string, priority, port int) string {
	return fmt.Sprintf("%s SRV %d 0 %d %s.\n", service, priority, port, provider)
}

// txt is a line of a zone: a statement for a role that ends so long from now. At
// each port but the first TLS begins at once. The port 0 is left out.
func (h *hosting) txt(domain, role, host string, ends time.Duration, port int, direct ...int) string {
	h.Helper()
	now := time.Now()
	s := world.Statement(domain, role, now.Add(min(0, ends)-time.Hour))
	s.Expires = now.Add(ends)
	if port != 0 {
		s.Targets = append(s.Targets, delegation.Target{Endpoint: delegation.Endpoint{Host: host, Port: uint16(port)}})
	}
	for _, port := range direct {
		s.Targets = append(s.Targets, delegation.Target{Endpoint: delegation.Endpoint{Host: host, Port: uint16(port)}, TLS: delegation.Direct})
	}
	return world.Line(s, h.Of(domain)) + "\n"
}

const (
	s2s  = "_xmpp-server._tcp"
	c2s  = "_xmpp-client._tcp"
	s2st = "_xmpps-server._tcp"
	c2st = "_xmpps-client._tcp"
)

// connectBy is dnaverify connect by a resolver, named as validating and not.
func connectBy(resolver string) (named, unnamed string) {
	const line = "dnaverify connect -v %s --roots roots.pem --via dns --allow-private-addresses --from a.example "
	return line + "--validating-resolver " + resolver, line + "--resolver " + resolver
}

// TestRealConnection connects to a real prosody, found through a real knot and
// a real unbound: by DNSSEC, by delegation, or not at all.
func TestRealConnection(t *testing.T) {
	realtest.Need(t, "prosody", "knotd", "keymgr", "unbound")
	// With direct TLS, prosody refuses a server name that is not one of its
	// hosts. With a delegation the server name is that of the provider.
	h := newHosting(t)
	p := realtest.Prosody(t, h.cert, h.key, nil, "secure.example", "b.example", "plain.example", "broken.example", "late.example", "other.example", provider)
	all := h.srv(s2s, 0, p.Server) + h.srv(c2s, 0, p.Client) + h.srv(s2st, 1, p.ServerDirect) + h.srv(c2st, 1, p.ClientDirect)
	zones := []realtest.Zone{
		{Name: "hosting.example", Content: "xmpp A 127.0.0.1\n"},
		{Name: "secure.example", Content: all, Signed: true},
		{Name: "broken.example", Content: h.srv(s2s, 0, p.Server), Signed: true, Broken: true},
		{Name: "b.example", Content: all + h.txt("b.example", s2s, provider, time.Hour, p.Server, p.ServerDirect) + h.txt("b.example", c2s, provider, time.Hour, p.Client, p.ClientDirect)},
		{Name: "plain.example", Content: all},
		{Name: "late.example", Content: h.srv(s2s, 0, p.Server) + h.txt("late.example", s2s, provider, -time.Minute, p.Server)},
		{Name: "other.example", Content: h.srv(s2s, 0, p.Server) + h.txt("other.example", s2s, "xmpp.elsewhere.example", time.Hour, p.Server)},
	}
	authority, resolver := realtest.KnotAndUnbound(t, zones...)
	named, unnamed := connectBy(resolver)
	unvalidated, _ := connectBy(authority)

	for _, c := range []struct {
		name, line, domain string
		code               int
		want               []string
	}{
		{"secure", named, "secure.example", 0, []string{`srv +0 0 \d+ xmpp.hosting.example \(secure, `, `OK    dnssec +` + provider, `VERIFIED until .* by dnssec, as ` + provider}},
		{"secure, every target", named + " --service xmpps-server --all", "secure.example", 0, []string{`target 2: .*\n  direct TLS, .*(\n    OK .*){2}\n    -- .*\n    OK    peer +` + provider + ` counts by dnssec`, `VERIFIED .* by dnssec`}},
		{"secure, but the resolver was not named as validating", unnamed, "secure.example", 1, []string{`\(insecure, `, `--    dnssec +not-secure`, `REFUSED: peer-name-mismatch`}},
		{"unsigned with a statement", named, "b.example", 0, []string{`\(insecure, `, `OK    starttls`, `OK    tls +TLS 1\.[23]`, `VERIFIED until .* by delegation, as ` + provider}},
		{"unsigned with a statement, by any resolver", unnamed, "b.example", 0, []string{`by delegation`}},
		{"statement first", unnamed + " --statement-first", "b.example", 0, []string{`by delegation`}},
		{"every target", unnamed + " --all", "b.example", 0, []string{`target 2: .*\n  direct TLS, .*(\n    OK .*){2}\n    -- .*\n    OK    peer +` + provider + ` counts by delegation`, `VERIFIED .* by delegation`}},
		{"from client to server", unnamed + " --service xmpp-client --all", "b.example", 0, []string{`target 1: .*\n  STARTTLS, `, `target 2: .*\n  direct TLS, `, `by delegation`}},
		{"from client to server, asked for by the second label", unnamed + " --service xmpps-client", "b.example", 0, []string{`(?m)^_xmpp-client._tcp of b.example`, `by delegation`}},
		{"unsigned without a statement", named, "plain.example", 1, []string{`--    delegation +no-statement`, `FAIL  peer +peer-name-mismatch`, `REFUSED: peer-name-mismatch`}},
		{"broken signature", named, "broken.example", 3, []string{`FAIL  srv +dns-bogus: .*extended error \d+`, `UNDETERMINED: dns-bogus`}},
		{"statement expired", named, "late.example", 1, []string{`--    delegation +expired`, `REFUSED: peer-name-mismatch`}},
		{"statement for another host", named, "other.example", 1, []string{`--    delegation +target-mismatch`, `REFUSED: peer-name-mismatch`}},
		{"self-test", named + " --self-test secure.example,broken.example", "b.example", 0, []string{`OK    self-test +secure.example is secure and broken.example is bogus`, `VERIFIED`}},
		{"self-test, the wrong way round", named + " --self-test broken.example,secure.example", "b.example", 3, []string{`self-test-failed: by .*broken.example is bogus, not secure .*extended error .*secure.example is secure, not bogus`}},
		{"self-test of a server that does not validate", unvalidated + " --self-test secure.example,broken.example", "b.example", 3,
			[]string{`secure.example is insecure, not secure; broken.example is insecure, not bogus`, `UNDETERMINED: self-test-failed`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := &session{t, h.bin, h.dir}
			out, _ := s.run(c.code, fmt.Sprintf(c.line, c.domain))
			want(t, out, c.want...)
			if c.code != 0 && strings.Contains(out, "VERIFIED") || c.code == 3 && strings.Contains(out, "\ntarget") {
				t.Errorf("more was done than should be:\n%s", out)
			}
		})
	}
}
