package publish

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/setup"
)

// TestLag: one of two servers has the old zone, and gets the new one or not.
func TestLag(t *testing.T) {
	old, fresh := draft{age: time.Hour}.sign(t), draft{}.sign(t)
	for _, c := range []struct {
		name   string
		lags   []string // what the second server has at first
		fault  dnsserver.Fault
		comes  bool // it gets the zone while we wait
		says   string
		waited bool
	}{
		{name: "comes", lags: zone(record(delegation.JWS, old)), comes: true},
		{name: "does not come", lags: zone(record(delegation.JWS, old)), says: "shows the statement issued"},
		{name: "had none", lags: zone(), says: "does not show it"},
		{name: "shows both", lags: zone(record(delegation.JWS, old), record(delegation.JWS, fresh)), says: "besides"},
		{name: "is silent", lags: zone(), fault: dnsserver.Fault{Rcode: 2}, says: "cannot be read"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			primary := setup.DNS(t, zone(record(delegation.JWS, old))...)
			second := setup.DNS(t, c.lags...)
			if err := second.Fault("", "TXT", c.fault); err != nil {
				t.Fatal(err)
			}
			d := at(t, primary, second)
			place := d.Place(source, service)
			if _, err := place.Publish(t.Context(), fresh); err != nil {
				t.Fatal(err)
			}
			err := place.Check(t.Context(), fresh)
			wantReason(t, err, reasons.NotEverywhere)
			if !strings.Contains(err.Error(), second.Addr) || strings.Contains(err.Error(), primary.Addr) {
				t.Errorf("%v, want it to name %s alone", err, second.Addr)
			}
			d.Wait = 50 * time.Millisecond
			if c.comes {
				d.Wait = time.Minute
				asked := len(second.Queries())
				ctx, cancel := contextUntil(t, func() bool { return len(second.Queries()) > asked })
				defer cancel()
				go func() {
					<-ctx.Done() // it was asked once more, and now the transfer comes
					if err := second.SetRecords(zone(record(delegation.JWS, fresh))); err != nil {
						t.Error(err)
					}
				}()
			}
			switch err := place.Check(t.Context(), fresh); {
			case c.comes && err != nil:
				t.Error(err)
			case !c.comes:
				wantReason(t, err, reasons.NotEverywhere)
				if !strings.Contains(err.Error(), c.says) {
					t.Errorf("says %q, want %q in it", err, c.says)
				}
			}
			// What was published stands.
			if diff := cmp.Diff([]string{delegation.JWS.TXTRecord(fresh)}, recordsAt(t, primary.Addr)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// TestCurrent: each server by itself.
func TestCurrent(t *testing.T) {
	raw := draft{}.sign(t)
	primary := setup.DNS(t, zone(record(delegation.JWS, raw), line("v=DNA1; e=jws; s=half"), line("other"))...)
	empty, broken := setup.DNS(t, zone()...), setup.DNS(t, zone()...)
	if err := broken.Fault("", "TXT", dnsserver.Fault{Rcode: 5}); err != nil {
		t.Fatal(err)
	}
	views, err := at(t, primary, empty, broken).Place(source, service).Current(t.Context())
	if err != nil || len(views) != 3 {
		t.Fatalf("%+v, %v", views, err)
	}
	for i, want := range []struct {
		server *dnsserver.Server
		found  int
		failed bool
	}{{primary, 2, false}, {empty, 0, false}, {broken, 0, true}} {
		v := views[i]
		if v.Where != want.server.Addr || len(v.Found) != want.found || (v.Err != nil) != want.failed {
			t.Errorf("%+v, want %+v", v, want)
		}
	}
	good, bad := views[0].Found[0], views[0].Found[1]
	if good.Statement == nil {
		good, bad = bad, good
	}
	if string(good.Statement.Raw) != string(raw) || good.Err != nil || bad.Statement != nil {
		t.Errorf("%+v, %+v", good, bad)
	}
	wantReason(t, bad.Err, reasons.MalformedToken)
}

// TestPrimaryAway: what is there can be seen without the server that is updated.
func TestPrimaryAway(t *testing.T) {
	raw := draft{}.sign(t)
	second := setup.DNS(t, zone(record(delegation.JWS, raw))...)
	d := &DNS{Server: closedPort(t), Authorities: []string{second.Addr}, Resolver: second.Addr, Key: goodKey(t)}
	place := d.Place(source, service)
	if views, err := place.Current(t.Context()); err != nil || len(views[0].Found) != 1 {
		t.Errorf("%+v, %v", views, err)
	}
	if err := place.Check(t.Context(), raw); err != nil {
		t.Error(err)
	}
	_, err := place.Publish(t.Context(), raw)
	wantReason(t, err, reasons.UpdateFailed)
	d.Authorities[0] = closedPort(t)
	_, err = place.Current(t.Context())
	wantReason(t, err, reasons.DNSTimeout)
}

// TestAlias: the name is an alias into the zone of a provider, whose servers
// are updated and looked at.
func TestAlias(t *testing.T) {
	const target = "b-example.dna.provider.example."
	provider := setup.DNS(t,
		"provider.example. 3600 IN SOA ns.provider.example. hostmaster.provider.example. 1 3600 600 86400 60",
	)
	if err := provider.Fault(owner, "", dnsserver.Fault{Rcode: 5}); err != nil {
		t.Fatal(err) // it does not have the owner's zone
	}
	own := setup.DNS(t, zone(owner+" IN CNAME link.b.example.", "link.b.example. IN CNAME "+target,
		"provider.example. 3600 IN SOA ns.provider.example. hostmaster.provider.example. 1 3600 600 86400 60")...)
	d := at(t, provider)
	d.Resolver = own.Addr
	place, raw := d.Place(source, service), draft{}.sign(t)
	u, err := place.Plan(t.Context(), raw)
	if err != nil || u.Zone != "provider.example." || u.Name != target || u.Server != provider.Addr {
		t.Fatalf("%+v, %v", u, err)
	}
	if change, err := place.Publish(t.Context(), raw); err != nil || !change.Changed {
		t.Fatalf("%+v, %v", change, err)
	}
	if err := place.Check(t.Context(), raw); err != nil {
		t.Error(err)
	}
	for _, q := range own.Queries() {
		if q.Type == "UPDATE" {
			t.Error("the zone with the alias was updated")
		}
	}
}

// TestAliasTrouble: loops and chains without end.
func TestAliasTrouble(t *testing.T) {
	for name, records := range map[string][]string{
		"loop":        {owner + " IN CNAME x.b.example.", "x.b.example. IN CNAME " + owner},
		"self":        {owner + " IN CNAME " + owner},
		"no SOA here": nil,
	} {
		s := setup.DNS(t, zone(records...)...)
		if records == nil {
			if err := s.Fault("", "SOA", dnsserver.Fault{NoSOA: true}); err != nil {
				t.Fatal(err)
			}
		}
		_, err := at(t, s).Place(source, service).Plan(t.Context(), draft{}.sign(t))
		want := reasons.AliasLoop
		if records == nil {
			want = reasons.DNSFailure
		}
		if got := delegation.ReasonOf(err); got != want {
			t.Errorf("%s: %v, reason %q, want %s", name, err, got, want)
		}
	}
}

// TestFindServers: without servers from the caller, those of the zone, port 53.
func TestFindServers(t *testing.T) {
	s := setup.DNS(t,
		"b.example. 3600 IN SOA primary.b.example. hostmaster.b.example. 1 3600 600 86400 60",
		"b.example. IN NS two.b.example.", "b.example. IN NS one.b.example.", "b.example. IN NS lost.b.example.",
		"one.b.example. IN A 192.0.2.1", "one.b.example. IN AAAA 2001:db8::1", "two.b.example. IN A 192.0.2.2",
		"primary.b.example. IN A 192.0.2.9")
	d := &DNS{Resolver: s.Addr}
	at, servers, err := d.Place(source, service).servers(t.Context())
	if err != nil || at.zone != "b.example." || at.owner != owner {
		t.Fatalf("%+v, %v", at, err)
	}
	var got []string
	for _, server := range servers {
		text := server.String()
		for _, a := range server.addresses {
			text += " " + a.String()
		}
		if server.err != nil {
			text += " " + string(delegation.ReasonOf(server.err))
		}
		got = append(got, text)
	}
	want := []string{"lost.b.example dns-failure", "one.b.example 192.0.2.1:53 [2001:db8::1]:53", "two.b.example 192.0.2.2:53"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	primary, err := d.primary(t.Context(), at)
	if err != nil || primary.addresses[0].String() != "192.0.2.9:53" {
		t.Errorf("primary %+v, %v", primary, err)
	}
	for _, q := range s.Queries() {
		if !q.RD {
			t.Errorf("asked the resolver for %s %s without RD", q.Name, q.Type)
		}
	}
}

// TestSlowZone: whoever owns the zone cannot make us look for its servers for
// long, however many they are.
func TestSlowZone(t *testing.T) {
	s := setup.DNS(t, "b.example. IN SOA primary.b.example. h.b.example. 1 60 60 60 60", "b.example. IN NS one.b.example.", "b.example. IN NS two.b.example.")
	for _, rtype := range []string{"A", "AAAA"} {
		if err := s.Fault("", rtype, dnsserver.Fault{Drop: true}); err != nil {
			t.Fatal(err)
		}
	}
	d := &DNS{Resolver: s.Addr, Key: goodKey(t), findTime: 100 * time.Millisecond}
	place, raw := d.Place(source, service), draft{}.sign(t)
	views, err := place.Current(t.Context())
	for _, v := range views {
		err = errors.Join(err, v.Err)
	}
	if err == nil {
		t.Errorf("%+v", views)
	}
	if _, err := place.Publish(t.Context(), raw); err == nil {
		t.Error("published nowhere")
	}
	if err := place.Check(t.Context(), raw); err == nil {
		t.Error("shown nowhere")
	}
	// The first one takes all the time, which is less than that of one question.
	for _, q := range s.Queries() {
		if q.Name == "two.b.example." {
			t.Errorf("asked for %s of %s too", q.Type, q.Name)
		}
	}
}
