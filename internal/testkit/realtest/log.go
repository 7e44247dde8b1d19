package realtest

import (
	"bytes"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"
)

// A Log is what a server has printed so far. It is safe for use by several
// goroutines.
type Log struct {
	mu    sync.Mutex
	text  []byte
	grown chan struct{} // closed when more is there
}

func newLog() *Log { return &Log{grown: make(chan struct{})} }

// Write adds to the log.
func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.text = append(l.text, p...)
	close(l.grown)
	l.grown = make(chan struct{})
	return len(p), nil
}

// String is all of it.
func (l *Log) String() string {
	text, _ := l.read()
	return string(text)
}

// Mark is where the log ends now, for [Log.Wait].
func (l *Log) Mark() int {
	text, _ := l.read()
	return len(text)
}

func (l *Log) read() ([]byte, chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text[:len(l.text):len(l.text)], l.grown
}

// Tells waits for a line as Wait does, and wants it to hold more.
func (l *Log) Tells(t testing.TB, mark int, pattern string, parts ...string) {
	t.Helper()
	line := l.Wait(t, mark, pattern)
	for _, part := range parts {
		if !strings.Contains(line, part) {
			t.Errorf("the line does not tell %q:\n%s", part, line)
		}
	}
}

// Wait waits for a whole line after a mark that matches a regular expression,
// and returns it. The test fails if none comes within [Timeout].
func (l *Log) Wait(t testing.TB, mark int, pattern string) string {
	t.Helper()
	line := regexp.MustCompile("(?m)^.*(?:" + pattern + ").*\n")
	late := time.After(Timeout)
	for {
		text, grown := l.read()
		if found := line.Find(text[mark:]); found != nil {
			return string(bytes.TrimSpace(found))
		}
		select {
		case <-grown:
		case <-late:
			t.Fatalf("no line like %q within %v in:\n%s", pattern, Timeout, text[mark:])
		}
	}
}
