package realtest

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// A recorder notes how a test would have ended.
type recorder struct {
	testing.TB
	end string
}

func (r *recorder) Helper() {}

func (r *recorder) Fatalf(string, ...any) { r.end = "failed"; runtime.Goexit() }

func (r *recorder) Skipf(string, ...any) { r.end = "skipped"; runtime.Goexit() }

// outcome runs f as a test would be run.
func outcome(t *testing.T, f func(t testing.TB)) string {
	r := &recorder{TB: t, end: "ran"}
	done := make(chan struct{})
	go func() {
		defer close(done)
		f(r)
	}()
	<-done
	return r.end
}

func TestNeed(t *testing.T) {
	const absent = "a-program-that-nobody-has"
	for _, tt := range []struct {
		name, variable, want string
		f                    func(t testing.TB)
	}{
		{"no program", "1", "ran", func(t testing.TB) { Need(t) }},
		{"program", "1", "ran", func(t testing.TB) { Need(t, "go") }},
		{"no such program", "", "skipped", func(t testing.TB) { Need(t, "go", absent) }},
		{"no such program, required", "1", "failed", func(t testing.TB) { Need(t, "go", absent) }},
		{"variable without meaning", "yes", "skipped", func(t testing.TB) { Need(t, absent) }},
		{"file", "1", "ran", func(t testing.TB) { NeedFile(t, "realtest.go", ".") }},
		{"no such file", "", "skipped", func(t testing.TB) { NeedFile(t, "realtest.go", absent) }},
		{"no such file, required", "1", "failed", func(t testing.TB) { NeedFile(t, absent) }},
	} {
		t.Run(strings.ReplaceAll(tt.name, " ", "-"), func(t *testing.T) {
			t.Setenv(requireReal, tt.variable)
			if got := outcome(t, tt.f); got != tt.want {
				t.Errorf("test %s, want %s", got, tt.want)
			}
		})
	}
}

// TestLog: Wait sees whole lines after the mark, written before or later.
func TestLog(t *testing.T) {
	l := newLog()
	l.Write([]byte("first: refused\n"))
	mark := l.Mark()
	go func() {
		l.Write([]byte("second: ref"))
		l.Write([]byte("used\nthird: refused\n"))
	}()
	if line := l.Wait(t, mark, "refused|nothing"); line != "second: refused" {
		t.Errorf("after the mark: %q", line)
	}
	if line := l.Wait(t, 0, "refused"); line != "first: refused" {
		t.Errorf("from the beginning: %q", line)
	}
}

func TestWrapper(t *testing.T) {
	Need(t, "sh", "printf")
	bin := filepath.Join(t.TempDir(), "it's a folder")
	if err := os.Mkdir(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	Wrapper(t, bin, "printf", "exec REAL '[%s]' before \"$@\"\n")
	if got, want := Output(t, bin, filepath.Join(bin, "printf"), "two words", "$x"), "[before][two words][$x]"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	// A program that is in a folder of its own.
	other := t.TempDir()
	Wrapper(t, other, filepath.Join(bin, "printf"), "exec REAL first \"$@\"\n")
	if got, want := Output(t, bin, filepath.Join(other, "printf"), "x"), "[before][first][x]"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
