package cli

import (
	"strings"
	"testing"
)

// TestWrap: lines are broken between words, never inside one, and hang where
// their text begins.
func TestWrap(t *testing.T) {
	for _, tt := range []struct {
		name, line string
		width      int
		want       string
	}{
		{"fits", "one two", 7, "one two"},
		{"hangs", "hint: one two three", 14, "hint: one two\n    three"},
		{"indented", "  hint: one two three", 14, "  hint: one\n    two three"},
		{"table", "    OK    txt        1 found, and a second one that is long", 50, "    OK    txt        1 found, and a second one\n                     that is long"},
		{"table in a narrow place", "    OK    txt        1 found, and a second one", 36, "    OK    txt        1 found, and a\n        second one"},
		{"a long word", "see https://b.example/.well-known/dna/_xmpp-server._tcp.jws there", 52, "see\nhttps://b.example/.well-known/dna/_xmpp-server._tcp.jws\n    there"},
		{"a word that just fits", "    OK    txt        see _xmpp-server._tcp._dna.b.example", 40, "    OK    txt        see\n        _xmpp-server._tcp._dna.b.example"},
		{"a command can be typed", "  dnasign renew --config dna.yaml --dry-run", 30, "  dnasign renew --config \\\n      dna.yaml --dry-run"},
		{"colours have no width", "\x1b[32mVERIFIED\x1b[0m until tomorrow", 23, "\x1b[32mVERIFIED\x1b[0m until tomorrow"},
		{"letters, not bytes", "äöü äöü", 7, "äöü äöü"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := wrap(tt.line, tt.width, hanging)
			if got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
}

// TestWrapped: only whole lines are broken, and only where the width is known.
func TestWrapped(t *testing.T) {
	var b strings.Builder
	t.Setenv("COLUMNS", "")
	if w := Wrapped(&b); w != &b {
		t.Errorf("%T: what is no terminal has lines of any width", w)
	}
	t.Setenv("COLUMNS", "20")
	w := Wrapped(&b)
	for _, text := range []string{"one two three four five\n", "\r step 1 of a thousand steps", "\n"} {
		if n, err := w.Write([]byte(text)); n != len(text) || err != nil {
			t.Errorf("%d octets written, %v", n, err)
		}
	}
	if got, want := b.String(), "one two three four\n    five\n\r step 1 of a thousand steps\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestReflow: the lines of a paragraph are joined, examples are not.
func TestReflow(t *testing.T) {
	got := reflow("one\ntwo\n\n  three\n  four\n\nfive\nsix")
	if want := "one two\n\n  three\n  four\n\nfive six"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
