package verifier

import (
	"net/netip"
	"time"
)

// Limits that nobody needs to change.
const (
	// maxNegative is how long it counts that nothing was proven. What is not
	// there now may be there soon.
	maxNegative = 5 * time.Minute
	// firstRetry is how long a failed lookup is not repeated. Each further
	// failure doubles it, up to maxNegative.
	firstRetry = time.Second
	// lookupTimeout bounds a lookup with everything that belongs to it. The
	// slowest evidence takes 5 seconds of DNS and twice 5 of HTTPS.
	lookupTimeout = 20 * time.Second
	// refreshFrom and refreshTo: a decision in use is refreshed between these
	// parts of its lifetime. So nobody waits, and not all are refreshed
	// together.
	refreshFrom, refreshTo = 0.75, 0.95
	// maxRounds is how often a decision is made, or a lookup, because a newer
	// statement came to be known meanwhile.
	maxRounds = 4
	// maxOvertaken is how long open connections may stay where a newer statement
	// is known and no lookup can be made.
	maxOvertaken = 5 * time.Minute
	// overtakenRetry is when those are to ask again.
	overtakenRetry = 5 * time.Second
	// maxUnsure is how long proofs count where nobody can say whether there is a
	// newer statement, because the memory cannot be read.
	maxUnsure = 5 * time.Minute
	// maxStored is how long after it was seen a statement from the memory may answer
	// where no lookup succeeds. A proof in the cache may do so until it ends, which
	// can be a month. This one nobody has seen since the start, so it is a day: time
	// to mend a resolver.
	maxStored = 24 * time.Hour
	// storedLife is how long such an answer is given without waiting for its lookup:
	// as long as that may take.
	storedLife = queueTimeout + lookupTimeout
	// maxDecided is of how many statements a Verifier notes that it has decided by
	// them. The stores of this module hold as many. The notes take 25 MB at most.
	maxDecided = 100_000
	// maxEndpointLookups bounds the lookups of endpoints under way for peers that
	// show their certificates, and maxEndpointBytes the answers that are kept: of
	// some 6,000 endpoints.
	maxEndpointLookups = 256
	maxEndpointBytes   = 8 << 20
	// endpointRetry is how long a failed lookup of an endpoint is not repeated for
	// such a peer.
	endpointRetry = 5 * time.Second
	// maxHeldSleep is how often a hold looks at the clock.
	maxHeldSleep = 5 * time.Minute
	// recheckWait is how long a question about an open connection waits for a
	// lookup, if there still is a proof.
	recheckWait = 5 * time.Second
)

// Limits are what an operator may change. Zero fields are those of
// DefaultLimits.
type Limits struct {
	// CacheBytes bounds the memory of the entries, roughly. Half of it is for
	// sources with a verified statement, a quarter for those with secure SRV
	// records, and a quarter for the rest. So none can push out another.
	CacheBytes int64
	// LookupsInFlight bounds the lookups at one time of sources that are not
	// remembered, and as many again those of sources that are.
	LookupsInFlight int
	// LookupsPerNetwork bounds the lookups that the peers of one network cause
	// (an IPv4 /24, an IPv6 /48), or that are about names below one registrable
	// domain. For sources that are remembered it is four times as much.
	LookupsPerNetwork int
	// Waiting bounds the questions that wait for lookups.
	Waiting int
	// Exempt are the networks whose peers no limit for networks holds for.
	Exempt []netip.Prefix
}

// DefaultLimits are enough for a server of some size, and little enough for the
// resolver beside it.
var DefaultLimits = Limits{
	CacheBytes: 256 << 20, // 16,000 decisions with a statement at 8.2 KB each
	// A lookup in silent zones takes 15 seconds, so 68 such lookups end each second.
	// With seven sockets each, all lookups need 14,000.
	LookupsInFlight: 1024,
	// A lookup takes a tenth of a second with a resolver 20 ms away: 240 a second
	// for each network.
	LookupsPerNetwork: 24,
	// Each is a connection to the daemon, with the certificates of a peer.
	Waiting: 2048,
}
