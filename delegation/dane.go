package delegation

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/text"
)

// The other usages (RFC 7218): see also usageDANEEE.
const (
	usagePKIXTA = 0 // PKIX holds, and an authority of the path is named
	usagePKIXEE = 1 // PKIX holds, and the peer's certificate is named
	usageDANETA = 2 // a certificate that the peer shows is the trust anchor
)

// A DANE is what the TLSA records of an endpoint ask of the peer there.
type DANE struct {
	// Records are the usable ones, at least one.
	Records []TLSARecord
	// Source is a name that a certificate may carry besides that of the reference,
	// where the usage asks for a name.
	Source string
	// Collected is when the answers were asked for, and TTL how many seconds they
	// count.
	Collected time.Time
	TTL       uint32
}

// DANE judges the answers by rules E1 to E4 of docs/connections.md. It returns nil
// if TLSA records have no say: the addresses or the TLSA answer are not secure, or
// no record is usable. The error, an *[Error], says that nobody can tell, so that
// the endpoint is not to be connected to. It has the reason of the lookup, or
// [reasons.TooManyRecords].
func (a *EndpointAnswer) DANE(source string) (*DANE, error) {
	if err := a.Address.lost(); err != nil {
		return nil, err
	}
	switch {
	case a.Address.DNSSEC != Secure:
		return nil, nil
	case a.TLSA == nil:
		return nil, Errorf(reasons.Unanswered, "the addresses of %s are secure, and its TLSA records were not asked for", a.Host)
	}
	if err := a.TLSA.lost(); err != nil {
		return nil, err
	}
	switch {
	case a.TLSA.DNSSEC != Secure:
		return nil, nil
	case len(a.TLSA.Records) > limits.MaxTLSARecords:
		return nil, Errorf(reasons.TooManyRecords, "%d TLSA records at %s, at most %d", len(a.TLSA.Records), a.TLSAName(), limits.MaxTLSARecords)
	}
	d := &DANE{Source: source, Collected: a.Collected, TTL: min(a.Address.TTL, a.TLSA.TTL)}
	for _, r := range a.TLSA.Records {
		if r.usable() {
			d.Records = append(d.Records, r)
		}
	}
	if len(d.Records) == 0 {
		return nil, nil
	}
	return d, nil
}

// lost says why there is no answer, nil if there is one.
func (a Answer) lost() error {
	switch {
	case a.Failure != nil:
		return a.Failure.error()
	case a.DNSSEC == Bogus:
		return Errorf(reasons.DNSBogus, "the DNSSEC validation of %.300s failed", a.Name)
	}
	return nil
}

// usable reports whether the numbers of a record are known, and its data has the
// length that goes with them (RFC 6698, Section 2.1).
func (r TLSARecord) usable() bool {
	if r.Usage > usageDANEEE || r.Selector > 1 {
		return false
	}
	switch r.Matching {
	case 0:
		return len(r.Data) > 0
	case 1:
		return len(r.Data) == sha256.Size
	case 2:
		return len(r.Data) == sha512.Size
	}
	return false
}

// NamesKeyOf reports whether a record of usage 3 matches a peer's certificate, so that
// its names do not matter.
func (d *DANE) NamesKeyOf(leaf *x509.Certificate) bool {
	return slices.ContainsFunc(d.Records, func(r TLSARecord) bool {
		return r.Usage == usageDANEEE && bytes.Equal(r.selected(leaf), r.Data)
	})
}

// selected is what the data of a usable record is compared with (RFC 6698,
// Section 2.1.4).
func (r TLSARecord) selected(c *x509.Certificate) []byte {
	octets := c.Raw
	if r.Selector == 1 {
		octets = c.RawSubjectPublicKeyInfo
	}
	switch r.Matching {
	case 1:
		sum := sha256.Sum256(octets)
		return sum[:]
	case 2:
		sum := sha512.Sum512(octets)
		return sum[:]
	}
	return octets
}

// A selection is a part of a certificate, and how it is hashed.
type selection struct {
	certificate        *x509.Certificate
	selector, matching uint8
}

// matches reports whether the data of a usable record is that of a certificate. It
// hashes nothing twice, however many records there are.
func (s *presented) matches(r TLSARecord, c *x509.Certificate) bool {
	what := selection{c, r.Selector, r.Matching}
	known, ok := s.selected[what]
	if !ok {
		known = r.selected(c)
		s.selected[what] = known
	}
	return bytes.Equal(known, r.Data)
}

// dane checks the peer against the TLSA records of a reference (rule E5). It returns
// the record that the peer matches, and the earlier end of the records and of the
// path, if one is needed. Of several matches, that of the highest usage counts, and
// then the first.
func (s *presented) dane(r Reference) (TLSARecord, time.Time, *Error) {
	records := slices.Clone(r.DANE.Records)
	slices.SortStableFunc(records, func(a, b TLSARecord) int { return cmp.Compare(b.Usage, a.Usage) })
	until := provenUntil(r.DANE.Collected, r.DANE.TTL, s.now)
	for _, record := range records {
		end, ok := s.meets(record, r)
		switch {
		case !ok:
			continue
		case !s.now.Before(until):
			return record, until, Errorf(reasons.ProofExpired, "the TLSA records of %s counted until %s", r.Name, text.FineStamp(until))
		case end.IsZero() || until.Before(end):
			end = until
		}
		return record, end.UTC(), nil
	}
	return TLSARecord{}, until, Errorf(reasons.DANEMismatch, "the peer matches no TLSA record of %s: %.300s", r.Name, fmt.Sprint(records))
}

// meets reports whether the peer is what a record asks for, and until when its chain
// is valid: zero if the record asks for none.
func (s *presented) meets(record TLSARecord, r Reference) (end time.Time, ok bool) {
	leaf := s.chain[0]
	switch named := s.carries(r.Name) || s.carries(r.DANE.Source); {
	case record.Usage == usageDANEEE:
		return end, s.matches(record, leaf)
	case !named:
		return end, false
	case record.Usage == usageDANETA:
		return longest(s.anchored(), func(chain []*x509.Certificate) bool { return s.matches(record, chain[len(chain)-1]) })
	}
	best, err := s.pkix()
	switch {
	case err != nil:
		return end, false
	case record.Usage == usagePKIXEE:
		return best.end, s.matches(record, leaf)
	}
	return longest(s.trusted(), func(chain []*x509.Certificate) bool {
		return slices.ContainsFunc(chain[1:], func(c *x509.Certificate) bool { return s.matches(record, c) })
	})
}

// longest is the end of the longest of the paths that a caller wants.
func longest(paths []path, wanted func(chain []*x509.Certificate) bool) (end time.Time, ok bool) {
	for _, p := range paths {
		if wanted(p.chain) && p.end.After(end) {
			end, ok = p.end, true
		}
	}
	return end, ok
}

// pathsBelow finds the paths to the certificates that the peer itself shows and that
// records of usage 2 name. One search serves all references, so that a peer
// with many records of its own cannot ask for many.
func (s *presented) pathsBelow(references []Reference) []path {
	anchors := x509.NewCertPool()
	for _, r := range references {
		for _, c := range s.chain[1:] {
			if r.DANE != nil && !c.Equal(s.chain[0]) && slices.ContainsFunc(r.DANE.Records, func(record TLSARecord) bool {
				return record.Usage == usageDANETA && s.matches(record, c)
			}) {
				anchors.AddCert(c)
			}
		}
	}
	paths, _, _ := goodPaths(forPeer, s.chain, anchors, s.now)
	return paths
}
