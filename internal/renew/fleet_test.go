package renew

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/testkit/allocs"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
)

// newFleet is a lab with many domains that are published at a place. Each has a
// certificate of its own and a name in a list.
func newFleet(t testing.TB, n int, place string) *lab {
	t.Helper()
	var domains []string
	for i := range n {
		domains = append(domains, fmt.Sprintf("d%d.example", i))
	}
	l := newLab(t, domains...)
	if place == "dns" {
		place = "dns: " + l.place()
	}
	l.Write("names", strings.Join(domains, "\n")+"\n")
	l.Write("dna.yaml", `defaults:
  services: [xmpp-server]
  targets: [h.example:5269]
  cert: "{domain}.pem"
  key: "{domain}.key"
  publish: [{`+place+`}]
domains-from: names
`)
	return l
}

// TestFleet: many domains in one run, each in order after it, and a second run
// that changes nothing. BenchmarkFleet is the same with more of them.
func TestFleet(t *testing.T) {
	const domains = 300
	l := newFleet(t, domains, "dns")
	report := l.quiet(false)
	if want := (Counts{Signed: domains}); report.Counts != want || report.Outcome != verified {
		t.Fatalf("first run: %+v\n%.2000s", report.Counts, text(report))
	}
	report = l.quiet(false)
	if want := (Counts{Kept: domains}); report.Counts != want || report.Outcome != verified || l.updates() != domains {
		t.Errorf("second run: %+v, %d updates", report.Counts, l.updates())
	}
	for _, e := range report.Delegations {
		if len(e.Verified) != 1 || e.Verified[0].Outcome != verified {
			t.Fatalf("%s: %+v", e.Source, e.Verified)
		}
	}
}

// quiet runs once, writing nothing if dry, without telling of each domain.
func (l *lab) quiet(dry bool) *Report {
	l.Helper()
	c, err := ReadConfig(l.Path("dna.yaml"))
	l.Must(err)
	r := &Runner{Config: c, Roots: l.CA.Pool(), DryRun: dry}
	r.Client.Resolver = l.DNS.Addr
	return r.Run(l.Context())
}

// TestKeptSpares: a run with nothing to do checks each signature once, but for that
// of the certificate, which is checked for the chain in its file and for the
// published one. The certificates are larger than the run's Cache can hold.
func TestKeptSpares(t *testing.T) {
	const domains = 250
	l := newFleet(t, domains, `file: "out/{domain}.{format}"`)
	for i := range domains {
		domain := fmt.Sprintf("d%d.example", i)
		names := []string{domain}
		for n := range 150 {
			names = append(names, fmt.Sprintf("%s.%d.example", strings.Repeat("a", 60), n))
		}
		l.WriteKeys(domain, l.Issue(-day, 60*day, names...))
	}
	if report := l.quiet(false); report.Outcome != verified {
		t.Fatal(text(report))
	}
	raw, err := os.ReadFile(l.Path("out/d0.example.ac"))
	l.Must(err)
	in, err := delegation.Inspect(raw)
	l.Must(err)
	one := allocs.In(t, allocs.SignatureCheck, func() { l.Must(in.Check(time.Now())) })
	all := allocs.In(t, allocs.SignatureCheck, func() {
		if report := l.quiet(false); report.Counts != (Counts{Kept: domains}) {
			t.Error(text(report))
		}
	})
	// With the race detector now and then a check allocates once more.
	if one == 0 || all >= 5*one*domains {
		t.Errorf("as much memory as %.2f signature checks for each domain, want 4", float64(all)/float64(one)/domains)
	}
}

// TestFewUpdatesAtOnce: one server gets a few updates at a time, however many
// domains there are.
func TestFewUpdatesAtOnce(t *testing.T) {
	l := newFleet(t, 4*workers, "dns")
	l.Must(l.DNS.Fault("", "UPDATE", dnsserver.Fault{Delay: time.Hour}))
	// Every update hangs. Only as many come as may be under way.
	c, err := ReadConfig(l.Path("dna.yaml"))
	l.Must(err)
	r := &Runner{Config: c, Roots: l.CA.Pool()}
	r.Client.Resolver = l.DNS.Addr
	ended := make(chan *Report)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { ended <- r.Run(ctx) }()
	// All workers have looked, and those that may have looked once more.
	for l.updates() < updatesPerServer || l.queries("TXT") < workers+updatesPerServer {
		time.Sleep(time.Millisecond)
	}
	cancel()
	report := <-ended
	if n := l.updates(); n != updatesPerServer {
		t.Errorf("%d updates at once", n)
	}
	if report.Counts.Failed != 4*workers {
		t.Errorf("%+v", report.Counts)
	}
}

// BenchmarkFloorSignatures is the least that signing a fleet could cost: one
// raw ECDSA signature for each domain.
func BenchmarkFloorSignatures(b *testing.B) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256([]byte("statement"))
	for b.Loop() {
		if _, err := ecdsa.SignASN1(rand.Reader, key, digest[:]); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFleet is one run over as many domains as -benchtime says, such as
// 10000x, each with a key and a certificate of its own. sign is a dry run:
// reading certificates and keys, planning and signing. file adds writing files,
// flushed to the disk, and verifying them; dns updates of a server, and finding
// and verifying them as a stranger would. That server is in the same process
// and takes its share. kept is the second run.
func BenchmarkFleet(b *testing.B) {
	const toFiles = `file: "out/{domain}.{format}"`
	for _, c := range []struct {
		name, place string
		dry, kept   bool
	}{
		{"sign", toFiles, true, false},
		{"file", toFiles, false, false},
		{"file-kept", toFiles, false, true},
		{"dns", "dns", false, false},
		{"dns-kept", "dns", false, true},
	} {
		b.Run(c.name, func(b *testing.B) {
			l := newFleet(b, b.N, c.place)
			want := Counts{Signed: b.N}
			if c.kept {
				l.quiet(false)
				want = Counts{Kept: b.N}
			}
			b.ResetTimer()
			report := l.quiet(c.dry)
			b.StopTimer()
			if report.Counts != want || report.Outcome != verified {
				b.Fatalf("%+v\n%.2000s", report.Counts, text(report))
			}
		})
	}
}
