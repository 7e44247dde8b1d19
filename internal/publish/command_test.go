package publish

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/setup"
)

// asCommand is the first argument with which this test's program changes records.
const asCommand = "change-records"

// The ways in which the program keeps its contract, or does not.
const (
	obeys      = "obeys"
	doesNot    = "does-nothing" // and says that all is well
	fails      = "fails"
	removesAll = "removes-all"  // in place of one record, as functions of acme.sh do
	failsToAdd = "fails-to-add" // anything but what it has removed
	diesAfter  = "dies-after"   // removing all records
	lags       = "lags"         // what it removes is shown until something is added
)

// changeRecords keeps the contract of docs/publish.md, or not. The arguments are
// how, the server, a file to note the call in, and those of the contract.
func changeRecords(args []string) error {
	how, server, journal, action, name, zone := args[0], args[1], args[2], args[3], args[4], args[5]
	ttl, err := strconv.Atoi(args[6])
	if err != nil {
		return err
	}
	value, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	text, whole := strings.CutSuffix(string(value), "\n")
	if whole != (action != actionCheck) {
		return fmt.Errorf("the value is %q", value)
	}
	f, err := os.OpenFile(journal, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s %s %s %d %s\n", action, name, zone, ttl, strings.Join(os.Environ(), " "))
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	removed, _ := os.ReadFile(journal + ".removed")
	switch {
	case how == fails, how == failsToAdd && action == actionPresent && string(removed) != text:
		return errors.New("the token is not valid")
	case how == failsToAdd && action == actionAbsent:
		if err := os.WriteFile(journal+".removed", []byte(text), 0o600); err != nil {
			return err
		}
	}
	switch {
	case how == doesNot, action == actionCheck, how == lags && action == actionAbsent:
		return nil
	}
	key, err := parseTSIGKey([]byte("hmac-sha256:owner-key:" + secret))
	if err != nil {
		return err
	}
	d := &DNS{Server: server, Authorities: []string{server}, Resolver: server, Key: key, TTL: time.Duration(ttl) * time.Second}
	_, err = d.Place(source, service).update(context.Background(), func(u *Update) error {
		for _, rr := range u.present {
			switch same := strings.Join(rr.(*dns.TXT).Txt, "") == text; {
			case action == actionPresent && same:
				return nil
			case action == actionAbsent && (same || how == removesAll || how == diesAfter), how == lags:
				u.remove = append(u.remove, rr)
			}
		}
		if action == actionPresent {
			record := &dns.TXT{Hdr: dns.RR_Header{Name: u.Name, Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: uint32(ttl)}}
			for piece := range slices.Chunk([]byte(text), 255) {
				record.Txt = append(record.Txt, string(piece))
			}
			u.add = []dns.RR{record}
		}
		return nil
	})
	if err == nil && how == diesAfter && action == actionAbsent {
		return errors.New("the connection broke")
	}
	return err
}

// commanded is a place that this test's program changes, and what notes its calls.
func commanded(t *testing.T, s *dnsserver.Server, how string, edit ...func(*DNS)) (place *Commanded, calls func() []string) {
	t.Helper()
	journal := filepath.Join(t.TempDir(), "journal")
	d := &DNS{Owner: Owner{Roots: around.CA.Pool()}, Authorities: []string{s.Addr}, Resolver: s.Addr, TTL: 10 * time.Minute}
	for _, e := range edit {
		e(d)
	}
	return d.Commanded(source, service, []string{os.Args[0], asCommand, how, s.Addr, journal}), func() (list []string) {
		data, err := os.ReadFile(journal)
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(data)) {
			list = append(list, strings.Fields(line)[0])
		}
		return list
	}
}

func updatable(t *testing.T, records ...string) *dnsserver.Server {
	t.Helper()
	s := setup.DNS(t, zone(records...)...)
	s.AllowUpdates("owner-key", secret)
	return s
}

// TestCommand: from nothing to a statement, to the next, to a revocation, to none.
func TestCommand(t *testing.T) {
	t.Setenv("TOKEN", "of somebody")
	s := updatable(t, line("v=spf1 -all"), line("v=DNA1"))
	place, calls := commanded(t, s, obeys)
	first, next := draft{age: time.Hour}.sign(t), draft{}.sign(t)
	publish := func(raw []byte, changed bool, replaced int) {
		t.Helper()
		change, err := place.Publish(t.Context(), raw)
		if err != nil || change.Changed != changed || change.Replaced != replaced || change.Name != owner || change.Where != filepath.Base(os.Args[0]) {
			t.Fatalf("%+v, %v", change, err)
		}
		if err := place.Check(t.Context(), raw); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(sorted("v=spf1 -all", delegation.JWS.TXTRecord(raw)), sorted(recordsAt(t, s.Addr)...)); diff != "" {
			t.Fatal(diff)
		}
	}
	publish(first, true, 1) // the half of one is gone
	publish(first, false, 0)
	publish(next, true, 1)
	if diff := cmp.Diff([]string{"present", "absent", "present", "absent"}, calls()); diff != "" {
		t.Error(diff)
	}
	_, err := place.Publish(t.Context(), first)
	wantReason(t, err, reasons.Superseded)
	if change, err := place.Try(t.Context()); err != nil || change.Changed {
		t.Errorf("%+v, %v", change, err)
	}
	change, err := place.Remove(t.Context(), func(in *delegation.Inspection) bool { return string(in.Raw) == string(next) })
	if err != nil || !change.Changed || change.Replaced != 1 {
		t.Errorf("%+v, %v", change, err)
	}
	if diff := cmp.Diff([]string{"v=spf1 -all"}, recordsAt(t, s.Addr)); diff != "" {
		t.Error(diff)
	}
	journal, err := os.ReadFile(place.args[4])
	if err != nil || !strings.HasPrefix(string(journal), "present _xmpp-server._tcp._dna.b.example b.example 600 ") || strings.Contains(string(journal), "TOKEN") || !strings.Contains(string(journal), "PATH=") {
		t.Errorf("%s, %v", journal, err)
	}
}

// TestCommandFaults: what a program does wrong is seen, and the old statement stays.
func TestCommandFaults(t *testing.T) {
	old, fresh := draft{age: time.Hour}.sign(t), draft{}.sign(t)
	soon := func(d *DNS) { d.showTime = 50 * time.Millisecond }
	for _, c := range []struct {
		name, how, says string
		want            []string
	}{
		{"fails", fails, "present _xmpp-server._tcp._dna.b.example failed (exit status 3): it says: the token is not valid", []string{"present"}},
		{"does nothing", doesNot, "has ended well after present, and no name server of b.example shows the record", []string{"present"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := updatable(t, record(delegation.JWS, old))
			place, calls := commanded(t, s, c.how, soon)
			_, err := place.Publish(t.Context(), fresh)
			wantReason(t, err, reasons.UpdateFailed)
			if !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %q", err, c.says)
			}
			if diff := cmp.Diff(c.want, calls()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{delegation.JWS.TXTRecord(old)}, recordsAt(t, s.Addr)); diff != "" {
				t.Error(diff)
			}
		})
	}
	for name, c := range map[string]struct{ how, fails string }{"removes all": {removesAll, ""}, "removes all and fails": {diesAfter, "the connection broke"}} {
		t.Run(name, func(t *testing.T) {
			s := updatable(t, record(delegation.JWS, old))
			place, calls := commanded(t, s, c.how)
			if _, err := place.Publish(t.Context(), fresh); c.fails == "" && err != nil || c.fails != "" && (delegation.ReasonOf(err) != reasons.UpdateFailed || !strings.Contains(err.Error(), c.fails)) {
				t.Errorf("%v, want %q", err, c.fails)
			}
			if diff := cmp.Diff([]string{"present", "absent", "present"}, calls()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]string{delegation.JWS.TXTRecord(fresh)}, recordsAt(t, s.Addr)); diff != "" {
				t.Error(diff)
			}
		})
	}
	t.Run("records for a shell, and many", func(t *testing.T) {
		hostile := []string{"v=DNA1; $(id)", "v=DNA1; .*", "v=DNA1; `id`", "v=DNA1; 'x"}
		var records []string
		for _, text := range hostile {
			records = append(records, line(text))
		}
		for i := range 2 * maxRemoved {
			records = append(records, line(fmt.Sprintf("v=DNA1; x=%d", i)))
		}
		s := updatable(t, records...)
		place, calls := commanded(t, s, obeys)
		if change, err := place.Publish(t.Context(), fresh); err != nil || change.Replaced != maxRemoved || len(calls()) != 1+maxRemoved {
			t.Fatalf("%+v, %v, %d calls", change, err, len(calls()))
		}
		there := recordsAt(t, s.Addr)
		for _, text := range append(hostile, delegation.JWS.TXTRecord(fresh)) {
			if !slices.Contains(there, text) {
				t.Errorf("%.20q is not there", text)
			}
		}
	})
	t.Run("no such program", func(t *testing.T) {
		s := updatable(t)
		d := &DNS{Authorities: []string{s.Addr}, Resolver: s.Addr}
		_, err := d.Commanded(source, service, []string{"/no/such/program", "secret"}).Publish(t.Context(), fresh)
		wantReason(t, err, reasons.UpdateFailed)
		if !strings.Contains(err.Error(), "no such file") || strings.Contains(err.Error(), "secret") {
			t.Error(err)
		}
	})
	t.Run("an alias", func(t *testing.T) {
		s := updatable(t, owner+" IN CNAME link.b.example.")
		place, calls := commanded(t, s, obeys)
		change, err := place.Publish(t.Context(), fresh)
		if err != nil || change.Name != "link.b.example." || len(calls()) != 1 {
			t.Errorf("%+v, %v, %q", change, err, calls())
		}
		if err := place.Check(t.Context(), fresh); err != nil {
			t.Error(err)
		}
	})
	t.Run("an alias with characters for a shell", func(t *testing.T) {
		s := updatable(t, owner+` IN CNAME a\;b.b.example.`)
		place, calls := commanded(t, s, obeys)
		_, err := place.Publish(t.Context(), fresh)
		wantReason(t, err, reasons.UpdateRefused)
		if len(calls()) > 0 {
			t.Error(calls())
		}
	})
}

// A stopper stops somebody when the program has removed a record.
type stopper struct {
	slog.Handler
	stop func()
}

func (s *stopper) Enabled(context.Context, slog.Level) bool { return true }

func (s *stopper) Handle(_ context.Context, r slog.Record) error {
	r.Attrs(func(a slog.Attr) bool {
		if a.Key == "action" && a.Value.String() == actionAbsent {
			s.stop()
		}
		return true
	})
	return nil
}

// TestCommandRoom: a provider that has no room for old and new together.
func TestCommandRoom(t *testing.T) {
	var hosts []string
	for i := range 12 {
		hosts = append(hosts, fmt.Sprintf("a-host-with-a-long-name-%d.hosting.example", i))
	}
	old, fresh := draft{age: time.Hour, host: strings.Join(hosts, " ")}.sign(t), draft{host: strings.Join(hosts, " ")}.sign(t)
	for _, c := range []struct {
		how     string
		stopped bool // once the old one is removed
		calls   []string
		after   []byte
	}{
		{obeys, false, []string{"absent", "present"}, fresh},
		{lags, false, []string{"absent", "present"}, fresh},
		{failsToAdd, false, []string{"absent", "present", "present"}, old},
		{obeys, true, []string{"absent", "present"}, old},
	} {
		ctx, stop := context.WithCancel(t.Context())
		defer stop()
		logger := slog.New(&stopper{slog.DiscardHandler, func() {
			if c.stopped {
				stop()
			}
		}})
		s := setup.DNS(t, "b.example. 3600 IN SOA ns1-04.azure-dns.com. h.b.example. 1 60 60 60 60",
			"b.example. IN NS ns1-04.azure-dns.com.", "ns1-04.azure-dns.com. IN A 127.0.0.1", record(delegation.JWS, old))
		s.AllowUpdates("owner-key", secret)
		place, calls := commanded(t, s, c.how, func(d *DNS) {
			d.Authorities, d.port, d.Logger, d.showTime = nil, mustServers(t, s.Addr)[0].Port(), logger, time.Minute
			if c.how == lags {
				d.showTime = 50 * time.Millisecond
			}
		})
		switch _, err := place.Publish(ctx, fresh); {
		case c.how == failsToAdd, c.stopped:
			wantReason(t, err, reasons.UpdateFailed)
		case err != nil:
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.calls, calls()); diff != "" {
			t.Error(diff)
		}
		if diff := cmp.Diff([]string{delegation.JWS.TXTRecord(c.after)}, recordsAt(t, s.Addr)); diff != "" {
			t.Error(diff)
		}
	}
}

// TestProviders: how sizes are counted, and how providers are known.
func TestProviders(t *testing.T) {
	for unit, want := range map[Unit][2]int{Characters: {255, 3396}, Quoted: {257, 3396 + 14*2 + 13}, Wire: {256, 3396 + 14}} {
		if got := [2]int{unit.size(strings.Repeat("x", 255)), unit.size(strings.Repeat("x", 3396))}; got != want {
			t.Errorf("%s: %d, want %d", unit, got, want)
		}
	}
	for server, want := range map[string]string{
		"ns-323.awsdns-40.com": "Amazon Route 53", "Kim.NS.Cloudflare.com.": "Cloudflare", "ns1-04.azure-dns.info": "Azure DNS",
		"ns2.dnsimple-edge.net": "DNSimple", "ns1.name.com": "name.com", "dns29.hichina.com": "Alibaba Cloud DNS",
		"ns1.b.example": "", "192.0.2.1:53": "", "ns.cloudflare.com.b.example": "", "nsname.com": "",
	} {
		got := ""
		if p := ProviderOf("ns.b.example", server); p != nil {
			got = p.Name
		}
		if got != want {
			t.Errorf("%s: %q, want %q", server, got, want)
		}
	}
	// A statement with a chain of the size of Let's Encrypt's, measured.
	jws, ac := strings.Repeat("x", 4121), strings.Repeat("x", 3396)
	if got := TooLarge(jws); !slices.Contains(got, "Cloudflare") || !slices.Contains(got, "Amazon Route 53") {
		t.Errorf("JWS: %q", got)
	}
	if got := TooLarge(ac); slices.Contains(got, "Cloudflare") || slices.Contains(got, "Amazon Route 53") || !slices.Contains(got, "DNSimple") {
		t.Errorf("AC: %q", got)
	}
	cloudflare := ProviderOf("kim.ns.cloudflare.com")
	if got := cloudflare.Exceeded(jws); got != "the TXT record has 4138 bytes on the wire, and Cloudflare takes 4096" {
		t.Error(got)
	}
	if !cloudflare.together([]string{ac, ac}) || cloudflare.together([]string{jws, ac, ac}) || ProviderOf("ns1-04.azure-dns.com").together([]string{ac, ac}) {
		t.Error("together")
	}
	// What is told before there is a statement is not more than it has, and little less.
	raw := draft{encoding: delegation.AC}.sign(t)
	likely, is := len(Likely(around.Of(source).Chain())), len(delegation.AC.TXTRecord(raw))
	if likely > is || likely < is-40 {
		t.Errorf("%d characters, and is %d", likely, is)
	}
	var none *Provider
	if none.Exceeded(jws) != "" || !none.together([]string{jws, jws}) {
		t.Error("an unknown provider has a limit")
	}
}

// TestProvidersDocumented: the page has the table of the code.
func TestProvidersDocumented(t *testing.T) {
	page, err := os.ReadFile("../../docs/publish.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(page), "<!-- providers: a test compares this table with the code -->\n")
	table, _, _ = strings.Cut(table, "\n\n")
	want := "| provider | name servers | one record | all records of the name | source |\n| --- | --- | --- | --- | --- |"
	for _, p := range providers {
		together := " "
		if p.Together > 0 {
			together = fmt.Sprintf(" %d characters ", p.Together)
		}
		want += fmt.Sprintf("\n| %s | `%s` | %d %s |%s| %s |", p.Name, strings.Join(p.NameServers, "`, `"), p.Most, p.Unit, together, p.Source)
	}
	if diff := cmp.Diff(want, table); diff != "" {
		t.Error(diff)
	}
}
