package verifier

import (
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// full is bubble with a memory that remembers no source. What this node knows of
// one counts all the same.
func full(t *testing.T, records []string, f func(l *lab, outgoing Question)) {
	outgoing := incoming
	outgoing.Direction = association.Outgoing
	bubble(t, records, Limits{}, func(l *lab) {
		l.store.full = true
		f(l, outgoing)
	})
}

// TestFullRevokedForAll: a revocation that is found in one direction ends the
// proofs of the other.
func TestFullRevokedForAll(t *testing.T) {
	full(t, []string{statement(0, host)}, func(l *lab, outgoing Question) {
		l.want(incoming, 1, host)
		time.Sleep(30 * time.Minute)
		l.want(outgoing, 2, host)
		time.Sleep(31 * time.Minute)
		l.network.has(statement(time.Minute)) // a revocation
		l.why(incoming, reasons.Revoked)
		if names := l.names(outgoing); len(names) != 0 {
			t.Errorf("after a revocation was verified, %q count", names)
		}
	})
}

// TestFullRevokedBefore: while a revocation is in the cache, an older statement
// counts in no direction.
func TestFullRevokedBefore(t *testing.T) {
	full(t, []string{statement(time.Minute)}, func(l *lab, outgoing Question) {
		time.Sleep(time.Minute)
		l.why(incoming, reasons.Revoked)
		l.network.has(statement(0, host))
		if names := l.names(outgoing); len(names) != 0 {
			t.Errorf("while a revocation is in the cache, %q count", names)
		}
		l.why(incoming, reasons.Revoked)
	})
}

// TestFullNewestStays: an older statement does not replace a newer one in the
// cache.
func TestFullNewestStays(t *testing.T) {
	full(t, []string{statement(time.Minute, host)}, func(l *lab, _ Question) {
		time.Sleep(time.Minute)
		l.want(incoming, 1, host)
		l.network.has(statement(0, other))
		time.Sleep(time.Hour)
		l.want(incoming, 2, host)
	})
}
