package association

import (
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
)

// An srvState is what is known of the SRV records.
type srvState string

const (
	secure srvState = "secure"
	plain  srvState = "insecure, absent or not asked"
	broken srvState = "bogus or failed"
)

// methods lists every method, in order of precedence.
var methods = []Method{PKIX, DNSSEC, Delegation}

// A rule says what counts in a state, for a direction.
type rule struct {
	methods []Method
	// stop: nothing may be dialled, unless the statement comes first.
	stop bool
}

// rules is the table of docs/connections.md, section 2. PKIX is never removed
// by a statement. Secure SRV records are authoritative, so that a statement
// adds no host to them. Broken records end an outgoing connection: otherwise an
// attacker could choose by breaking them. An incoming connection does not use
// them.
var rules = map[srvState]map[Direction]rule{
	secure: {
		Outgoing: {methods: []Method{PKIX, DNSSEC}},
		Incoming: {methods: []Method{PKIX, DNSSEC}},
	},
	plain: {
		Outgoing: {methods: []Method{PKIX, Delegation}},
		Incoming: {methods: []Method{PKIX, Delegation}},
	},
	broken: {
		Outgoing: {methods: []Method{PKIX, Delegation}, stop: true},
		Incoming: {methods: []Method{PKIX, Delegation}},
	},
}

// provers find the references of a method.
var provers = map[Method]func(*decision) ([]Reference, error){
	PKIX:       (*decision).pkix,
	DNSSEC:     (*decision).dnssec,
	Delegation: (*decision).delegation,
}

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
