package dial

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"net"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/discovery"
)

// How long a connection may take, unless the Dialer says otherwise.
const (
	// DefaultTimeout bounds one Dial in all: up to 10 seconds to gather
	// evidence from slow servers, and two targets that keep silent. A person
	// or a server with messages waiting gives up at about that.
	DefaultTimeout = 30 * time.Second
	// DefaultTargetTimeout bounds one target: look-up of its address (5
	// seconds at most), connection, STARTTLS and TLS. They take six round
	// trips or so; a target that needs longer than this is as good as down.
	DefaultTargetTimeout = 8 * time.Second
	// MaxTargets is how many targets are tried, the first in order. Both labels
	// of a role may have 32 SRV records: a domain that a stranger names must
	// not make us knock at all of them.
	MaxTargets = 16
)

// A Dialer is how to connect. Client, Policy and Peers are required. A Dialer
// is not changed by its methods, which may be called by several goroutines at
// once.
type Dialer struct {
	// Client gathers the evidence and opens the connections.
	Client *discovery.Client
	// Policy gives the policy for one call: its Time is now, and its Floor
	// what is remembered of the source at that moment.
	Policy func(source, service string) delegation.Policy
	// Peers is what is believed about the certificates of targets.
	Peers delegation.PeerPolicy
	// StatementFirst connects to the statement's own targets, whatever SRV
	// records say that are not secure: see association.Question.
	StatementFirst bool
	// StartTLS brings a connection to the point where TLS begins, for
	// targets that do not begin with it (association.Dial.Direct is false). It
	// is given the source and the target. It must not keep reading when it
	// returns, and everything it hears is unprotected. An error that is a
	// *[delegation.Error] keeps its reason; another one is
	// [delegation.STARTTLSFailed]. The end of ctx ends reads and writes on
	// conn. Nil refuses such targets.
	StartTLS func(ctx context.Context, conn net.Conn, source string, to association.Dial) error
	// Certificates are shown to peers that ask for one, as servers do to each
	// other.
	Certificates []tls.Certificate
	// Timeout and TargetTimeout bound a Dial and each target in it; 0 means
	// DefaultTimeout and DefaultTargetTimeout.
	Timeout, TargetTimeout time.Duration
	// Random chooses among targets of equal priority: it returns a number from
	// 0 to n-1, n being at least 1. Nil means math/rand/v2.
	Random func(n int) int
	// Logger gets a line for each target at the debug level. Nil discards.
	Logger *slog.Logger
}

// A Decision is where to connect for a source and what counts there.
type Decision struct {
	Association *association.Association
	Evidence    *delegation.Evidence
	// Targets are in the order to try them, at most MaxTargets. None: then Association.Dial says
	// why.
	Targets []association.Dial
}

// A Conn is a TLS connection to a peer that counts as the source's service,
// and the proof of it.
type Conn struct {
	*tls.Conn
	Decision *Decision
	// To is the target that was connected to.
	To association.Dial
	// Acceptance says by which name and method the peer counts, and until
	// when. The connection does not end by itself at that time.
	Acceptance *association.Acceptance
	// Attempts are the targets tried, the last of them this one.
	Attempts []*Attempt
}

// Dial connects to a service of a source domain, both in the form of
// [delegation.CheckName] and [delegation.CheckService]. It tries the targets of
// [Dialer.Decide] in turn until one is accepted. The handshake is complete when
// it returns; the connection has no deadline then.
//
// The error is an *[Error], or of a kind that [Dialer.Decide] returns.
func (d *Dialer) Dial(ctx context.Context, source, service string) (*Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, or(d.Timeout, DefaultTimeout))
	defer cancel()
	decision, err := d.Decide(ctx, source, service)
	if err != nil {
		return nil, err
	}
	var attempts []*Attempt
	for _, to := range decision.Targets {
		attempt := d.Connect(ctx, decision, to)
		attempts = append(attempts, attempt)
		if attempt.Err == nil {
			return &Conn{attempt.conn, decision, to, attempt.Acceptance, attempts}, nil
		}
	}
	return nil, NewError(decision, attempts)
}

// Decide gathers evidence until a statement verifies and the SRV records are
// known, and decides on it. The error is about the call: it wraps
// discovery.ErrConfig, or is a *[delegation.Error] about a missing or malformed
// part of the policy or the question.
func (d *Dialer) Decide(ctx context.Context, source, service string) (*Decision, error) {
	if d.Client == nil || d.Policy == nil || d.Peers.Roots == nil || d.Peers.Now == nil {
		return nil, refuse(delegation.MissingInput, "the dialer has no client, no policy, or no trust anchors or clock for peers")
	}
	if strings.HasSuffix(service, "._udp") {
		return nil, refuse(delegation.BadQuery, "%s is not reached by TLS over TCP", service)
	}
	policy := d.Policy(source, service)
	query := delegation.Query{Source: source, Service: service}
	var arrivals delegation.Arrivals
	e, err := d.Client.Gather(ctx, source, service, func(e *delegation.Evidence) bool {
		if !arrivals.Worth(e) {
			return false
		}
		_, err := delegation.Verify(query, e, policy)
		return err == nil
	})
	if err != nil {
		return nil, err
	}
	a, err := association.Decide(association.Question{
		Source: source, Service: service, Direction: association.Outgoing, StatementFirst: d.StatementFirst,
	}, e, policy)
	if err != nil {
		return nil, err
	}
	targets, _ := a.Dial() // why there are none stays in the association
	targets = order(targets, d.random())
	return &Decision{Association: a, Evidence: e, Targets: targets[:min(len(targets), MaxTargets)]}, nil
}

func (d *Dialer) logger() *slog.Logger {
	if d.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return d.Logger
}

func or(d, otherwise time.Duration) time.Duration {
	if d == 0 {
		return otherwise
	}
	return d
}

func refuse(reason delegation.Reason, format string, args ...any) *delegation.Error {
	return &delegation.Error{Outcome: reason.Outcome(), Reason: reason, Detail: fmt.Sprintf(format, args...)}
}
