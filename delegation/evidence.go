package delegation

import (
	"slices"
	"time"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/strictjson"
)

// EvidenceVersion is the Version of an [Evidence].
const EvidenceVersion = 2

// Evidence is everything that was found out for one question, and nothing that
// was concluded from it. It marshals to JSON, so that every verdict can be
// saved, replayed and argued about. Evidence read back from JSON is marked as
// replayed; see [Policy.BelieveReplayedDNSSEC].
type Evidence struct {
	Version   int         `json:"version"`
	Source    string      `json:"source"`
	Service   string      `json:"service"` // the role, never its second label
	Collected time.Time   `json:"collected"`
	SRV       []SRVAnswer `json:"srv"`       // for each label of the role, in order; none: not asked
	TXT       []TXTAnswer `json:"txt"`       // one; none: not asked
	Documents []Document  `json:"documents"` // for each of Encodings, in order; none: not asked
	// Signers says which keys may sign. It is asked for if DNSSEC secures the SRV
	// or TXT answer.
	Signers []TLSAAnswer `json:"signers,omitempty"`
	// POSH is the POSH file of the source, and the one that it leads to. It is asked
	// for only where nothing else can decide: see docs/posh.md.
	POSH []Document `json:"posh,omitempty"`
	// Streams is what a peer brought in its XMPP stream: one statement or none.
	Streams []StreamStatement `json:"streams,omitempty"`

	replayed bool
}

// UnmarshalJSON reads evidence and marks it as replayed. A member that
// evidence of this version does not have is an error.
func (e *Evidence) UnmarshalJSON(data []byte) error {
	type plain Evidence // without this method
	if err := strictjson.Decode(data, (*plain)(e)); err != nil {
		return err
	}
	e.replayed = true
	return nil
}

// FileEvidence is evidence that holds one statement from a file, in any
// encoding, for verifying it offline: nothing was looked up. The name is for
// messages and must not be empty.
func (q Query) FileEvidence(name string, body []byte) *Evidence {
	return &Evidence{
		Version: EvidenceVersion, Source: q.Source, Service: RoleOf(q.Service).Service,
		Documents: []Document{{File: name, Body: body}},
	}
}

// Replayed reports whether the evidence was read from JSON.
func (e *Evidence) Replayed() bool { return e.replayed }

// DNSSEC is what a resolver says of an answer (RFC 4033, Section 5). Only a
// resolver that the operator named as validating can make it anything but
// insecure or indeterminate.
type DNSSEC string

// The four states.
const (
	Secure        DNSSEC = "secure"        // validated up to a trust anchor
	Insecure      DNSSEC = "insecure"      // not signed, or not known to be validated
	Bogus         DNSSEC = "bogus"         // validation failed
	Indeterminate DNSSEC = "indeterminate" // no answer to judge
)

// A Failure says why a lookup has no answer.
type Failure struct {
	Reason reasons.Reason `json:"reason"`
	Detail string         `json:"detail"`
}

func (f *Failure) error() *Error { return Errorf(f.Reason, "%s", f.Detail) }

// Answer is what every DNS answer has. An answer without a Failure and without
// records says that there are none (NXDOMAIN or no data).
type Answer struct {
	Name     string   `json:"name"`               // asked for, without trailing dot
	Resolver string   `json:"resolver,omitempty"` // address:port that answered
	DNSSEC   DNSSEC   `json:"dnssec"`
	TTL      uint32   `json:"ttl"` // seconds, the least of the chain
	Failure  *Failure `json:"failure,omitempty"`
}

// Unanswered reports whether the answer is still to come, or came too late.
func (a Answer) Unanswered() bool {
	return a.Failure != nil && a.Failure.Reason == reasons.Unanswered
}

// An SRVAnswer is the answer to one SRV question, CNAME records followed.
type SRVAnswer struct {
	Answer
	Records []SRVRecord `json:"records"`
}

// An SRVRecord is one SRV record (RFC 2782). Target is lower-case without
// trailing dot, or "." for a service that is not available.
type SRVRecord struct {
	Priority uint16 `json:"priority"`
	Weight   uint16 `json:"weight"`
	Port     uint16 `json:"port"`
	Target   string `json:"target"`
}

// A TXTAnswer is the answer to one TXT question, CNAME records followed.
type TXTAnswer struct {
	Answer
	// Records holds the text of each record: its strings, concatenated, in
	// presentation form without quotes. An octet that needs an escape there
	// (RFC 1035, Section 5.1) has a backslash before it. No legal record
	// contains a backslash.
	Records []string `json:"records"`
	// Alias is where the CNAME records at the name lead, empty if there are none.
	// Nothing is judged by it, and saved evidence does not have it.
	Alias string `json:"-"`
}

// A Document is what one HTTPS address served, or a file.
type Document struct {
	URL  string `json:"url,omitempty"`  // asked for
	File string `json:"file,omitempty"` // name of a file instead of URL, for messages
	// Status, MediaType and MaxAge are those of the final response. MediaType
	// is lower-case, without parameters. MaxAge is in seconds, from
	// Cache-Control, and -1 if absent.
	Status    int    `json:"status,omitempty"`
	MediaType string `json:"media_type,omitempty"`
	MaxAge    int64  `json:"max_age,omitempty"`
	// NoAddress says that the host has no address at all, so that it serves
	// nothing.
	NoAddress bool `json:"no_address,omitempty"`
	// NoServer says beside a Failure with [reasons.HTTPSFailure] that every address
	// of the host refused the connection, so that no web server is there.
	NoServer bool     `json:"no_server,omitempty"`
	Body     []byte   `json:"body,omitempty"`
	Failure  *Failure `json:"failure,omitempty"`
}

// A StreamStatement is a statement that came in an XMPP stream: see docs/stream.md.
type StreamStatement struct {
	Encoding Encoding `json:"encoding"`
	Body     []byte   `json:"body"` // nothing is removed from its end
}

// check bounds evidence that may come from a file, and ties it to the query.
func (e *Evidence) check(q Query) *Error {
	switch {
	case e == nil:
		return Errorf(reasons.MissingInput, "there is no evidence")
	case e.Version != EvidenceVersion:
		return Errorf(reasons.BadEvidence, "version %d, not %d", e.Version, EvidenceVersion)
	case e.Source != q.Source || e.Service != q.Service:
		return Errorf(reasons.BadEvidence, "it is about %.300q of %.300q, not %s of %s", e.Service, e.Source, q.Service, q.Source)
	case len(e.Documents) > limits.MaxDocuments:
		return Errorf(reasons.BadEvidence, "%d documents, at most %d", len(e.Documents), limits.MaxDocuments)
	case len(e.POSH) > limits.MaxPOSH:
		return Errorf(reasons.BadEvidence, "%d POSH files, at most %d", len(e.POSH), limits.MaxPOSH)
	case len(e.Streams) > 1:
		return Errorf(reasons.BadEvidence, "%d statements from streams, at most 1", len(e.Streams))
	case len(e.TXT)+len(e.Documents) == 0:
		return Errorf(reasons.MissingInput, "the evidence has neither a TXT answer nor a document: no place was looked at")
	}
	places := e.places(q)
	look := func(kind, name string, f *Failure) *Error {
		i := slices.Index(places, place{kind, name})
		if i < 0 {
			return Errorf(reasons.BadEvidence, "%s %.300q is not a place to look at for this question, or is there twice", kind, name)
		}
		places[i] = place{}
		if f != nil && !f.Reason.OfLookup() {
			return Errorf(reasons.BadEvidence, "%.40q is not a reason for a failed lookup", f.Reason)
		}
		return nil
	}
	ask := func(kind string, a Answer) *Error {
		switch a.DNSSEC {
		case Secure, Insecure, Bogus, Indeterminate:
			return look(kind, a.Name, a.Failure)
		}
		return Errorf(reasons.BadEvidence, "%.40q is not a DNSSEC state", a.DNSSEC)
	}
	for _, a := range e.SRV {
		if err := ask("SRV", a.Answer); err != nil {
			return err
		}
	}
	for _, a := range e.TXT {
		if err := ask("TXT", a.Answer); err != nil {
			return err
		}
	}
	for _, a := range e.Signers {
		if err := ask("TLSA", a.Answer); err != nil {
			return err
		}
	}
	for i, d := range e.POSH {
		if i == 0 && (d.URL == "" || d.URL != POSHURL(q.Source, q.Service)) || i > 0 && !isPOSHURL(d.URL) || d.File != "" {
			return Errorf(reasons.BadEvidence, "%.300q is not a place of a POSH file", d.URL)
		}
		if d.Failure != nil && !d.Failure.Reason.OfLookup() {
			return Errorf(reasons.BadEvidence, "%.40q is not a reason for a failed lookup", d.Failure.Reason)
		}
	}
	for _, d := range slices.Concat(e.POSH, e.Documents) {
		if d.NoServer && (d.Failure == nil || d.Failure.Reason != reasons.HTTPSFailure) {
			return Errorf(reasons.BadEvidence, "no web server is at %.300q, and the failure is not %s", d.URL, reasons.HTTPSFailure)
		}
	}
	for _, d := range e.Documents {
		if d.File != "" && d.URL == "" && d.Failure == nil {
			continue
		}
		if err := look("HTTPS", d.URL, d.Failure); err != nil {
			return err
		}
	}
	return nil
}

// A place is where discovery looks: a kind of lookup, and what it asks for.
type place struct{ kind, name string }

// places are those for a question, of the kinds that are in the evidence.
func (e *Evidence) places(q Query) []place {
	list := make([]place, 0, 6)
	if len(e.SRV) > 0 {
		for _, label := range RoleOf(q.Service).Labels() {
			list = append(list, place{"SRV", SRVName(q.Source, label)})
		}
	}
	if len(e.TXT) > 0 {
		list = append(list, place{"TXT", TXTName(q.Source, q.Service)})
	}
	if name := SignerName(q.Source, q.Service); name != "" && len(e.Signers) > 0 {
		list = append(list, place{"TLSA", name})
	}
	if len(e.Documents) > 0 {
		for _, encoding := range Encodings() {
			list = append(list, place{"HTTPS", DocumentURL(q.Source, q.Service, encoding)})
		}
	}
	return list
}

// ProvenUntil is when that ends which a secure answer with a TTL in seconds proves,
// for somebody who decides at a time. It counts from the time at which the evidence
// was collected, or from that of the decision if the clock of the collector was
// ahead. A resolver may hand out the last second of a TTL, which is too short to
// connect in: so it is 5 minutes at least.
func (e *Evidence) ProvenUntil(ttl uint32, at time.Time) time.Time {
	return provenUntil(e.Collected, ttl, at)
}

func provenUntil(collected time.Time, ttl uint32, at time.Time) time.Time {
	if collected.Before(at) {
		at = collected
	}
	return at.Truncate(time.Second).Add(max(time.Duration(ttl)*time.Second, limits.MinRefresh)).UTC()
}

// state is what the policy lets count of an answer's DNSSEC state.
func (e *Evidence) state(a Answer, p *Policy) DNSSEC {
	if e.replayed && !p.BelieveReplayedDNSSEC && a.DNSSEC == Secure {
		return Insecure
	}
	return a.DNSSEC
}
