package text

import (
	"regexp"
	"strings"
)

var oneWord = regexp.MustCompile(`^[A-Za-z0-9_@%+=:,./-]+$`)

// ServiceName is how a person types a service: xmpp-server for _xmpp-server._tcp. It
// leaves what is not over TCP as it is.
func ServiceName(service string) string {
	if name, tcp := strings.CutSuffix(service, "._tcp"); tcp {
		return strings.TrimPrefix(name, "_")
	}
	return service
}

// LowerASCII is text in lower case. It leaves other letters alone: some of them have
// ASCII in lower case.
func LowerASCII(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}

// Word is text as one word for a shell, quoted only if it must be.
func Word(s string) string {
	if oneWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
