package publish

import (
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// twoViews is a named that shows the zone to whoever has the key, and another one
// to everybody else.
func twoViews(t *testing.T, content, others string) string {
	t.Helper()
	return realtest.Bind(t, `view "keyed" {
	match-clients { key owner-key; key idle-key; };
	zone "b.example" { type primary; file "keyed.zone"; update-policy { grant owner-key name _xmpp-server._tcp._dna.b.example. TXT; }; };
};
view "others" {
	match-clients { any; };
	`+others+`
};
`, map[string]string{"keyed.zone": content, "others.zone": line("v=spf1 of everybody") + "\n"})
}

// TestViews: a server shows the zone that is updated to nobody but the key. It is
// read with the key, and what others see is told apart from a race.
func TestViews(t *testing.T) {
	old := draft{age: time.Hour}.sign(t)
	content := line("v=spf1 -all") + "\n" + record(delegation.JWS, old) + "\n"
	const names = "grant owner-key name _xmpp-server._tcp._dna.b.example. TXT;"
	for _, c := range []struct {
		name  string
		start func(t *testing.T) string
		views int    // of Current
		check string // what Check says; "" if all is well
	}{
		{"allow-query", func(t *testing.T) string {
			return inBind(t, content, "allow-query { key owner-key; }; update-policy { "+names+" };")
		}, 1, ""},
		{"others have an old zone", func(t *testing.T) string {
			return twoViews(t, content, `zone "b.example" { type primary; file "others.zone"; };`)
		}, 2, "does not show it, and shows it to the key: others see another view"},
		{"others have no zone", func(t *testing.T) string { return twoViews(t, content, "") }, 1, ""},
		{"others have the same", func(t *testing.T) string { return twoViews(t, content, `zone "b.example" { in-view "keyed"; };`) }, 1, ""},
		{"no views", func(t *testing.T) string { return inBind(t, content, "update-policy { "+names+" };") }, 1, ""},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			d := keyed(t, c.start(t), realtest.TSIGName)
			place := d.Place(source, service)
			fresh := draft{}.sign(t)
			change, err := place.Publish(t.Context(), fresh)
			if err != nil || !change.Changed || change.Replaced != 1 {
				t.Fatalf("%+v, %v", change, err)
			}
			if change, err := place.Publish(t.Context(), fresh); err != nil || change.Changed {
				t.Errorf("again: %+v, %v", change, err)
			}
			views, err := place.Current(t.Context())
			if err != nil || len(views) != c.views {
				t.Fatalf("%+v, %v", views, err)
			}
			if last := views[len(views)-1]; last.Err != nil || len(last.Found) != 1 || string(last.Found[0].Statement.Raw) != string(fresh) {
				t.Errorf("%+v", last)
			}
			err = place.Check(t.Context(), fresh)
			if c.check == "" && err != nil {
				t.Error(err)
			}
			if c.check != "" {
				wantReason(t, err, reasons.NotEverywhere)
				if !strings.Contains(err.Error(), c.check) {
					t.Errorf("%v, want %q in it", err, c.check)
				}
			}
			// A key that the server knows and that may not.
			idle := keyed(t, d.Server, realtest.TSIGIdle)
			_, err = idle.Place(source, service).Publish(t.Context(), draft{age: -time.Second}.sign(t))
			if got := delegation.ReasonOf(err); got != reasons.UpdateRefused && (got != reasons.DNSFailure || c.name != "allow-query") || strings.Contains(err.Error(), "changed") {
				t.Errorf("%v, reason %s", err, got)
			}
			// A key that it does not know.
			d.Key = mustKey(t, "hmac-sha256:stranger:"+secret)
			_, err = d.Place(source, service).Publish(t.Context(), draft{age: -time.Second}.sign(t))
			wantReason(t, err, reasons.TSIGRejected)
		})
	}
}

// TestTry: an update that changes nothing shows what a real one would meet, at
// each server, and the zone is not touched.
func TestTry(t *testing.T) {
	content := record(delegation.JWS, draft{age: time.Hour}.sign(t)) + "\n"
	for name, start := range realServers {
		t.Run(strings.ReplaceAll(name, " ", "-"), func(t *testing.T) {
			t.Parallel()
			addr := start(t, content)
			d := keyed(t, addr, realtest.TSIGName)
			serial := serialOf(t, d)
			for _, s := range []string{service, "_xmpp-client._tcp"} {
				change, err := d.Place(source, s).Try(t.Context())
				if want := s + "._dna.b.example."; err != nil || change.Changed || change.Name != want || change.Where != addr {
					t.Errorf("%s: %+v, %v", s, change, err)
				}
			}
			for key, want := range map[string]reasons.Reason{
				realtest.TSIGName + ":" + strings.Repeat("A", 43) + "=": reasons.TSIGRejected,
				"stranger:" + secret: reasons.TSIGRejected,
			} {
				d := *d
				d.Key = mustKey(t, "hmac-sha256:"+key)
				_, err := d.Place(source, service).Try(t.Context())
				if got := delegation.ReasonOf(err); got != want {
					t.Errorf("%s: %v, reason %s, want %s", key, err, got, want)
				}
			}
			if name == "Knot DNS" { // which lets a key change some names only
				_, err := d.Place(source, "_sip._tcp").Try(t.Context())
				wantReason(t, err, reasons.UpdateRefused)
			}
			if after := serialOf(t, d); after != serial || len(recordsAt(t, addr)) != 1 {
				t.Errorf("the zone changed: serial %d, before %d", after, serial)
			}
		})
	}
}

func serialOf(t *testing.T, d *DNS) uint32 {
	t.Helper()
	reply, _, err := d.asker(mustServers(t, d.Server)[0]).ask(t.Context(), "b.example.", dns.TypeSOA)
	if err != nil || len(reply.Answer) != 1 {
		t.Fatalf("%v, %v", reply, err)
	}
	return reply.Answer[0].(*dns.SOA).Serial
}
