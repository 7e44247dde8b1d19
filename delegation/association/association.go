package association

import (
	"errors"
	"slices"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// A Question is what [Decide] decides.
type Question struct {
	Source    string // domain name in the form of delegation.CheckName
	Service   string // a role, such as _xmpp-server._tcp, or its second label
	Direction Direction
	// StatementFirst, for Outgoing, connects to the statement's own targets
	// whatever insecure, bogus or failed SRV records say. Secure ones still
	// come before the statement.
	StatementFirst bool
}

// A Reference is a name that a peer's certificate may carry.
type Reference struct {
	delegation.Reference
	Method Method `json:"method"`
	// Endpoint is the one endpoint at which the name counts when dialled; zero
	// means at every one.
	Endpoint delegation.Endpoint `json:"endpoint,omitzero"`

	target delegation.Endpoint // that was proven, for either direction; zero of the source
}

// A Dial is somewhere to connect to.
type Dial struct {
	delegation.Target
	// ServerName is for SNI (RFC 6066): the target if it was delegated to, else
	// the source.
	ServerName string
	// Start is how the connection begins. With an UnknownStart nobody connects.
	Start delegation.Start
}

// A Proof is how one method fared.
type Proof struct {
	Method     Method         `json:"method"`
	References []Reference    `json:"references"`
	Reason     reasons.Reason `json:"reason"` // verified if it counts
	Detail     string         `json:"detail"`
}

// An Association is the answer of [Decide]. It is immutable and safe for
// concurrent use.
type Association struct {
	question    Question
	proofs      []Proof
	dial        []Dial
	stop        error
	required    bool
	authentic   bool
	unpublished bool
	floor       delegation.Floor
	refreshAt   time.Time
	result      *delegation.Result
	failed      error // without a result
}

// Question is what was asked, with the role as its service.
func (a *Association) Question() Question { return a.question }

// Proofs tells of each method in order of precedence: the names it gives, or
// why it gives none.
func (a *Association) Proofs() []Proof {
	proofs := slices.Clone(a.proofs)
	for i := range proofs {
		proofs[i].References = ownPins(slices.Clone(proofs[i].References))
	}
	return proofs
}

// References are the names that count, of all methods in order of precedence.
func (a *Association) References() []Reference {
	all := make([]Reference, 0, len(a.proofs)) // each method gives one, as a rule
	for _, p := range a.proofs {
		all = append(all, p.References...)
	}
	return ownPins(all)
}

// ownPins lets a caller change the copies that it was given.
func ownPins(copies []Reference) []Reference {
	for i := range copies {
		copies[i].SPKI = slices.Clone(copies[i].SPKI)
	}
	return copies
}

// Dial is where to connect, for Outgoing, not yet in an order: RFC 2782 tells
// how to order by priority and weight. The error, a *delegation.Error, says why
// there is nothing: the SRV lookup failed or is bogus, or the service is not
// available.
func (a *Association) Dial() ([]Dial, error) {
	list := slices.Clone(a.dial)
	for i := range list {
		list[i].SPKI = slices.Clone(list[i].SPKI)
	}
	return list, a.stop
}

// Required says that the source has a statement, verified now or remembered,
// see [delegation.Floor.Required]. Revocations and statements that contradict
// each other are statements too. A program that refuses a peer then must not
// fall back to a weaker way of authentication, such as dialback. An
// undetermined outcome leaves weaker ways open only where Required is false.
func (a *Association) Required() bool { return a.required }

// RefreshAt is when to decide again. Each name is valid until its own Until,
// which is never earlier.
func (a *Association) RefreshAt() time.Time { return a.refreshAt }

// Authentic says that the decision rests on verified statements, also those
// that revoke or contradict each other, or on secure SRV records. If a later
// decision is not authentic, keep a proof that has not ended: anybody on the
// path can hide answers or add bad ones.
func (a *Association) Authentic() bool { return a.authentic }

// Floor is what to remember of the source and to give as
// delegation.Policy.Floor next time: of a revocation too.
func (a *Association) Floor() delegation.Floor { return a.floor }

// Unpublished says that every place answered and none has a statement, good or bad, so
// that one from an XMPP stream is judged, and would add names: SRV records that
// DNSSEC secures leave it no room.
func (a *Association) Unpublished() bool { return a.unpublished }

// Statement is the verified statement, or the *delegation.Error of
// [delegation.Verify]. It is there also where the table leaves the statement
// out.
func (a *Association) Statement() (*delegation.Result, error) { return a.result, a.failed }

// Checks is everything that was checked on the way to the statement.
func (a *Association) Checks() []delegation.Check {
	if a.result != nil {
		return a.result.Checks()
	}
	var failure *delegation.Error
	if errors.As(a.failed, &failure) {
		return slices.Clone(failure.Checks)
	}
	return nil
}
