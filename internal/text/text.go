// Package text makes what strangers wrote safe to show to a person: in a
// message, on a terminal, in a log.
package text

import (
	"fmt"
	"strings"
	"unicode"
)

// Printable is s on one line, with a question mark for everything that is not
// printable. That is control characters of a terminal, marks that turn the
// direction of writing, and octets that are not UTF-8.
func Printable(s string) string {
	if plain(s) {
		return s
	}
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, s)
}

// plain reports whether s is printable ASCII, as nearly everything is.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// Short is [Printable] of at most limit octets of s. That something is left out
// is said.
func Short(s string, limit int) string {
	if len(s) > limit {
		return Printable(strings.ToValidUTF8(s[:limit], "")) + fmt.Sprintf("... (%d octets)", len(s))
	}
	return Printable(s)
}
