package association

import (
	"slices"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// A Direction is who opened the connection.
type Direction string

// The directions. Incoming concerns a peer that says it speaks for the source.
const (
	Outgoing Direction = "outgoing"
	Incoming Direction = "incoming"
)

// A Method is how a name in a peer's certificate is accepted for a source: the
// prooftypes of RFC 7712, and ours.
type Method string

// The methods, in the order of precedence.
const (
	PKIX       Method = "pkix"
	DNSSEC     Method = "dnssec"
	Delegation Method = "delegation"
	POSH       Method = "posh"
)

// An srvState is what is known of the SRV records: a row of the table.
type srvState string

const (
	secure srvState = "secure"
	plain  srvState = "insecure, absent or not asked"
	broken srvState = "bogus or failed"
)

// A method is a line of the table of docs/connections.md, section 2. Its functions
// stand below, or in a file of their own.
type method struct {
	name Method
	// in are the rows in which it gives names. In the others, left says why not.
	in   []srvState
	left func(*decision) error
	// names judges the evidence: it finds the names, the endpoint that each is good
	// for, and until when.
	names func(*decision) ([]Reference, error)
	// tlsa says what the TLSA records of such an endpoint decide about.
	tlsa tlsaScope
}

// A tlsaScope is which names the TLSA records of an endpoint decide about, if the
// method proves the endpoint.
type tlsaScope int

const (
	noName   tlsaScope = iota // the method proves no endpoint
	ownNames                  // the names of the method
	allNames                  // every name at the endpoint
)

// methods lists every method, in order of precedence. PKIX is never removed by a
// statement. Secure SRV records are authoritative, so that a statement adds no host
// to them.
//
// A TLSA record is the word of the target's zone. Where the zone of the source names
// the endpoint, nothing else may be there. Where a statement does, the target's word
// is about the target's names: the source's own certificate stays good.
var methods = []method{
	{PKIX, []srvState{secure, plain, broken}, nil, (*decision).pkix, noName},
	{DNSSEC, []srvState{secure}, (*decision).notSecure, (*decision).dnssec, allNames},
	{Delegation, []srvState{plain, broken}, (*decision).notUsed, (*decision).delegation, ownNames},
	{POSH, []srvState{plain}, (*decision).poshNotUsed, (*decision).posh, noName},
}

// givesNames reports whether a method does so in a row.
func givesNames(name Method, row srvState) bool {
	return slices.ContainsFunc(methods, func(m method) bool { return m.name == name && slices.Contains(m.in, row) })
}

// ProvesEndpoints reports whether the owner's key or zone says where the service is.
// Only such a proof is kept when a later lookup does not find it, and lets another
// source use a connection.
func (m Method) ProvesEndpoints() bool { return m.scope() != noName }

// scope is what TLSA records decide about at an endpoint that a method proves.
func (m Method) scope() tlsaScope {
	return methods[slices.IndexFunc(methods, func(line method) bool { return line.name == m })].tlsa
}

// stops reports whether nothing may be dialled in a row, unless the statement comes
// first. Otherwise an attacker could choose by breaking records. An incoming
// connection does not use them.
func (row srvState) stops() bool { return row == broken }

// stateOf sorts what ReadSRV found into the rows of the table. That there are
// no records is no secure record set, though it may be known securely.
func stateOf(srv delegation.SRV, err error) srvState {
	unavailable := delegation.ReasonOf(err) == reasons.ServiceNotAvailable
	switch {
	case err != nil && !unavailable:
		return broken
	case srv.State == delegation.Secure && (unavailable || len(srv.Entries) > 0):
		return secure
	}
	return plain
}

func (d *decision) pkix() ([]Reference, error) {
	return []Reference{{Reference: delegation.Reference{Name: d.question.Source}, Method: PKIX}}, nil
}

func (d *decision) dnssec() ([]Reference, error) {
	if d.srvErr != nil {
		return nil, d.srvErr // not available
	}
	until := d.evidence.ProvenUntil(d.srv.TTL, d.policy.Time)
	if !d.policy.Time.Before(until) {
		return nil, delegation.Errorf(reasons.ProofExpired, "the SRV records are of %s, and their TTL has passed", d.evidence.Collected.UTC().Format(time.RFC3339))
	}
	var references []Reference
	for _, e := range d.srv.Entries {
		references = append(references, d.reference(DNSSEC, e.Target, until))
	}
	return references, nil
}

func (d *decision) delegation() ([]Reference, error) {
	if d.failed != nil {
		return nil, d.failed
	}
	var references []Reference
	for _, t := range d.result.Dial() {
		references = append(references, d.reference(Delegation, t, d.result.ValidUntil()))
	}
	return references, nil
}

// reference is a target's name. Incoming connections come from any port.
func (d *decision) reference(m Method, t delegation.Target, until time.Time) Reference {
	r := Reference{Reference: delegation.Reference{Name: t.Host, SPKI: t.SPKI, Until: until}, Method: m, target: t.Endpoint}
	if d.question.Direction == Outgoing {
		r.Endpoint = t.Endpoint
	}
	return r
}

// mayProve: whom the owner's key or zone names for a service does not thereby send
// for the source. This comes before what a row says.
func (d *decision) mayProve(m Method) error {
	if !m.ProvesEndpoints() {
		return nil
	}
	return d.sendsToo()
}

// sendsToo is the error where the role's delegate does not send for the source.
func (d *decision) sendsToo() error {
	if d.question.Direction == Incoming && !d.role.SendsToo {
		return delegation.Errorf(reasons.ServiceMismatch, "a delegation of %s is not one to speak for the source", d.question.Service)
	}
	return nil
}

// notSecure is why DNSSEC gives no names in the other rows.
func (d *decision) notSecure() error {
	if d.state == broken {
		return d.srvErr
	}
	return delegation.Errorf(reasons.NotSecure, "there are no SRV records that DNSSEC secures")
}

// notUsed is why a statement gives no names in the secure row.
func (d *decision) notUsed() error {
	if delegation.ReasonOf(d.failed) == reasons.Conflict {
		return d.failed
	}
	return delegation.Errorf(reasons.NotUsed, "the SRV records are secure and come first")
}
