package floorrecord

import (
	"strings"
	"time"

	"golang.org/x/net/publicsuffix"
)

// Limits bound the records of a store. Names below a domain cost its owner
// nothing, and domains cost little, so anybody who wants to fill a store can try.
type Limits struct {
	// Records bounds all records.
	Records int
	// Domain bounds the records under one registrable domain, that is a name
	// directly below a suffix of the Public Suffix List.
	Domain int
	// Shared bounds the records under one registrable domain whose owner gives
	// names below it to others, such as dynamic DNS and web hosts. The private
	// part of the Public Suffix List names them. Such names are free, and each
	// of them counts as a registrable domain of its own.
	Shared int
	// Statements bounds the records with a statement. Once there are so many
	// records, only those that have one keep one.
	Statements int
}

// DefaultLimits are those of every store that is not under test. A million
// records take about 200 MB in a file, and 500 MB in a Redis. A hundred thousand
// statements add 700 MB to a file, and 1.4 GB if all are as long as they may be.
var DefaultLimits = Limits{Records: 1_000_000, Domain: 1000, Shared: 10_000, Statements: 100_000}

// PruneEvery is how often a store looks for records that are too old.
const PruneEvery = 24 * time.Hour

// A Crowd is a domain with everything below it, and how many records of it there
// may be.
type Crowd struct {
	Domain string
	Most   int
}

// Crowds returns the crowds of a source: its registrable domain and perhaps one
// more. If that domain is below a suffix of the private part of the Public
// Suffix List, the other is the registrable domain of the suffix's owner. A
// source that is a public suffix itself has only the second limit, or none.
// Those who have names below it must not shut it out.
//
// The list that is built into the program may change with its version. Nothing
// is stored under its names but counts.
func (l Limits) Crowds(source string) []Crowd {
	var list []Crowd
	if domain, err := publicsuffix.EffectiveTLDPlusOne(source); err == nil { // not a suffix itself
		list = append(list, Crowd{domain, l.Domain})
	}
	suffix, icann := publicsuffix.PublicSuffix(source)
	// A suffix of one label that nobody manages is not on the list at all.
	if !icann && strings.Contains(suffix, ".") {
		list = append(list, Crowd{owner(suffix), l.Shared})
	}
	return list
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
	rest := strings.TrimSuffix(private, "."+suffix)
	return rest[strings.LastIndexByte(rest, '.')+1:] + "." + suffix
}
