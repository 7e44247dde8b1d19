package verifier

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/text"
)

// A Peer is the other side of a TLS connection.
type Peer struct {
	// Direction says who opened the connection. It is required.
	Direction association.Direction
	// Chain is what the peer showed, leaf first. An empty one is never accepted.
	Chain []*x509.Certificate
	// ChainVerified says that the caller itself verified the path from Chain[0] to
	// its own trust anchors. It is for callers whose TLS library shows them the
	// peer's certificate alone. Check then judges that certificate's validity
	// period, usage, names and key, and not the path above it.
	ChainVerified bool
	// Endpoint is what was dialled, for Outgoing. Zero means that nobody knows:
	// then any endpoint that was proven will do.
	Endpoint delegation.Endpoint
	// Addr is the peer's address, on whose account a lookup is made. Zero means
	// unknown.
	Addr netip.Addr
	// Recheck says that the connection is open because of an earlier proof. It may
	// stay while a newer statement is looked up, for 5 minutes at most.
	Recheck bool
	// Lookup has Check look up although the certificate is the source's own, so
	// that the proof has a Decision.
	Lookup bool
	// Statement is what the peer brought in its XMPP stream, nil if it brought nothing:
	// see Question. It is not looked at if the peer is proven without.
	Statement *delegation.StreamStatement

	opened *association.Question // of a connection that was opened for another source
	// endpoints is what DNS says of the endpoint that this package dialled.
	endpoints []delegation.EndpointAnswer
}

// Accepted describes the peer of a connection that a server accepted, for
// [Verifier.Check]. The handshake must be complete.
func Accepted(conn *tls.Conn) Peer {
	p := Peer{Direction: association.Incoming, Chain: conn.ConnectionState().PeerCertificates}
	if addr, err := netip.ParseAddrPort(conn.RemoteAddr().String()); err == nil {
		p.Addr = addr.Addr()
	}
	return p
}

// A Proof says that one peer may act for a source.
type Proof struct {
	Source    string
	Service   string // the role
	Direction association.Direction
	// Reference is the name in the peer's certificate, and the method by which it
	// counts.
	Reference association.Reference
	// Endpoint is what was dialled, for Outgoing; zero if nobody knows.
	Endpoint delegation.Endpoint
	// Until is when the proof ends, exclusive. [Verifier.Hold] renews it.
	Until time.Time
	// TLSA is the record that the peer matches, nil if none was needed (DANE).
	TLSA *delegation.TLSARecord
	// Decision is what the proof rests on, nil if the source's own certificate was
	// enough and nothing was looked up.
	Decision *Decision

	peer Peer
	from time.Time // when Prove made it, zero if it did not
}

// check: only this package makes a proof that can be used again.
func (p *Proof) check() error {
	if p == nil || p.peer.Direction == "" {
		return delegation.Errorf(reasons.MissingInput, "only a proof of Check, Prove, Dial or Share can be held or shared")
	}
	return nil
}

// newProof is that of a peer that was accepted by a decision, nil if its own
// certificate was enough.
func newProof(q association.Question, by *association.Acceptance, known *Decision, p Peer) *Proof {
	p.Recheck, p.Lookup, p.endpoints = false, false, nil
	return &Proof{
		Source: q.Source, Service: q.Service, Direction: q.Direction, Reference: by.Reference, Endpoint: p.Endpoint, Until: by.Until, TLSA: by.TLSA,
		Decision: known, peer: p,
	}
}

// String is for a log: who may act for whom, by what and until when.
func (p *Proof) String() string {
	return fmt.Sprintf("%s may act for %s (%s, %s) by %s until %s", p.Reference.Name, p.Source, p.Service, p.Direction, p.Reference.Method, text.Stamp(p.Until))
}

// MayFallBack reports whether a program may go on with a weaker way after err. It
// is true only for an [Error] that is not Required, and false for every other
// error, and for nil.
func MayFallBack(err error) bool {
	e, ok := errors.AsType[*Error](err)
	return ok && !e.Required
}

// Check proves a connected peer. Its certificate must name the source, or a
// name that acts for it by DNSSEC or by a statement. It looks up nothing if the
// certificate is the source's own. For the forms of source and service see
// [Question].
//
// Call it for every source that a peer claims, and do nothing for the peer before
// it returns nil. The error is an *[Error]. If a newer statement comes to be known
// meanwhile, it decides.
func (d *Verifier) Check(ctx context.Context, source, service string, p Peer) (*Proof, error) {
	q := Question{Source: source, Service: service, Direction: p.Direction, Addr: p.Addr, Recheck: p.Recheck}
	proof, err := d.try(ctx, q, p)
	if reason := delegation.ReasonOf(err); reason == reasons.Superseded || reason == reasons.Conflict {
		// A renewal must not end a connection, nor keep one out.
		proof, err = d.try(ctx, q, p)
	}
	if err != nil && p.Statement != nil {
		q.Statement = p.Statement
		return d.weighed(ctx, q, p, err)
	}
	return proof, err
}

// Share proves that the connection of p may also serve another source, for the
// same role, direction and endpoint. The rule is stricter than that of
// [Verifier.Check]. The other source must have proven a name by DNSSEC or by a
// statement, and the peer's certificate must carry that name without a wildcard
// (docs/connections.md, section 8). The error is an *[Error].
func (d *Verifier) Share(ctx context.Context, p *Proof, source string) (*Proof, error) {
	if err := p.check(); err != nil {
		return nil, failed(err, nil)
	}
	peer := p.peer
	peer.Statement = nil // it is about the first source
	if peer.opened == nil {
		peer.opened = &association.Question{Source: p.Source, Service: p.Service, Direction: p.Direction}
	}
	return d.Check(ctx, source, p.Service, peer)
}

// try decides, unless the certificate is enough, and checks the peer against
// the decision.
func (d *Verifier) try(ctx context.Context, q Question, p Peer) (*Proof, error) {
	if err := check(&q); err != nil {
		return nil, failed(err, nil)
	}
	known := d.known(ctx, q)
	if known == nil && !p.Lookup && p.opened == nil && !d.bindsSource(p) {
		if proof := d.own(ctx, q, p); proof != nil {
			return proof, nil
		}
	}
	if known == nil {
		var err error
		if known, err = d.Decide(ctx, q); err != nil {
			return nil, err
		}
	}
	proof, err := d.Prove(ctx, known, p)
	if err == nil || !known.untried {
		return proof, err
	}
	// A statement from the memory lets in and keeps nobody out: the owner may have
	// named this peer meanwhile.
	q.anew = true
	if known, err = d.Decide(ctx, q); err != nil {
		return nil, err
	}
	return d.Prove(ctx, known, p)
}

// bindsSource reports whether TLSA records may refuse the peer even a certificate of
// the source: a secure SRV record may name the endpoint that was dialled.
func (d *Verifier) bindsSource(p Peer) bool {
	return d.endpoints != nil && p.Endpoint != delegation.Endpoint{}
}

// Prove checks a peer against a decision. It looks up nothing but what DNS says of
// endpoints, where TLSA records may change the answer. A newer statement that came to
// be known since the decision overrules it: [reasons.Superseded] or [reasons.Conflict]. A decision that has ended proves only the source's own
// certificate, and none at all ([reasons.MissingInput]) proves nobody. The
// error is an *[Error].
func (d *Verifier) Prove(ctx context.Context, known *Decision, p Peer) (*Proof, error) {
	if known == nil {
		return nil, failed(delegation.Errorf(reasons.MissingInput, "there is no decision about the source of the peer"), nil)
	}
	if p.Direction != known.Association.Question().Direction {
		return nil, failed(delegation.Errorf(reasons.MissingInput, "the decision is about another direction than the peer's"), known)
	}
	q := known.Association.Question()
	floor, err := d.floors(ctx, subject{q.Source, q.Service})
	if err != nil {
		return nil, failed(err, nil)
	}
	from := d.config.Now()
	by, err := d.accept(ctx, known, p, floor)
	if err != nil {
		e := failed(ended(p.Recheck, known, why(known.Association, err)), known)
		e.Required = e.Required || bars(err) || floor(q.Source, q.Service).Required(d.config.Now()) // learnt since
		return nil, e
	}
	proof := newProof(q, by, known, p)
	proof.from = from
	return proof, nil
}

// accept checks the certificates. An open connection may stay on a decision that
// was overtaken, until the newer statement has been looked up. What DNS says of
// endpoints is asked for only where it may change the answer.
func (d *Verifier) accept(ctx context.Context, known *Decision, p Peer, floor func(source, service string) delegation.Floor) (by *association.Acceptance, err error) {
	peers := d.peers(p)
	if !p.Recheck || !known.Overtaken {
		peers.Floor = floor
	}
	peers.Endpoints = p.endpoints
	by, err = d.judgePeer(ctx, known, p, peers)
	if d.endpoints != nil && p.endpoints == nil && len(p.Chain) > 0 {
		if ask := known.Association.Undecided(p.Endpoint, by, err); len(ask) > 0 {
			peers.Endpoints = d.endpoints.about(ctx, ask)
			by, err = d.judgePeer(ctx, known, p, peers)
		}
	}
	if err != nil || by.Reference.Method == association.PKIX || known.Until.IsZero() || by.Until.Before(known.Until) {
		return by, err
	}
	if by.Until = known.Until; !d.config.Now().Before(by.Until) {
		return nil, delegation.Errorf(reasons.ProofExpired, "the decision about %s has ended at %s", by.Source, text.Stamp(by.Until))
	}
	return by, nil
}

// judgePeer holds the certificates to the decision.
func (d *Verifier) judgePeer(ctx context.Context, known *Decision, p Peer, peers delegation.PeerPolicy) (by *association.Acceptance, err error) {
	err = d.verify(ctx, func() (err error) {
		switch a := known.Association; {
		case p.opened != nil:
			by, err = a.AcceptFurther(*p.opened, p.Endpoint, peers, p.Chain)
		case p.Direction == association.Outgoing && p.Endpoint != (delegation.Endpoint{}):
			by, err = a.Accept(p.Endpoint, peers, p.Chain)
		default:
			by, err = a.AcceptAnywhere(peers, p.Chain)
		}
		return err
	})
	return by, err
}

// bars reports whether nothing weaker may do after an error of accept, whatever the
// source has: DNS names other keys, or nobody can tell whether it does (rule E4e).
func bars(err error) bool {
	reason := delegation.ReasonOf(err)
	return reason == reasons.DANEMismatch || reason == reasons.TooManyRecords || reason.OfLookup()
}

// own proves a peer by its certificate alone, or returns nil: a certificate of the
// source itself counts whatever a lookup finds.
func (d *Verifier) own(ctx context.Context, q Question, p Peer) *Proof {
	peers := d.peers(p)
	name := delegation.Reference{Name: q.Source}
	var match *delegation.PeerMatch
	err := d.verify(ctx, func() (err error) {
		match, err = peers.Check(p.Chain, []delegation.Reference{name})
		return err
	})
	if err != nil {
		return nil
	}
	by := &association.Acceptance{Reference: association.Reference{Reference: name, Method: association.PKIX}, Until: match.Until}
	return newProof(keyOf(q).question(false), by, nil, p)
}

// peers says which anchors a peer's chain leads to. Where the caller verified the
// path, the peer's certificate is the anchor: everything else is judged as always.
func (d *Verifier) peers(p Peer) delegation.PeerPolicy {
	peers := delegation.PeerPolicy{Roots: d.config.Roots, Cache: d.proven, Now: d.config.Now}
	if p.ChainVerified && len(p.Chain) > 0 {
		peers.Roots, peers.Cache = x509.NewCertPool(), nil
		peers.Roots.AddCert(p.Chain[0])
	}
	return peers
}

// verify runs a check of certificates, as many at a time as there are processors.
func (d *Verifier) verify(ctx context.Context, check func() error) error {
	select {
	case d.checking <- struct{}{}:
	case <-ctx.Done():
		return delegation.Errorf(reasons.Overloaded, "too many certificates wait to be verified")
	}
	defer func() { <-d.checking }()
	return check()
}

// failed makes the error of a question. Without a decision nobody can say what is
// required; without an association the decision says no more than that.
func failed(err error, known *Decision) *Error {
	e := (&Error{Required: true}).from(err)
	if known != nil {
		e.Required = known.Required
		if known.Association != nil {
			e.Decision = known
		}
	}
	return e
}

// ended says no about an open connection whose proof is over, if nobody can say
// whether there is another one.
func ended(recheck bool, known *Decision, err error) error {
	e := asError(err)
	if !recheck || !known.Ended || e.Outcome != reasons.OutcomeUndetermined {
		return err
	}
	return delegation.Errorf(reasons.ProofExpired, "the proof by which it was accepted is over, and whether there is another one could not be found out (%s: %s)", e.Reason, e.Detail)
}

// why explains a refusal for the peer's name: why no statement gives that name.
// Somebody can do something about that. If it is not known, because a lookup
// failed, the outcome is undetermined.
func why(a *association.Association, refused error) error {
	if delegation.ReasonOf(refused) != reasons.PeerNameMismatch {
		return refused
	}
	for _, p := range a.Proofs() {
		if p.Method != association.Delegation || p.Reason == reasons.Verified || p.Reason == reasons.NotUsed {
			continue
		}
		return delegation.Errorf(p.Reason, "%s; %s", p.Detail, asError(refused).Detail)
	}
	return refused
}
