package association

import (
	"errors"
	"fmt"
	"slices"
	"strings"
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
	Name   string `json:"name"`
	Method Method `json:"method"`
	// Endpoint is the one endpoint at which the name counts when dialled; zero
	// means at every one.
	Endpoint delegation.Endpoint `json:"endpoint,omitzero"`
	// SPKI, if any, are the keys that the peer may have.
	SPKI []delegation.Pin `json:"-"`
	// Until is when the name stops to count, exclusive; zero means that only
	// the end of the peer's certificate bounds it.
	Until time.Time `json:"until,omitzero"`
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
	refreshAt time.Time
	result    *delegation.Result
	checks    []delegation.Check
}

// Question is what was asked.
func (a *Association) Question() Question { return a.question }

// Proofs tells of each method in order of precedence: the names it gives, or
// why it gives none.
func (a *Association) Proofs() []Proof { return a.proofs }

// References are the names that count, of all methods.
func (a *Association) References() []Reference {
	var all []Reference
	for _, p := range a.proofs {
		all = append(all, p.References...)
	}
	return all
}

// Dial is where to connect, for Outgoing, unordered: see delegation for
// priorities and weights. The error, a *delegation.Error, says why there is
// nothing: the SRV look-up failed or is bogus, or the service is not available.
func (a *Association) Dial() ([]Dial, error) { return a.dial, a.stop }

// Required says that the source has a statement, verified now or remembered in
// the policy's floor and not expired. Whoever refuses a peer then must not fall
// back to a weaker way of authentication, such as dialback.
func (a *Association) Required() bool { return a.required }

// RefreshAt is when to decide again. Names stop to count at their own Until.
func (a *Association) RefreshAt() time.Time { return a.refreshAt }

// Result is the verified statement, or nil.
func (a *Association) Result() *delegation.Result { return a.result }

// Checks is everything that was checked on the way to the statement.
func (a *Association) Checks() []delegation.Check { return a.checks }

// A decision is the state of one call of Decide.
type decision struct {
	question Question
	query    delegation.Query
	evidence *delegation.Evidence
	policy   delegation.Policy

	srv    delegation.SRV
	srvErr error
	state  srvState
	result *delegation.Result // of the statement, as far as the row uses it
	failed error              // why there is none
}

// Decide makes the decision. It is a pure function. The error is about the
// call: a missing or malformed part of question, evidence or policy. That no
// method but PKIX counts is no error: see [Association.Proofs].
func Decide(q Question, e *delegation.Evidence, p delegation.Policy) (*Association, error) {
	if q.Direction != Outgoing && q.Direction != Incoming {
		return nil, refuse(delegation.MissingInput, "the question has no direction")
	}
	d := &decision{question: q, query: delegation.Query{Source: q.Source, Service: q.Service}, evidence: e, policy: p}
	d.srv, d.srvErr = delegation.ReadSRV(d.query, e, p)
	switch delegation.ReasonOf(d.srvErr) {
	case delegation.MissingInput, delegation.BadQuery, delegation.BadEvidence:
		return nil, d.srvErr
	}
	d.state = stateOf(d.srv, d.srvErr)
	row := rules[d.state][q.Direction]

	d.result, d.failed = delegation.Verify(d.query, d.statementEvidence(), p)
	a := &Association{question: q, result: d.result, required: d.required(), refreshAt: d.refreshAt()}
	if d.result != nil {
		a.checks = d.result.Checks()
	}
	var failure *delegation.Error
	if errors.As(d.failed, &failure) {
		a.checks = failure.Checks
	}
	for _, m := range methods {
		a.proofs = append(a.proofs, d.prove(m, row))
	}
	if q.Direction == Outgoing {
		a.dial, a.stop = d.dial(row)
	}
	return a, nil
}

// prove tells how a method fares in a row of the table.
func (d *decision) prove(m Method, row rule) Proof {
	references, err := []Reference(nil), error(nil)
	if slices.Contains(row.methods, m) {
		references, err = provers[m](d)
	} else {
		err = d.left(m)
	}
	var e *delegation.Error
	if errors.As(err, &e) {
		return Proof{Method: m, Reason: e.Reason, Detail: e.Detail}
	}
	var names []string
	for _, r := range references {
		names = append(names, r.Name)
	}
	return Proof{Method: m, References: references, Reason: delegation.Verified, Detail: strings.Join(slices.Compact(names), ", ")}
}

// left says why the table leaves a method out.
func (d *decision) left(m Method) error {
	switch {
	case m == DNSSEC && d.state == broken:
		return d.srvErr
	case m == DNSSEC:
		return refuse(delegation.NotSecure, "the SRV records are not secure by DNSSEC")
	case delegation.ReasonOf(d.failed) == delegation.Conflict:
		return d.failed
	}
	return refuse(delegation.NotUsed, "the SRV records are secure and come first")
}

// statementEvidence leaves out the SRV answers where the statement's own
// targets count: for incoming connections, and where the statement comes first.
func (d *decision) statementEvidence() *delegation.Evidence {
	if d.question.Direction == Outgoing && !d.question.StatementFirst {
		return d.evidence
	}
	e := *d.evidence
	e.SRV = nil
	return &e
}

func (d *decision) pkix() ([]Reference, error) {
	return []Reference{{Name: d.question.Source, Method: PKIX}}, nil
}

func (d *decision) dnssec() ([]Reference, error) {
	if err := d.sendsToo(); err != nil {
		return nil, err
	}
	if d.srvErr != nil {
		return nil, d.srvErr
	}
	if len(d.srv.Entries) == 0 {
		return nil, refuse(delegation.NoStatement, "secure, and there are no SRV records")
	}
	until := d.policy.Time.Add(time.Duration(d.srv.TTL) * time.Second)
	var references []Reference
	for _, e := range d.srv.Entries {
		references = append(references, Reference{Name: e.Target.Host, Method: DNSSEC, Endpoint: e.Target.Endpoint, Until: until})
	}
	return d.anywhere(references), nil
}

func (d *decision) delegation() ([]Reference, error) {
	if err := d.sendsToo(); err != nil {
		return nil, err
	}
	if d.failed != nil {
		return nil, d.failed
	}
	var references []Reference
	for _, t := range d.result.Dial() {
		references = append(references, Reference{
			Name: t.Host, Method: Delegation, Endpoint: t.Endpoint, SPKI: t.SPKI, Until: d.result.ValidUntil(),
		})
	}
	return d.anywhere(references), nil
}

// sendsToo: who is delegated a service does not thereby send for the source.
func (d *decision) sendsToo() error {
	if d.question.Direction == Incoming && !bothWays[d.question.Service] {
		return refuse(delegation.ServiceMismatch, "a delegation of %s is not one to speak for the source", d.question.Service)
	}
	return nil
}

// anywhere takes the endpoint from references for incoming connections, which
// come from any port.
func (d *decision) anywhere(references []Reference) []Reference {
	if d.question.Direction == Incoming {
		for i := range references {
			references[i].Endpoint = delegation.Endpoint{}
		}
	}
	return references
}

// dial lists where to connect.
func (d *decision) dial(row rule) ([]Dial, error) {
	delegated := slices.Contains(row.methods, Delegation) && d.result != nil
	switch {
	case row.stop && !(d.question.StatementFirst && delegated):
		return nil, d.srvErr
	case delegated:
		return d.dialTargets(), nil
	case d.srvErr != nil:
		return nil, d.srvErr // not available
	}
	var list []Dial
	for _, e := range d.srv.Entries {
		list = append(list, d.newDial(e.Target, e.Service, d.question.Source))
	}
	if port, ok := defaultPorts[d.question.Service]; ok && len(list) == 0 {
		t := delegation.Target{Endpoint: delegation.Endpoint{Host: d.question.Source, Port: port}}
		list = append(list, d.newDial(t, d.question.Service, d.question.Source))
	}
	if len(list) == 0 {
		return nil, refuse(delegation.NoStatement, "there are neither SRV records nor a statement to say where %s of %s is", d.question.Service, d.question.Source)
	}
	return list, nil
}

func (d *decision) dialTargets() []Dial {
	var list []Dial
	for _, t := range d.result.Dial() {
		list = append(list, d.newDial(t, d.labelOf(t.Endpoint), t.Host))
	}
	return list
}

// labelOf finds the label an endpoint stands at: that of its SRV record, else
// that of the statement that lists it.
func (d *decision) labelOf(e delegation.Endpoint) string {
	if !d.question.StatementFirst {
		for _, entry := range d.srv.Entries {
			if entry.Target.Endpoint == e {
				return entry.Service
			}
		}
	}
	for _, p := range d.result.Statements() {
		for _, t := range p.Statement.Targets {
			if t.Endpoint == e {
				return p.Statement.Service
			}
		}
	}
	return d.question.Service
}

func (d *decision) newDial(t delegation.Target, service, serverName string) Dial {
	return Dial{Target: t, Service: service, ServerName: serverName, Direct: !needsSTARTTLS[service]}
}

// needsSTARTTLS are the labels at which a connection begins in clear text
// (RFC 6120, Section 5); at all others TLS comes first.
var needsSTARTTLS = map[string]bool{"_xmpp-server._tcp": true, "_xmpp-client._tcp": true}

// required: see Association.Required. A revocation counts as a statement.
func (d *decision) required() bool {
	var e *delegation.Error
	if d.result != nil || errors.As(d.failed, &e) && len(e.Floors) > 0 {
		return true
	}
	return slices.ContainsFunc(d.policy.Floor, func(f delegation.Floor) bool {
		return slices.Contains(delegation.Services(d.question.Service), f.Service) && d.policy.Time.Before(f.ValidUntil)
	})
}

func (d *decision) refreshAt() time.Time {
	at := d.policy.Time.Add(delegation.MinRefresh)
	switch {
	case d.result != nil:
		at = d.result.RefreshAt()
	case d.state == secure:
		at = d.policy.Time.Add(min(max(time.Duration(d.srv.TTL)*time.Second, delegation.MinRefresh), delegation.MaxRefresh))
	}
	return at.UTC()
}

func refuse(reason delegation.Reason, format string, args ...any) error {
	return &delegation.Error{Outcome: reason.Outcome(), Reason: reason, Detail: fmt.Sprintf(format, args...)}
}
