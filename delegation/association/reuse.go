package association

import (
	"cmp"
	"container/list"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dnasign/dnasign/delegation"
)

// What a [Table] says where nothing was refused.
var (
	// ErrNoConnection: the table has no connection that could serve.
	ErrNoConnection = errors.New("association: no such connection")
	// ErrFull: the table holds as many connections or pairs as it may. What was
	// accepted may go on outside of it.
	ErrFull = errors.New("association: the table is full")
)

// A Table holds the connections that exist and says for which domains each of
// them may serve: the connection table and the binding table of
// draft-ietf-xmpp-dna-01 in one. A row is a connection with the endpoint that
// was dialled, its direction, its service and the certificates that its peer
// showed; in it stand the pairs (local, source) that may use it, each with its
// own acceptance and end. An outgoing row is for what the local domain sends to
// the source, an incoming one for what the source sends to the local domain.
//
// The source it was opened for is held to [Association.Accept]. A further
// source may use it only if a decision made for that request gives, by dnssec
// or delegation, a name that counts at the very endpoint and that the peer's
// certificate carries other than by a wildcard, and the whole check of the
// certificate holds again (docs/spec.md, section 12.2).
//
// A decision that comes late, on statements older than those of another that
// the table was told of meanwhile by Add, Find, Request or Update, lets nobody
// in, and lengthens and ends nothing: [delegation.Superseded]. One that
// contradicts what the table was told of lets nobody in and ends what there is:
// [delegation.Conflict]. The table remembers the newest statements of every
// source that it has pairs of, and of those without pairs the ones told of
// last, as many as Limits.Pairs at least. Of others, and of decisions that rest
// on no statement, it cannot tell which is newer: request with the decision
// made last, and decide again after Update or Revoke.
//
// C is what a caller knows a connection by, such as a pointer to it. A Table
// starts no goroutine and reads no clock but that of the peer policy. It is
// safe for concurrent use.
type Table[C comparable] struct {
	peers  delegation.PeerPolicy
	limits Limits

	mu     sync.Mutex
	rows   map[C]*row[C]
	at     map[place][]*row[C]
	pairs  int
	newest map[subject]*list.Element
	order  list.List // of *told; what was told of last at the back
}

// Limits bound a [Table]. A zero limit lets nothing in.
type Limits struct {
	Connections int
	Pairs       int // of all connections
}

// NewTable makes an empty table. The policy is what its certificates are held
// to; the zero policy refuses all.
func NewTable[C comparable](p delegation.PeerPolicy, l Limits) *Table[C] {
	return &Table[C]{peers: p, limits: l, rows: map[C]*row[C]{}, at: map[place][]*row[C]{}, newest: map[subject]*list.Element{}}
}

// A place is what connections must have in common to serve the same source.
type place struct {
	endpoint  delegation.Endpoint // dialled; zero for incoming
	direction Direction
	role      string // the service, the same for both labels of a role
}

func placeOf(q Question, e delegation.Endpoint) place {
	return place{e, q.Direction, roleOf(q.Service)}
}

func roleOf(service string) string { return slices.Min(delegation.Services(service)) }

// A row is one connection. Only sources changes.
type row[C comparable] struct {
	conn    C
	place   place
	first   string // the source that it was opened for
	chain   []*x509.Certificate
	sources map[string]map[string]Acceptance // by source, then by local domain
}

// Add puts a connection into the table, with the endpoint that was dialled (zero
// for an incoming one) and the certificates that the peer showed, leaf first,
// and lets the pair (local, source of a) use it, if [Association.Accept] does.
// A connection that is there already is removed first. The error is a
// *delegation.Error or ErrFull.
func (t *Table[C]) Add(conn C, at delegation.Endpoint, chain []*x509.Certificate, local string, a *Association) (*Acceptance, error) {
	t.Remove(conn)
	if local == "" {
		return nil, errNoLocal
	}
	acceptance, err := a.Accept(at, t.peers, chain)
	if err != nil {
		return nil, err
	}
	r := &row[C]{conn, placeOf(a.question, at), a.question.Source, slices.Clone(chain), map[string]map[string]Acceptance{}}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(conn) // somebody may have added it meanwhile
	if _, err := t.tell(a); err != nil {
		return nil, err
	}
	if len(t.rows) >= t.limits.Connections || !t.grant(r, local, *acceptance) {
		return nil, ErrFull
	}
	t.rows[conn] = r
	t.at[r.place] = append(t.at[r.place], r)
	return acceptance, nil
}

// Find finds a connection on which the local domain may send to the source of
// a, an outgoing decision that was made for this request, and lets the pair use
// it. The endpoints are tried by priority, the connections to one in the order
// of Add. The error is a *delegation.Error that says why none of those to the
// endpoints may serve, ErrNoConnection if there are none, or ErrFull.
func (t *Table[C]) Find(local string, a *Association) (conn C, acceptance *Acceptance, err error) {
	dial, err := a.Dial()
	if err != nil {
		return conn, nil, err
	}
	slices.SortStableFunc(dial, func(x, y Dial) int { return cmp.Compare(x.Priority, y.Priority) })
	var rows []*row[C]
	t.mu.Lock()
	for _, d := range dial {
		rows = append(rows, t.at[placeOf(a.question, d.Endpoint)]...)
	}
	t.mu.Unlock()
	err = ErrNoConnection
	for _, r := range rows {
		acceptance, refused := t.request(r, local, a)
		if refused == nil {
			return r.conn, acceptance, nil
		}
		if errors.Is(err, ErrNoConnection) {
			err = refused
		}
	}
	return conn, nil, err
}

// Request asks whether the pair (local, source of a) may use a connection, by a
// decision that was made for this request, and lets it if so. It is what to
// call when a peer claims a further source on a connection that it opened. The
// error is a *delegation.Error, ErrNoConnection or ErrFull.
func (t *Table[C]) Request(conn C, local string, a *Association) (*Acceptance, error) {
	t.mu.Lock()
	r := t.rows[conn]
	t.mu.Unlock()
	if r == nil {
		return nil, ErrNoConnection
	}
	return t.request(r, local, a)
}

// request holds the certificate to the decision without the lock, and takes
// the answer to the table if the connection is still there.
func (t *Table[C]) request(r *row[C], local string, a *Association) (*Acceptance, error) {
	if local == "" {
		return nil, errNoLocal
	}
	if got := placeOf(a.question, r.place.endpoint); got != r.place {
		return nil, refuse(delegation.ServiceMismatch, "the connection is %s for %s, the decision %s for %s",
			r.place.direction, r.place.role, got.direction, got.role)
	}
	acceptance, err := r.admit(a, t.peers)
	t.mu.Lock()
	defer t.mu.Unlock()
	stale, refused := t.tell(a)
	if refused != nil && !ends(err) {
		err = refused
	}
	switch {
	case t.rows[r.conn] != r:
		return nil, ErrNoConnection
	case stale:
		return nil, refused
	case err != nil:
		if ends(err) {
			t.drop(r, a.question.Source)
		}
		return nil, err
	case !t.grant(r, local, *acceptance):
		return nil, ErrFull
	}
	return acceptance, nil
}

// admit is rules R1 and P1 of docs/spec.md, for a decision about the row's
// place.
func (r *row[C]) admit(a *Association, p delegation.PeerPolicy) (*Acceptance, error) {
	if a.question.Source == r.first {
		acceptance, err := a.Accept(r.place.endpoint, p, r.chain)
		if open := a.open(); open != nil && delegation.ReasonOf(err) == delegation.PeerNameMismatch {
			return nil, open
		}
		return acceptance, err
	}
	proven := false
	acceptance, err := a.accept(r.place.endpoint, p, r.chain, func(reference Reference) bool {
		proves := shared[reference.Method] && reference.countsAt(r.place.endpoint)
		proven = proven || proves
		return proves && carries(r.chain[0], reference.Name)
	})
	if delegation.ReasonOf(err) != delegation.PeerNameMismatch {
		return acceptance, err
	}
	if !proven {
		return nil, a.unproven()
	}
	return nil, refuse(delegation.PeerNameMismatch, "the certificate carries no name that was proven for %s, or only by a wildcard", a.question.Source)
}

// carries reports whether a certificate has a name as it stands.
func carries(leaf *x509.Certificate, name string) bool {
	return slices.ContainsFunc(leaf.DNSNames, func(n string) bool { return strings.ToLower(n) == name })
}

// open says which method might give names, if its look-up had not failed. A
// revocation leaves nothing open.
func (a *Association) open() (open error) {
	for _, p := range a.proofs {
		switch {
		case p.Reason == delegation.Revoked:
			return nil
		case p.Reason.Outcome() == delegation.OutcomeUndetermined && open == nil:
			open = refuse(p.Reason, "%s", p.Detail)
		}
	}
	return open
}

// unproven says why a has no name but the source's own.
func (a *Association) unproven() error {
	if open := a.open(); open != nil {
		return open
	}
	err := refuse(delegation.PeerNameMismatch, "only a certificate of %s itself counts", a.question.Source)
	for _, p := range a.proofs {
		switch p.Reason {
		case delegation.Verified, delegation.NotSecure, delegation.NotUsed:
		default:
			err = refuse(p.Reason, "%s", p.Detail)
		}
	}
	return err
}

// ends reports whether a refusal takes back what was accepted before. That a
// look-up failed does not: a proof lasts until its end.
func ends(err error) bool {
	var e *delegation.Error
	return errors.As(err, &e) && e.Outcome == delegation.OutcomeRefused
}

var errNoLocal = refuse(delegation.MissingInput, "there is no local domain")

// Serves reports whether a pair may use a connection now. It is for every
// message.
func (t *Table[C]) Serves(conn C, local, source string) (Acceptance, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.rows[conn]
	if r == nil {
		return Acceptance{}, false
	}
	acceptance, ok := r.sources[source][local]
	now := t.peers.Now()
	if !ok || now.IsZero() || !now.Before(acceptance.Until) {
		return Acceptance{}, false
	}
	return acceptance, true
}

// Update takes a later decision about a source to every connection that serves
// it, in that direction. Where it no longer gives the name, all pairs of the
// source end; the connections on which they did are returned. Where it does,
// their ends are those of the new decision. One that comes late changes
// nothing.
func (t *Table[C]) Update(a *Association) []C {
	var rows []*row[C]
	t.mu.Lock()
	stale, refused := t.tell(a)
	if stale {
		t.mu.Unlock()
		return nil
	}
	for _, r := range t.rows {
		if len(r.sources[a.question.Source]) > 0 && r.place == placeOf(a.question, r.place.endpoint) {
			rows = append(rows, r)
		}
	}
	t.mu.Unlock()
	var ended []C
	for _, r := range rows {
		acceptance, err := r.admit(a, t.peers)
		t.mu.Lock()
		stale, conflict := t.tell(a)
		if refused := cmp.Or(refused, conflict); refused != nil && !ends(err) {
			err = refused
		}
		pairs := r.sources[a.question.Source]
		switch {
		case t.rows[r.conn] != r:
		case stale && refused == nil: // a newer one came meanwhile
		case err == nil:
			for local := range pairs {
				pairs[local] = *acceptance
			}
		case ends(err):
			t.drop(r, a.question.Source)
			ended = append(ended, r.conn)
		}
		t.mu.Unlock()
	}
	return ended
}

// Revoke ends all pairs of a source, in both directions, and returns the
// connections on which there were any. Whoever calls it makes sure that later
// decisions know of it, and that none made before is still used: the table does
// not remember the call.
func (t *Table[C]) Revoke(source string) []C {
	t.mu.Lock()
	defer t.mu.Unlock()
	var ended []C
	for conn, r := range t.rows {
		if t.drop(r, source) {
			ended = append(ended, conn)
		}
	}
	return ended
}

// Remove takes a connection that was closed out of the table, with all pairs.
func (t *Table[C]) Remove(conn C) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.remove(conn)
}

// remove is Remove for whoever holds the lock.
func (t *Table[C]) remove(conn C) {
	r := t.rows[conn]
	if r == nil {
		return
	}
	for source := range r.sources {
		t.drop(r, source)
	}
	delete(t.rows, conn)
	t.at[r.place] = slices.DeleteFunc(t.at[r.place], func(other *row[C]) bool { return other == r })
	if len(t.at[r.place]) == 0 {
		delete(t.at, r.place)
	}
}

// Expire takes out the pairs that have ended. It returns the connections that
// serve nobody, which a caller may close and remove. Serves needs no Expire.
func (t *Table[C]) Expire() []C {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.expire()
	var idle []C
	for conn, r := range t.rows {
		if len(r.sources) == 0 {
			idle = append(idle, conn)
		}
	}
	return idle
}

// Len is how many connections and pairs there are.
func (t *Table[C]) Len() (connections, pairs int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.rows), t.pairs
}

// grant, drop and expire are called with the lock held.

func (t *Table[C]) grant(r *row[C], local string, acceptance Acceptance) bool {
	if _, known := r.sources[acceptance.Source][local]; !known {
		if t.pairs >= t.limits.Pairs {
			t.expire()
		}
		if t.pairs >= t.limits.Pairs {
			return false
		}
		t.pairs++
	}
	if r.sources[acceptance.Source] == nil {
		r.sources[acceptance.Source] = map[string]Acceptance{}
	}
	r.sources[acceptance.Source][local] = acceptance
	return true
}

func (t *Table[C]) drop(r *row[C], source string) bool {
	pairs, ok := r.sources[source]
	t.pairs -= len(pairs)
	delete(r.sources, source)
	return ok
}

func (t *Table[C]) expire() {
	var now time.Time
	if len(t.rows) > 0 {
		now = t.peers.Now()
	}
	for _, r := range t.rows {
		for source, pairs := range r.sources {
			for local, acceptance := range pairs {
				if !now.Before(acceptance.Until) {
					delete(pairs, local)
					t.pairs--
				}
			}
			if len(pairs) == 0 {
				delete(r.sources, source)
			}
		}
	}
}
