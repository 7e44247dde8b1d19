package verifier

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"golang.org/x/net/publicsuffix"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// A lane has slots of its own. So names that somebody makes up do not delay
// those that have proven something before.
type lane int

const (
	laneNew    lane = iota // sources of which nothing is remembered
	laneKnown              // all others
	laneStream             // statements that peers bring, which are judged and not looked up
	lanes
)

// A queue decides which lookups are made when there are more than the slots
// allow. Lookups are on the account of the network that their peer is in:
//
//   - A subscriber (an IPv4 address, an IPv6 /64), its network (the /24, the /48)
//     and the names below one registrable domain hold a limited number of slots.
//   - A network gets another slot only while it holds less than an eighth of those
//     that are free. So a thousand networks whose lookups take forever leave some.
//   - The one with the fewest slots is next. Those with equal numbers take turns.
//   - Too many questions: a lookup that nobody waits for is given up. If there is
//     none, the network with the most questions loses its newest one.
//   - A lookup that got no slot within queueTimeout is not made.
//
// A question without a peer, and one from a network that is exempt, is on an
// account of its own.
type queue struct {
	slots   int // of each lane
	network int // of them for a network in the lane of strangers
	waiting int // questions
	exempt  []netip.Prefix

	mu       sync.Mutex
	accounts map[any]*account // by netip.Prefix, or the name of a domain
	tickets  []*ticket
	taken    [lanes]int
	turns    uint64
	joined   uint64
}

const (
	// queueTimeout is how long a lookup waits for a slot. Prosody's module waits
	// for 10 seconds, and is to hear why there is no answer.
	queueTimeout = 8 * time.Second
	// knownSlots multiplies an account's slots for sources that are remembered.
	// After a restart, all domains of a provider are looked up.
	knownSlots = 4
	// freeShare is which part of the free slots a network may hold at most.
	freeShare = 8
	// lingerShare is which part of the slots may be taken when a lookup begins whose
	// questions were answered from the memory. After a start there are many at once,
	// and the processor is for those who wait.
	lingerShare = 16
)

func newQueue(l Limits) *queue {
	return &queue{
		slots: l.LookupsInFlight, network: l.LookupsPerNetwork, waiting: l.Waiting, exempt: l.Exempt,
		accounts: map[any]*account{},
	}
}

// An account is what a network, a subscriber or a domain uses up.
type account struct {
	key       any
	users     int // that hold it
	questions int
	taken     [lanes]int    // slots
	turn      [lanes]uint64 // when it got the last one
}

// A ticket is a question that waits for a lookup.
type ticket struct {
	lookup              *lookup
	network, subscriber *account
	joined              uint64
	at                  int           // in tickets
	out                 chan struct{} // closed when the question is not to wait any longer
}

// idle is 1 for a ticket on which nobody waits.
func (t *ticket) idle() int {
	if t.lookup.unasked == t || t.joined <= t.lookup.answered {
		return 1
	}
	return 0
}

// A lookup is what questions wait for. Any of them can pay for it.
type lookup struct {
	domain  *account
	lane    lane
	state   progress
	ended   chan struct{} // closed when it is no longer queued
	payers  []*account    // while it has a slot
	open    int           // tickets
	unasked *ticket       // nobody waits for this one; nil if there is none
	// answered is the last ticket whose question needs it no more, 0 if there is
	// none. It is made all the same.
	answered uint64
}

// A progress is how far a lookup has come in the queue.
type progress int

const (
	arrived progress = iota // its lane is not known yet
	queued                  // it waits for a slot
	begun                   // it has a slot
	dropped                 // it gets none any more
)

// lookup makes one, about a source.
func (q *queue) lookup(source string) *lookup {
	q.mu.Lock()
	defer q.mu.Unlock()
	return &lookup{domain: q.account(registrable(source)), ended: make(chan struct{})}
}

// registrable is the domain that somebody registered to have this name.
func registrable(source string) string {
	domain, err := publicsuffix.EffectiveTLDPlusOne(source)
	if err != nil { // the source is a public suffix itself
		return source
	}
	return domain
}

// account returns an account, which its caller holds until it is settled.
func (q *queue) account(key any) *account {
	a := q.accounts[key]
	if a == nil {
		a = &account{key: key}
		q.accounts[key] = a
	}
	a.users++
	return a
}

func (q *queue) settle(a *account) {
	if a.users--; a.users == 0 {
		delete(q.accounts, a.key)
	}
}

// networks are the accounts of a peer.
func (q *queue) networks(peer netip.Addr) (network, subscriber *account) {
	peer = peer.Unmap().WithZone("")
	if !peer.IsValid() || slices.ContainsFunc(q.exempt, func(p netip.Prefix) bool { return p.Contains(peer) }) {
		alone := &account{users: 2}
		return alone, alone
	}
	bits := [...]int{24, 32}
	if peer.Is6() {
		bits = [...]int{48, 64}
	}
	wide, _ := peer.Prefix(bits[0]) // never fails for these lengths
	narrow, _ := peer.Prefix(bits[1])
	return q.account(wide), q.account(narrow)
}

// join has a question wait for a lookup.
func (q *queue) join(l *lookup, peer netip.Addr) *ticket {
	q.mu.Lock()
	defer q.mu.Unlock()
	t := q.add(l, peer)
	if len(q.tickets) > q.waiting {
		q.pushOut()
	}
	q.dispatch()
	return t
}

// unasked has a lookup begin that nobody waits for.
func (q *queue) unasked(l *lookup) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l.unasked = q.add(l, netip.Addr{})
	q.dispatch()
}

func (q *queue) add(l *lookup, peer netip.Addr) *ticket {
	q.joined++
	t := &ticket{lookup: l, joined: q.joined, at: len(q.tickets), out: make(chan struct{})}
	t.network, t.subscriber = q.networks(peer)
	for _, a := range []*account{t.network, t.subscriber} {
		a.questions++
	}
	l.open++
	q.tickets = append(q.tickets, t)
	return t
}

// pushOut ends the newest question of the network that has the most, or what nobody
// waits for.
func (q *queue) pushOut() {
	last := slices.MaxFunc(q.tickets, func(a, b *ticket) int {
		return cmp.Or(
			cmp.Compare(a.idle(), b.idle()),
			cmp.Compare(a.network.questions, b.network.questions),
			cmp.Compare(a.subscriber.questions, b.subscriber.questions),
			cmp.Compare(a.joined, b.joined))
	})
	close(last.out)
	q.remove(last)
}

// leave ends the wait of a ticket. Where its lookup lingers, the ticket stays in the
// queue, on the same account.
func (q *queue) leave(t *ticket) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch l := t.lookup; {
	case t.at < 0:
	case t.idle() > 0 && l.unasked == nil && l.state < begun:
		l.unasked = t
	default:
		q.remove(t)
	}
}

// linger has a lookup made although those who asked are answered and leave.
func (q *queue) linger(l *lookup) {
	q.mu.Lock()
	defer q.mu.Unlock()
	l.answered = q.joined
}

// remove takes a ticket out. A lookup that nobody waits for does not begin.
func (q *queue) remove(t *ticket) {
	last := q.tickets[len(q.tickets)-1]
	q.tickets[t.at], last.at = last, t.at
	q.tickets[len(q.tickets)-1] = nil
	q.tickets = q.tickets[:len(q.tickets)-1]
	t.at = -1
	for _, a := range []*account{t.network, t.subscriber} {
		a.questions--
		q.settle(a)
	}
	if t.lookup.open--; t.lookup.open == 0 && t.lookup.state == queued {
		q.end(t.lookup, dropped)
	}
}

func (q *queue) end(l *lookup, as progress) {
	l.state = as
	close(l.ended)
	if t := l.unasked; t != nil && t.at >= 0 {
		q.remove(t)
	}
}

// enter waits until a lookup may begin; leave it with exit in any case. It returns
// the limit that was reached if it must not begin.
func (q *queue) enter(ctx context.Context, l *lookup, in lane) (limit string) {
	q.mu.Lock()
	if l.lane, l.state = in, queued; l.open == 0 {
		q.end(l, dropped)
	}
	q.dispatch()
	q.mu.Unlock()
	timeout := time.NewTimer(queueTimeout)
	defer timeout.Stop()
	select {
	case <-l.ended:
	case <-timeout.C:
	case <-ctx.Done():
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	switch l.state {
	case begun:
		return ""
	case dropped:
		return limitWaiting
	}
	limit = q.missing(l)
	q.end(l, dropped)
	return limit
}

// exit gives back what a lookup holds.
func (q *queue) exit(l *lookup) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if l.state < begun {
		q.end(l, dropped)
	}
	if len(l.payers) > 0 {
		q.taken[l.lane]--
	}
	for _, a := range l.payers {
		a.taken[l.lane]--
		q.settle(a)
	}
	l.payers = nil
	q.settle(l.domain)
	q.dispatch()
}

// dispatch gives slots to those who are next.
func (q *queue) dispatch() {
	for in := range lanes {
		for q.taken[in] < q.slots {
			next := q.next(in)
			if next == nil {
				break
			}
			q.begin(next)
		}
	}
}

// next is the ticket whose lookup begins next, nil if none can.
func (q *queue) next(in lane) (first *ticket) {
	for _, t := range q.tickets {
		if l := t.lookup; l.state != queued || l.lane != in || q.lacks(t) != "" {
			continue
		}
		if first == nil || cmp.Or(
			cmp.Compare(t.network.taken[in], first.network.taken[in]),
			cmp.Compare(t.network.turn[in], first.network.turn[in]),
			cmp.Compare(t.subscriber.taken[in], first.subscriber.taken[in]),
			cmp.Compare(t.subscriber.turn[in], first.subscriber.turn[in]),
			cmp.Compare(t.joined, first.joined)) < 0 {
			first = t
		}
	}
	return first
}

func (q *queue) begin(t *ticket) {
	l := t.lookup
	q.taken[l.lane]++
	q.turns++
	l.payers = []*account{t.network, t.subscriber, l.domain}
	for _, a := range l.payers {
		a.users++ // until exit
		a.turn[l.lane] = q.turns
		a.taken[l.lane]++
	}
	q.end(l, begun)
}

// The limits of a queue, as the metrics name them.
const (
	limitWaiting  = "waiting"
	limitNetwork  = "network"
	limitDomain   = "domain"
	limitInFlight = "in-flight"
)

// lacks names the limit that keeps a ticket's lookup from beginning, "" if none
// does.
func (q *queue) lacks(t *ticket) string {
	in := t.lookup.lane
	most := q.network
	if in == laneKnown {
		most *= knownSlots
	}
	free := q.slots - q.taken[in]
	switch {
	case free <= 0, t.joined <= t.lookup.answered && q.taken[in]*lingerShare >= q.slots:
		return limitInFlight
	case t.lookup.domain.taken[in] >= most:
		return limitDomain
	case t.network.taken[in] >= most, t.subscriber.taken[in] >= max(1, most*2/3), t.network.taken[in]*freeShare >= free:
		return limitNetwork
	}
	return ""
}

// missing names what keeps a lookup from beginning.
func (q *queue) missing(l *lookup) string {
	for _, t := range q.tickets {
		if t.lookup == l {
			return cmp.Or(q.lacks(t), limitInFlight)
		}
	}
	return limitWaiting
}

func overloaded(limit string) *delegation.Error {
	return delegation.Errorf(reasons.Overloaded, "%s", map[string]string{
		limitInFlight: "too many lookups are under way, and none ended in time",
		limitNetwork:  "too many lookups for the network of this peer are under way, and none ended in time",
		limitDomain:   "too many lookups of names below the same domain are under way, and none ended in time",
		limitWaiting:  "too many questions wait for lookups",
	}[limit])
}
