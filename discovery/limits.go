package discovery

import "time"

// Limits of one Gather. Passing one is a failure in the evidence, never a
// silent cut. Package delegation bounds how many records and statements are
// looked at. A DNS answer has at most the 65,535 octets of a DNS message (RFC
// 1035, Section 4.2.2).
const (
	// udpSize is the largest UDP reply that is asked for, in octets: what
	// passes every network without fragments, as agreed for DNS Flag Day 2020.
	udpSize = 1232
	// maxRounds is how often every resolver is asked, so that one lost packet
	// is no failure.
	maxRounds = 2
	// maxLinks bounds the CNAME records from a question to its answer.
	// Providers chain two or three; more is a mistake or a trap.
	maxLinks = 8
	// maxAddresses bounds the addresses of one host. More would let a
	// stranger make us knock at many doors.
	maxAddresses = 16
	// maxRedirects: the redirect to the www name, one to a provider and one
	// to spare.
	maxRedirects = 3
	// maxDocument bounds the body of a document in octets: twice the largest
	// statement (limits.MaxStatementSize).
	maxDocument = 64 << 10
	// maxHeader bounds the header of an HTTPS response in octets. Cookies and
	// policies fill a few kilobytes on a busy site.
	maxHeader = 16 << 10
	// maxAge bounds what is believed of Cache-Control: max-age, in seconds
	// (RFC 9111, Section 1.2.2).
	maxAge = 1<<31 - 1
	// maxDetail and maxQuoted bound, in octets, the detail of a failure and
	// each piece of a stranger's text in it: a few lines on a screen.
	maxDetail = 500
	maxQuoted = 100
)

// timeouts bound the waiting. Those of a test are shorter.
type timeouts struct {
	try      time.Duration // one question to one resolver, its retry over TCP included
	lookup   time.Duration // one lookup: all tries, resolvers and links
	connect  time.Duration // one connection to one address
	document time.Duration // everything for one document, lookups and redirects included
}

var defaultTimeouts = timeouts{
	// A recursive resolver with a cold cache needs up to a second.
	try: 2 * time.Second,
	// Long enough for two tries, short enough for a person, and for a mail or
	// chat server with a stream waiting.
	lookup: 5 * time.Second,
	// Three round trips of a bad connection; leaves time for another address.
	connect: 2 * time.Second,
	// 64 KiB in 5 seconds is slower than any link that serves the public.
	document: 5 * time.Second,
}
