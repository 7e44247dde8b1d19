package signing

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/wholefile"
)

func (b *bench) read(file string) *State {
	b.Helper()
	s, err := ReadState(file)
	b.must(err)
	return s
}

func TestState(t *testing.T) {
	b := newBench(t)
	file := StateFile(filepath.Join(t.TempDir(), "dna.yaml"))
	s := b.read(file)
	if s.Of(source, service) != nil || s.Of(source, service).Earlier() != nil {
		t.Error("something is remembered")
	}
	older, newer := b.certificate(2*day), b.certificate(day)
	first, second := b.statement(older, time.Hour), b.statement(newer, time.Minute)
	s.Add(first, false)
	s.Add(second, true)
	b.must(s.Save(t.Context()))
	info, err := os.Stat(file)
	b.must(err)
	if info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v", info.Mode())
	}
	data, err := os.ReadFile(file)
	b.must(err)
	if strings.Contains(string(data), "PRIVATE") || len(data) > 1200 {
		t.Errorf("the file holds %s", data)
	}
	r := b.read(file).Of(source, service)
	if !r.Is(second) || r.Is(first) || !r.Newest.Kept || r.Newest.Order != second.Order() || len(r.Certificates) != 2 {
		t.Fatalf("remembered %+v", r)
	}
	if r.Certificates[0].SHA256 != Fingerprint(newer.Leaf()) || !r.Certificates[0].NotAfter.Equal(newer.Leaf().NotAfter) {
		t.Errorf("certificates %+v", r.Certificates)
	}
	// Each of them is compared with.
	if e := r.Earlier(); len(e) != 2 || e[0].Order != second.Order() || !e[1].Order.Issuance.Equal(older.Leaf().NotBefore) {
		t.Errorf("earlier %+v", e)
	}
	for _, c := range []struct {
		published *delegation.Inspection
		want      bool
	}{{nil, true}, {first, true}, {second, false}, {b.statement(newer, 0), false}} {
		if got := r.Unpublished(c.published); got != c.want {
			t.Errorf("unpublished beside %v: %t", c.published, got)
		}
	}
}

// TestManyCertificates: a bound on what is kept, and the newest stay.
func TestManyCertificates(t *testing.T) {
	b := newBench(t)
	s := b.read("")
	for i := range maxCertificates + 3 {
		s.Add(b.statement(b.certificate(time.Duration(20-i)*day), time.Hour), false)
	}
	r := s.Of(source, service)
	if len(r.Certificates) != maxCertificates || !r.Certificates[0].Issuance.Equal(b.Now.Truncate(time.Second).Add(-time.Duration(20-maxCertificates-2)*day)) {
		t.Errorf("%d certificates, the newest of %s", len(r.Certificates), r.Certificates[0].Issuance)
	}
}

// TestForced: what was signed last is the newest, though its order is below one
// from the future.
func TestForced(t *testing.T) {
	b := newBench(t)
	file := filepath.Join(t.TempDir(), "state")
	own := b.certificate(day)
	s := b.read(file)
	s.Add(b.statement(own, -time.Hour), false)
	b.must(s.Save(t.Context()))
	s = b.read(file)
	now := b.statement(own, 0)
	s.Add(now, false)
	b.must(s.Save(t.Context()))
	if !b.read(file).Of(source, service).Is(now) {
		t.Error("the one from the future is the newest still")
	}
}

// TestForcedBetween: an older certificate was forced to sign since. What the
// newer one signed before that is not forgotten.
func TestForcedBetween(t *testing.T) {
	b := newBench(t)
	file := filepath.Join(t.TempDir(), "state")
	older, newer := b.certificate(2*day), b.certificate(day)
	ahead := b.statement(newer, -4*time.Minute)
	for _, in := range []*delegation.Inspection{ahead, b.statement(older, 0)} {
		s := b.read(file)
		s.Add(in, false)
		b.must(s.Save(t.Context()))
	}
	issued, _, err := Moment(newer.Leaf(), b.Now, b.read(file).Of(source, service).Earlier(), false)
	b.must(err)
	if !issued.After(ahead.Statement.Issued) {
		t.Errorf("issued at %s, after a statement of %s by the same certificate", issued, ahead.Statement.Issued)
	}
}

// TestTogether: two processes write one file, and nothing is lost.
func TestTogether(t *testing.T) {
	b := newBench(t)
	file := filepath.Join(t.TempDir(), "state")
	own := b.certificate(day)
	newest := b.statement(own, 0)
	var all sync.WaitGroup
	states := []*State{b.read(file), b.read(file), b.read(file), b.read(file)} // before anybody writes
	for i, s := range states {
		in := newest
		if i > 0 {
			in = b.statement(b.certificate(time.Duration(i+1)*day), time.Duration(i)*time.Minute)
		}
		all.Go(func() {
			s.Add(in, false)
			if err := s.Save(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if r := b.read(file).Of(source, service); !r.Is(newest) || len(r.Certificates) != 4 {
		t.Errorf("%+v", r)
	}
}

// TestFirstFile: whoever waits for the folder, since there was no file yet, then
// waits for the file that another process has written meanwhile.
func TestFirstFile(t *testing.T) {
	b := newBench(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "state")
	first, second := b.read(file), b.read(file)
	first.Add(b.statement(b.certificate(day), 0), false)
	second.Add(b.statement(b.certificate(2*day), time.Minute), false)
	leave, err := wholefile.Lock(t.Context(), dir)
	b.must(err)
	saved := make(chan error, 1)
	go func() { saved <- second.Save(t.Context()) }()
	time.Sleep(100 * time.Millisecond) // it waits for the folder, as a rule
	elsewhere := b.read(filepath.Join(t.TempDir(), "state"))
	elsewhere.signed = first.signed
	b.must(elsewhere.Save(t.Context()))
	b.must(os.Rename(elsewhere.file, file))
	unlock, err := wholefile.Lock(t.Context(), file)
	b.must(err)
	leave()
	select {
	case err := <-saved:
		t.Fatalf("written while the file is locked: %v", err)
	case <-time.After(200 * time.Millisecond):
	}
	unlock()
	b.must(<-saved)
	if r := b.read(file).Of(source, service); len(r.Certificates) != 2 {
		t.Errorf("%+v", r)
	}
}

// TestSameMoment: two processes sign for different targets in one second. Whoever
// is later is told to sign again, since verifiers would accept neither.
func TestSameMoment(t *testing.T) {
	b := newBench(t)
	file := filepath.Join(t.TempDir(), "state")
	own := b.certificate(day)
	one, two, three := b.read(file), b.read(file), b.read(file)
	first := b.statement(own, 0)
	one.Add(first, false)
	b.must(one.Save(t.Context()))
	two.Add(b.statement(own, 0, "other.example"), false)
	if err := two.Save(t.Context()); delegation.ReasonOf(err) != reasons.Conflict || !strings.Contains(err.Error(), "sign again") {
		t.Errorf("other targets: %v", err)
	}
	if !b.read(file).Of(source, service).Is(first) {
		t.Error("what was signed first is forgotten")
	}
	three.Add(b.statement(own, 0), false)
	b.must(three.Save(t.Context()))
}

// TestDamaged: a clear error, never a memory that has forgotten.
func TestDamaged(t *testing.T) {
	b := newBench(t)
	dir := t.TempDir()
	file := filepath.Join(dir, "state")
	s := b.read(file)
	s.Add(b.statement(b.certificate(day), 0), false)
	b.must(s.Save(t.Context()))
	good, err := os.ReadFile(file)
	b.must(err)
	record := strings.TrimSuffix(strings.TrimPrefix(strings.TrimSpace(string(good)), `{"version":1,"signed":[`), "]}")
	for name, data := range map[string]string{
		"empty":              "",
		"cut":                string(good[:len(good)/2]),
		"another version":    strings.Replace(string(good), `"version":1`, `"version":2`, 1),
		"an unknown member":  strings.Replace(string(good), `"source"`, `"origin"`, 1),
		"something after it": string(good) + "{}",
		"a domain twice":     `{"version":1,"signed":[` + record + "," + record + "]}",
		"no domain":          strings.Replace(string(good), source, "B.", 1),
		"no id":              strings.Replace(string(good), `"id":"`, `"id":"!`, 1),
		"a digest too short": strings.Replace(string(good), `"sha256":"`, `"sha256":"0`, 1),
		"null":               "null",
	} {
		b.must(os.WriteFile(file, []byte(data), 0o600))
		_, err := ReadState(file)
		if delegation.ReasonOf(err) != reasons.BadFile || !strings.Contains(err.Error(), "is damaged") {
			t.Errorf("%s: %v", name, err)
		}
		if err := s.Save(t.Context()); delegation.ReasonOf(err) != reasons.BadFile {
			t.Errorf("%s is written over: %v", name, err)
		}
	}
}
