package text

import (
	"regexp"
	"strings"
)

var oneWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// Word is text as one word for a shell, quoted only if it must be.
func Word(s string) string {
	if oneWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
