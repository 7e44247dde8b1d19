package memory

import (
	"strings"

	"golang.org/x/net/publicsuffix"
)

// A crowd is a domain with everything below it, and how many sources of it are
// remembered at most.
type crowd struct {
	domain string
	most   int
}

// crowds returns the crowds of a source: its registrable domain and, if that
// is below a suffix of the private part of the Public Suffix List, the
// registrable domain of the suffix's owner. A source that is a public suffix
// itself is held only to the second, or to none: it must not be shut out by
// those who have names below it.
//
// The list that is built into the program may change with its version. Nothing
// is stored under its names but counts.
func (l limits) crowds(source string) []crowd {
	suffix, icann := publicsuffix.PublicSuffix(source)
	var list []crowd
	if source != suffix {
		list = append(list, crowd{below(source, suffix), l.domain})
	}
	// A suffix of one label that nobody manages is not on the list at all.
	if !icann && strings.Contains(suffix, ".") {
		list = append(list, crowd{owner(suffix), l.shared})
	}
	return list
}

// below returns the name directly below a suffix that a name is under.
func below(name, suffix string) string {
	rest := strings.TrimSuffix(name, "."+suffix)
	return rest[strings.LastIndexByte(rest, '.')+1:] + "." + suffix
}

// owner returns the registrable domain, by the ICANN part of the list, of a
// suffix of the private part: amazonaws.com of s3.amazonaws.com.
func owner(private string) string {
	_, parent, _ := strings.Cut(private, ".")
	suffix, icann := publicsuffix.PublicSuffix(parent)
	for !icann && strings.Contains(suffix, ".") {
		_, parent, _ = strings.Cut(suffix, ".")
		suffix, icann = publicsuffix.PublicSuffix(parent)
	}
	return below(private, suffix)
}
