package publish

import (
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/keys"
)

// knot starts a real server with the zone of the owner, and a place there.
func knot(t *testing.T, content string) (*DNS, *Records) {
	t.Helper()
	addr, _ := realtest.Knot(t,
		realtest.Zone{Name: "b.example", Content: content, Updated: true, Signed: true},
		realtest.Zone{Name: "c.example", Content: ""})
	key, _, err := LoadTSIGKey(keys.Loader{}, realtest.TSIGFile(t, t.TempDir(), realtest.TSIGName, realtest.TSIGSecret))
	if err != nil {
		t.Fatal(err)
	}
	d := &DNS{Server: addr, Authorities: []string{addr}, Resolver: addr, Key: key}
	return d, d.Place(source, service)
}

// inZone is lines as they stand in a zone file of b.example.
func inZone(lines ...string) string { return strings.Join(lines, "\n") + "\n" }

// TestKnot: a real server makes the same of an update as ours, signs the zone
// anew and tells the truth about faults.
func TestKnot(t *testing.T) {
	old, fresh := draft{age: time.Hour}.sign(t), draft{}.sign(t)
	freshAC := draft{encoding: delegation.AC}.sign(t)
	odd := `odd \"quoted\" \\ \000\255;`
	d, place := knot(t, inZone(line("v=spf1 -all"), line(odd), line("v=DNA1; e=jws; s=half"), record(delegation.JWS, old)))

	u, err := place.Plan(t.Context(), fresh)
	if err != nil || u.Zone != "b.example." || len(u.Present) != 4 || len(u.Remove) != 2 || len(u.Add) != 1 {
		t.Fatalf("%+v, %v", u, err)
	}
	change, err := place.Publish(t.Context(), fresh)
	if err != nil || !change.Changed || change.Replaced != 2 {
		t.Fatalf("%+v, %v", change, err)
	}
	if _, err := place.Publish(t.Context(), freshAC); err != nil {
		t.Fatal(err)
	}
	want := sorted("v=spf1 -all", odd, delegation.JWS.TXTRecord(fresh), delegation.AC.TXTRecord(freshAC))
	state := func() []string { return sorted(recordsAt(t, d.Server)...) }
	if diff := cmp.Diff(want, state()); diff != "" {
		t.Fatal(diff)
	}
	if change, err := place.Publish(t.Context(), fresh); err != nil || change.Changed {
		t.Errorf("again: %+v, %v", change, err)
	}
	if err := place.Check(t.Context(), fresh); err != nil {
		t.Error(err)
	}
	// It kept the TTL of the set.
	reply, _, err := d.asker(mustServers(t, d.Server)[0]).ask(t.Context(), owner, dns.TypeTXT)
	if err != nil || len(reply.Answer) != 4 {
		t.Fatalf("%v, %v", reply, err)
	}
	for _, rr := range reply.Answer {
		if rr.Header().Ttl != 300 {
			t.Errorf("TTL %d", rr.Header().Ttl)
		}
	}

	newer := draft{host: "two.example", age: -time.Second}.sign(t)
	for _, c := range []struct {
		name string
		key  string // alg:name:secret
		edit func(*DNS)
		want reasons.Reason
	}{
		{name: "wrong secret", key: "hmac-sha256:owner-key:" + strings.Repeat("A", 43) + "=", want: reasons.TSIGRejected},
		{name: "unknown key", key: "hmac-sha256:other:" + secret, want: reasons.TSIGRejected},
		{name: "another algorithm", key: "hmac-sha512:owner-key:" + secret, want: reasons.TSIGRejected},
		// What Knot DNS says of a key that it knows and that may not.
		{name: "a key that may not", key: "hmac-sha256:" + realtest.TSIGIdle + ":" + secret, want: reasons.TSIGRejected},
		{name: "slow clock", edit: func(d *DNS) { d.Now = func() time.Time { return time.Now().Add(-10 * time.Minute) } }, want: reasons.ClockMismatch},
	} {
		bad := *d
		if c.key != "" {
			if bad.Key, err = parseTSIGKey([]byte(c.key)); err != nil {
				t.Fatal(err)
			}
		}
		if c.edit != nil {
			c.edit(&bad)
		}
		raw := newer
		if c.want == reasons.ClockMismatch {
			raw = draft{age: 20 * time.Minute, service: "_xmpp-client._tcp"}.sign(t) // that clock must find it valid
			_, err = bad.Place(source, "_xmpp-client._tcp").Publish(t.Context(), raw)
		} else {
			_, err = bad.Place(source, service).Publish(t.Context(), raw)
		}
		if got := delegation.ReasonOf(err); err == nil || got != c.want {
			t.Errorf("%s: %v, reason %q, want %s", c.name, err, got, c.want)
		}
		if diff := cmp.Diff(want, state()); diff != "" {
			t.Errorf("%s: %s", c.name, diff)
		}
	}
	// A name in the zone that the key may not update: it answers BADKEY, and yet it
	// knows the key.
	_, err = d.Place(source, "_sip._tcp").Publish(t.Context(), draft{service: "_sip._tcp"}.sign(t))
	wantReason(t, err, reasons.UpdateRefused)
	if want := "knows the key owner-key (hmac-sha256) and does not let it change TXT _sip._tcp._dna.b.example."; !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %q in it", err, want)
	}
	// A zone that the key may not update, and one that the server does not have.
	_, err = d.Place("c.example", service).Publish(t.Context(), draft{source: "c.example"}.sign(t))
	wantReason(t, err, reasons.TSIGRejected)
	_, err = d.Place("d.example", service).Publish(t.Context(), draft{source: "d.example"}.sign(t))
	wantReason(t, err, reasons.DNSFailure)
	foreign := &Update{server: mustServers(t, d.Server)[0], Server: d.Server, Zone: "d.example.", Name: "x.d.example."}
	_, err = d.send(t.Context(), foreign)
	wantReason(t, err, reasons.UpdateRefused)
	// Somebody was faster.
	u.present = u.present[:1]
	if raced, err := d.send(t.Context(), u); !raced || err != nil {
		t.Errorf("raced %v, %v", raced, err)
	}
	if diff := cmp.Diff(want, state()); diff != "" {
		t.Error(diff)
	}
}

// TestKnotTwoAtOnce: many publish at once, and at no moment is there none.
func TestKnotTwoAtOnce(t *testing.T) {
	first := draft{age: time.Hour}.sign(t)
	d, place := knot(t, inZone(line("v=spf1 -all"), record(delegation.JWS, first)))
	var statements [][]byte
	for i := range 6 {
		statements = append(statements, draft{age: time.Duration(6-i) * time.Minute}.sign(t))
	}
	var publishing, watching sync.WaitGroup
	done := make(chan struct{})
	watching.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
			}
			if n := len(recordsAt(t, d.Server)); n != 2 {
				t.Errorf("%d records at one moment", n)
			}
		}
	})
	for _, raw := range statements {
		publishing.Go(func() {
			_, err := place.Publish(t.Context(), raw)
			if reason := delegation.ReasonOf(err); err != nil && reason != reasons.Superseded && reason != reasons.UpdateRaced {
				t.Error(err)
			}
		})
	}
	publishing.Wait()
	close(done)
	watching.Wait()
	newest := statements[len(statements)-1]
	if _, err := place.Publish(t.Context(), newest); err != nil {
		t.Fatal(err)
	}
	if got := recordsAt(t, d.Server); len(got) != 2 || !slices.Contains(got, delegation.JWS.TXTRecord(newest)) {
		t.Errorf("%.80q", got)
	}
}

// TestKnotSecondary: a real secondary lags until the zone is transferred.
func TestKnotSecondary(t *testing.T) {
	d, place := knot(t, inZone(record(delegation.JWS, draft{age: time.Hour}.sign(t))))
	second, transfer := realtest.KnotSecondary(t, d.Server, "b.example")
	d.Authorities = append(d.Authorities, second)
	fresh := draft{}.sign(t)
	if _, err := place.Publish(t.Context(), fresh); err != nil {
		t.Fatal(err)
	}
	err := place.Check(t.Context(), fresh)
	wantReason(t, err, reasons.NotEverywhere)
	if !strings.Contains(err.Error(), second+" shows the statement issued") || strings.Contains(err.Error(), d.Server) {
		t.Error(err)
	}
	transfer()
	d.Wait = realtest.Timeout
	if err := place.Check(t.Context(), fresh); err != nil {
		t.Error(err)
	}
	views, err := place.Current(t.Context())
	if err != nil || len(views) != 2 {
		t.Fatalf("%+v, %v", views, err)
	}
	for _, v := range views {
		if len(v.Found) != 1 || string(v.Found[0].Statement.Raw) != string(fresh) {
			t.Errorf("%+v", v)
		}
	}
}

// TestNsupdate: the printed script does the same, by two programs.
func TestNsupdate(t *testing.T) {
	realtest.Need(t, "nsupdate", "knsupdate")
	odd := `odd \"quoted\" \\ \000\255;`
	d, place := knot(t, inZone(line(odd), line("v=DNA1"), record(delegation.JWS, draft{age: time.Hour}.sign(t))))
	dir := t.TempDir()
	key := realtest.TSIGFile(t, dir, realtest.TSIGName, realtest.TSIGSecret)
	for i, program := range [][]string{
		{"nsupdate", "-k", key},
		{"knsupdate", "-y", realtest.TSIGKey},
	} {
		fresh := draft{age: time.Minute - time.Duration(i)*time.Second}.sign(t)
		u, err := place.Plan(t.Context(), fresh)
		if err != nil {
			t.Fatal(err)
		}
		file := realtest.WriteFile(t, dir, "script", u.Script())
		realtest.Output(t, dir, program[0], append(program[1:], file)...)
		want := sorted(odd, delegation.JWS.TXTRecord(fresh))
		if diff := cmp.Diff(want, sorted(recordsAt(t, d.Server)...)); diff != "" {
			t.Errorf("%s: %s", program[0], diff)
		}
	}
	// The prerequisite holds there too: a script that is out of date changes
	// nothing.
	u, err := place.Plan(t.Context(), draft{}.sign(t))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := place.Publish(t.Context(), draft{age: time.Second}.sign(t)); err != nil {
		t.Fatal(err)
	}
	before := sorted(recordsAt(t, d.Server)...)
	file := realtest.WriteFile(t, dir, "script", u.Script())
	realtest.Output(t, dir, "sh", "-c", "! nsupdate -k "+key+" "+file)
	if diff := cmp.Diff(before, sorted(recordsAt(t, d.Server)...)); diff != "" {
		t.Error(diff)
	}
}
