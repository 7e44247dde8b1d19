package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// TestRealServices connects to a real dovecot, slapd and kamailio, by STARTTLS and
// by direct TLS, and the wrong way round.
func TestRealServices(t *testing.T) {
	realtest.Need(t, "knotd", "keymgr", "unbound", "dovecot", "slapd", "kamailio")
	h := newHosting(t)
	services := realtest.Dovecot(t, h.cert, h.key)
	services["_ldap._tcp"] = realtest.Slapd(t, h.cert, h.key)
	sips := realtest.Kamailio(t, h.cert, h.key)

	right := h.srv("_sips._tcp", 0, sips) + h.txt("b.example", "_sips._tcp", provider, time.Hour, 0, sips)
	wrong, plain := "", h.srv("_sips._tcp", 0, sips)
	for role, p := range services {
		second := strings.Replace(role, "._tcp", "s._tcp", 1)
		right += h.srv(role, 0, p.STARTTLS) + h.srv(second, 1, p.Direct) + h.txt("b.example", role, provider, time.Hour, p.STARTTLS, p.Direct)
		wrong += h.txt("wrong.example", role, provider, time.Hour, p.Direct, p.STARTTLS)
		plain += h.srv(role, 0, p.STARTTLS) + h.srv(second, 1, p.Direct)
	}
	_, resolver := realtest.KnotAndUnbound(t,
		realtest.Zone{Name: "hosting.example", Content: "xmpp A 127.0.0.1\n"},
		realtest.Zone{Name: "b.example", Content: right}, realtest.Zone{Name: "wrong.example", Content: wrong}, realtest.Zone{Name: "plain.example", Content: plain})
	line := "dnaverify connect %s --service %s -v --all --roots roots.pem --via dns --allow-private-addresses --resolver " + resolver

	const (
		negotiated = `target 1: .*\n  STARTTLS, .*\n    OK    connect .*\n    OK    starttls .*\n    OK    tls +TLS 1\.[23].*\n    -- .*\n    OK    peer +` + provider + ` counts by delegation`
		directly   = `target %d: .*\n  direct TLS, .*\n    OK    connect .*\n    OK    tls +TLS 1\.[23].*\n    -- .*\n    OK    peer +` + provider + ` counts by delegation`
		clear      = `direct TLS, .*\n    OK    connect .*\n    FAIL  tls +(tls-failed: .* begins in clear text, with |connect-failed: .* as some servers do that begin in clear text)`
		first      = `STARTTLS, .*\n    OK    connect .*\n    FAIL  starttls +(connect-timeout|connect-failed|starttls-failed): .*TLS (begins with|from) the first byte`
	)
	for role := range services {
		name := strings.TrimPrefix(strings.TrimSuffix(role, "._tcp"), "_")
		for _, asked := range []string{name, name + "s"} {
			t.Run(asked, func(t *testing.T) {
				out, _ := (&session{t, h.bin, h.dir}).run(0, fmt.Sprintf(line, "b.example", asked))
				want(t, out, `(?m)^`+role+` of b.example$`, negotiated, fmt.Sprintf(directly, 2), `VERIFIED until .* by delegation, as `+provider)
			})
		}
		t.Run(name+", the wrong way round", func(t *testing.T) {
			t.Parallel() // a server that waits for TLS costs the time for a target
			s := &session{t, h.bin, h.dir}
			out, _ := s.run(wrongCode(name), fmt.Sprintf(line, "wrong.example", name))
			want(t, out, first, clear)
		})
		t.Run(name+", without a statement", func(t *testing.T) {
			out, _ := (&session{t, h.bin, h.dir}).run(1, fmt.Sprintf(line, "plain.example", name))
			want(t, out, `OK    starttls `, `REFUSED: peer-name-mismatch`)
		})
	}
	t.Run("sips", func(t *testing.T) {
		out, _ := (&session{t, h.bin, h.dir}).run(0, fmt.Sprintf(line, "b.example", "sips"))
		want(t, out, fmt.Sprintf(directly, 1), `VERIFIED until .* by delegation, as `+provider)
	})
	t.Run("sips, without a statement", func(t *testing.T) {
		out, _ := (&session{t, h.bin, h.dir}).run(1, fmt.Sprintf(line, "plain.example", "sips"))
		want(t, out, `REFUSED: no-tls-start: it is not known how TLS begins for _sips._tcp`)
	})
}

// wrongCode is how a connection ends whose targets are the wrong way round. It
// is refused if the server says what is wrong. It is undetermined if the server
// hangs up, as slapd does, or keeps silent.
func wrongCode(service string) int {
	if service == "ldap" {
		return 3
	}
	return 1
}
