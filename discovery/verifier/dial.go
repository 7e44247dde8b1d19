package verifier

import (
	"cmp"
	"context"
	"crypto/tls"
	"slices"
	"time"

	"github.com/dnasign/dnasign/delegation/association"
)

// How long a connection may take, unless [DialOptions] say otherwise.
const (
	// DefaultTimeout bounds one Dial in all: up to 10 seconds to gather evidence
	// from slow servers, and three targets that keep silent. A person or a server
	// with messages waiting gives up at about that.
	DefaultTimeout = 30 * time.Second
	// defaultTargetTimeout bounds one target: lookup of its address (5 seconds
	// at most), connection, STARTTLS and TLS. They take about six round trips.
	// A target that needs longer than this is as good as down.
	defaultTargetTimeout = 8 * time.Second
)

// DialOptions are what [Verifier.Dial] needs to know about us. Nil means the zero
// value: an anonymous client.
type DialOptions struct {
	// From is the domain that connects, for the XMPP stream between servers. A
	// client leaves it empty.
	From string
	// Certificates are shown to peers that ask for one, as servers do to each
	// other.
	Certificates []tls.Certificate
	// Timeout and TargetTimeout bound a Dial and each target in it; 0 means
	// 30 and 8 seconds.
	Timeout, TargetTimeout time.Duration
}

// Dial connects to a service of a source domain and proves the peer. It tries the
// targets in turn until one is accepted: at most 16, in the order of RFC 2782. The
// handshake is complete when it returns; the connection has no deadline then.
//
// For the forms of source and service see [Question]. The error is an *[Error].
func (d *Verifier) Dial(ctx context.Context, source, service string, opt *DialOptions) (*tls.Conn, *Proof, error) {
	known, attempts, err := d.dial(ctx, source, service, opt)
	if err != nil {
		return nil, nil, err
	}
	last := attempts[len(attempts)-1]
	return last.conn, known.proof(last), nil
}

// dial is Dial with each attempt, the last of which was accepted.
func (d *Verifier) dial(ctx context.Context, source, service string, opt *DialOptions) (*Decision, []*Attempt, error) {
	if opt == nil {
		opt = &DialOptions{}
	}
	ctx, cancel := context.WithTimeout(ctx, cmp.Or(opt.Timeout, DefaultTimeout))
	defer cancel()
	known, err := d.Decide(ctx, Question{Source: source, Service: service, Direction: association.Outgoing})
	if err != nil {
		return nil, nil, err
	}
	known, attempts, _ := d.Connect(ctx, known, opt, false)
	if accepted(attempts) {
		return known, attempts, nil
	}
	return nil, nil, known.Failure(attempts)
}

func accepted(attempts []*Attempt) bool {
	return slices.ContainsFunc(attempts, func(a *Attempt) bool { return a.Err == nil })
}

// Connect tries the targets of a decision in turn: until one is accepted, or all
// of them. If none is accepted, it asks them for the statement that they show in
// their XMPP stream. If that makes a difference, it connects again by the new
// decision, which it returns instead of known. It is the part of [Verifier.Dial]
// after the decision, for reports. The caller closes the connections, and sets the
// time of the whole by ctx.
func (d *Verifier) Connect(ctx context.Context, known *Decision, opt *DialOptions, all bool) (by *Decision, attempts []*Attempt, untried []association.Dial) {
	if opt == nil {
		opt = &DialOptions{}
	}
	attempts, untried = d.connectTo(ctx, known, opt, all)
	if accepted(attempts) {
		return known, attempts, untried
	}
	again := d.shown(ctx, known, attempts, opt)
	if again == nil {
		return known, attempts, untried
	}
	if _, err := again.Association.Statement(); err == nil {
		attempts, untried = d.connectTo(ctx, again, opt, all)
	}
	return again, attempts, untried
}

func (d *Verifier) connectTo(ctx context.Context, known *Decision, opt *DialOptions, all bool) (attempts []*Attempt, untried []association.Dial) {
	targets := known.Targets()
	for i, to := range targets {
		attempt := d.attempt(ctx, known, to, opt)
		attempts = append(attempts, attempt)
		if attempt.Err == nil && !all {
			return attempts, targets[i+1:]
		}
	}
	return attempts, nil
}

// proof is that of the target that was accepted by the decision.
func (d *Decision) proof(a *Attempt) *Proof {
	p := Peer{Direction: association.Outgoing, Endpoint: a.To.Endpoint, Chain: a.State.PeerCertificates}
	return newProof(d.Association.Question(), a.Acceptance, d, p)
}
