package text

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestShort(t *testing.T) {
	tests := []struct{ in, want string }{
		{"b.example", "b.example"},
		{"", ""},
		{"Zürich", "Zürich"},
		{"red \x1b[31m", "red ?[31m"},
		{"two\nlines\r", "two?lines?"},
		{"right \u202e left", "right ? left"},
		{"not UTF-8 \xff", "not UTF-8 ?"},
		{"16 octets and no", "16 octets and no"},
		{"17 octets and no!", "17 octets and no... (17 octets)"},
		{"the last one is ü", "the last one is ... (18 octets)"},
	}
	for _, test := range tests {
		if got := Short(test.in, 16); got != test.want {
			t.Errorf("Short(%q) = %q, want %q", test.in, got, test.want)
		}
	}
}

func FuzzShort(f *testing.F) {
	f.Add("\x1b]0;title\a", 7)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		if limit < 0 || limit > 1<<10 {
			t.Skip()
		}
		got := Short(s, limit)
		if !utf8.ValidString(got) || strings.ContainsFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }) {
			t.Errorf("%q", got)
		}
		if runes := utf8.RuneCountInString(got); runes > limit+40 {
			t.Errorf("%d characters of %d octets", runes, limit)
		}
	})
}

// TestWord: a shell reads what Word writes as one word.
func TestWord(t *testing.T) {
	for in, want := range map[string]string{
		"/etc/dnasign/dna.yaml": "/etc/dnasign/dna.yaml", "a b": "'a b'", "it's": `'it'\''s'`, "$(x)": "'$(x)'", "": "''",
	} {
		if got := Word(in); got != want {
			t.Errorf("%q: %s, want %s", in, got, want)
		}
	}
}

func TestServiceName(t *testing.T) {
	for service, want := range map[string]string{
		"_xmpp-server._tcp": "xmpp-server", "_sip._udp": "_sip._udp", "xmpp-server": "xmpp-server", "": "",
	} {
		if got := ServiceName(service); got != want {
			t.Errorf("%q: %q, want %q", service, got, want)
		}
	}
}
