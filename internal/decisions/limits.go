package decisions

import "time"

// Limits that nobody needs to change.
const (
	// maxNegative is how long it counts that nothing was proven. What is not
	// there now may be there soon.
	maxNegative = 5 * time.Minute
	// firstRetry is how long a look-up that failed is not made again; each
	// further failure doubles it, up to maxNegative.
	firstRetry = time.Second
	// lookupTimeout bounds a look-up with everything that belongs to it. The
	// slowest evidence takes 5 seconds of DNS and twice 5 of HTTPS.
	lookupTimeout = 20 * time.Second
	// refreshFrom and refreshTo: a decision that was asked for is made again
	// between these parts of its life, so that nobody waits and not all are
	// made again at once.
	refreshFrom, refreshTo = 0.75, 0.95
	// maxRounds is how often a decision is made again because a newer statement
	// came to be remembered meanwhile.
	maxRounds = 4
	// maxPeers bounds the addresses of peers that have a budget of their own.
	maxPeers = 10_000
)

// Limits are what an operator may change. Zero fields are those of
// DefaultLimits.
type Limits struct {
	// CacheBytes bounds the memory of the entries, roughly. Half of it is for
	// sources with a verified statement, a quarter for those with secure SRV
	// records, a quarter for the rest, so that none can push out another.
	CacheBytes int64
	// LookupsPerSecond bounds the look-ups of sources that are not remembered,
	// and as many again those of sources that are.
	LookupsPerSecond float64
	// LookupsPerPeer bounds, per second, the look-ups of sources that are not
	// remembered that one peer's address (for IPv6 its /64) causes.
	LookupsPerPeer float64
	// LookupsInFlight bounds the look-ups at one time of sources that are not
	// remembered, and as many again those of sources that are.
	LookupsInFlight int
	// Waiting bounds the questions that wait for look-ups.
	Waiting int
}

// DefaultLimits are enough for a server of some size, and little enough for the
// resolver beside it.
var DefaultLimits = Limits{
	CacheBytes:       256 << 20, // 16,000 decisions with a statement at 8.2 KB each
	LookupsPerSecond: 50,        // each is about ten DNS questions and four of HTTPS
	LookupsPerPeer:   10,
	LookupsInFlight:  256, // at 5 seconds each for domains that keep silent, 50 a second
	Waiting:          1024,
}

// burst is how many look-ups may begin at once after a quiet time: those of ten
// seconds.
func burst(perSecond float64) int { return max(1, int(10*perSecond)) }
