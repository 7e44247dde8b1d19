package association

import (
	"fmt"
	"slices"
	"time"

	"github.com/dnasign/dnasign/delegation"
)

// A Question is what [Decide] decides.
type Question struct {
	Source    string // domain name in the form of delegation.CheckName
	Service   string // such as _xmpp-server._tcp
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
}

// A Dial is somewhere to connect to.
type Dial struct {
	delegation.Target
	// Service is the label it was found at; _xmpps-... means direct TLS.
	Service string
	// ServerName is for SNI (RFC 6066): the target if it was delegated to, else
	// the source.
	ServerName string
	// Direct says that TLS begins at once, without STARTTLS.
	Direct bool
}

// A Proof is how one method fared.
type Proof struct {
	Method     Method            `json:"method"`
	References []Reference       `json:"references"`
	Reason     delegation.Reason `json:"reason"` // verified if it counts
	Detail     string            `json:"detail"`
}

// An Association is the answer of [Decide]. It is immutable and safe for
// concurrent use.
type Association struct {
	question  Question
	proofs    []Proof
	dial      []Dial
	stop      error
	required  bool
	authentic bool
	floors    []delegation.Floor
	refreshAt time.Time
	result    *delegation.Result
	checks    []delegation.Check // without a result
}

// Question is what was asked.
func (a *Association) Question() Question { return a.question }

// Proofs tells of each method in order of precedence: the names it gives, or
// why it gives none.
func (a *Association) Proofs() []Proof {
	proofs := slices.Clone(a.proofs)
	for i := range proofs {
		proofs[i].References = cloneReferences(proofs[i].References)
	}
	return proofs
}

// References are the names that count, of all methods in order of precedence.
func (a *Association) References() []Reference {
	var all []Reference
	for _, p := range a.proofs {
		all = append(all, cloneReferences(p.References)...)
	}
	return all
}

// cloneReferences lets a caller change what it was given.
func cloneReferences(references []Reference) []Reference {
	out := slices.Clone(references)
	for i := range out {
		out[i].SPKI = slices.Clone(out[i].SPKI)
	}
	return out
}

// Dial is where to connect, for Outgoing, not yet in an order: RFC 2782 tells
// how to order by priority and weight. The error, a *delegation.Error, says why
// there is nothing: the SRV look-up failed or is bogus, or the service is not
// available.
func (a *Association) Dial() ([]Dial, error) {
	list := slices.Clone(a.dial)
	for i := range list {
		list[i].SPKI = slices.Clone(list[i].SPKI)
	}
	return list, a.stop
}

// Required says that the source has a statement, verified now (a revocation,
// and statements that contradict each other, included) or remembered in the
// policy's floor and not expired. Whoever refuses a peer then must not fall
// back to a weaker way of authentication, such as dialback.
func (a *Association) Required() bool { return a.required }

// RefreshAt is when to decide again. Names stop to count at their own Until,
// which is never earlier.
func (a *Association) RefreshAt() time.Time { return a.refreshAt }

// Authentic says that the decision rests on verified statements, also those that
// revoke or contradict each other, or on secure SRV records. A later decision of
// which this cannot be said is no reason to give up a proof that has not ended:
// anybody on the path can hide what there is, or add what is not good.
func (a *Association) Authentic() bool { return a.authentic }

// Floors are what to remember of the source and to give as
// delegation.Policy.Floor next time: of a revocation too.
func (a *Association) Floors() []delegation.Floor { return slices.Clone(a.floors) }

// Result is the verified statement, or nil. It is there also where the table
// leaves the statement out.
func (a *Association) Result() *delegation.Result { return a.result }

// Checks is everything that was checked on the way to the statement.
func (a *Association) Checks() []delegation.Check {
	if a.result != nil {
		return a.result.Checks()
	}
	return slices.Clone(a.checks)
}

func refuse(reason delegation.Reason, format string, args ...any) error {
	return &delegation.Error{Outcome: reason.Outcome(), Reason: reason, Detail: fmt.Sprintf(format, args...)}
}
