package verifier

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
)

// entryOf is an entry that was made at start, from records at the source.
func entryOf(t *testing.T, records ...string) *entry {
	t.Helper()
	return foundIn(t, newNetwork(records...))
}

func foundIn(t *testing.T, n *network) (e *entry) {
	t.Helper()
	signer(source)
	synctest.Test(t, func(t *testing.T) {
		evidence, err := n.Gather(t.Context(), source, service, nil)
		if err != nil {
			t.Fatal(err)
		}
		e = decided(t, association.Question{Source: source, Service: service, Direction: association.Incoming}, evidence)
	})
	return e
}

// at is a moment so long after start.
func at(d time.Duration) moment { return moment{start.Add(d), d} }

// TestState: what an entry is good for.
func TestState(t *testing.T) {
	proof, nothing, revoked := entryOf(t, statement(0, host)), entryOf(t), entryOf(t, statement(0))
	own, newer := floorOf(0, host), floorOf(time.Minute, other)
	contradiction := own.Join(floorOf(0, other))
	long := own
	long.ValidUntil = long.ValidUntil.Add(time.Hour)
	brief := floorOf(time.Minute, host)
	brief.ValidUntil = start.Add(time.Hour)
	const minute = time.Minute
	for _, c := range []struct {
		name         string
		e            *entry
		floor        delegation.Floor
		raised, sure time.Duration // ago
		now          time.Duration
		want         state
	}{
		{"proof", proof, own, 0, 0, 0, fresh},
		{"proof, before its refresh", proof, own, 0, 0, time.Hour - 1, fresh},
		{"proof, after its refresh", proof, own, 0, 0, time.Hour, due},
		{"proof, before its end", proof, own, 0, 0, 14*day - 1, due},
		{"proof, at its end", proof, own, 0, 0, 14 * day, over},
		{"proof, the clock was set back", proof, own, 0, 0, -6 * minute, over},
		{"proof, unsure", proof, own, 0, 5*minute - 1, 10 * minute, fresh},
		{"proof, unsure for long", proof, own, 0, 5 * minute, 10 * minute, over},
		{"proof, verified for longer", proof, long, 0, 0, minute, fresh},
		{"proof, newer", proof, newer, 0, 0, minute, overtaken},
		{"proof, newer, after its refresh", proof, newer, 5*minute - 1, 0, 2 * time.Hour, overtaken},
		{"proof, newer, for long", proof, newer, 5 * minute, 0, 10 * minute, over},
		{"proof, newer, at its end", proof, newer, 0, 0, 14 * day, over},
		{"proof, newer, unsure for long", proof, newer, 0, 5 * minute, 10 * minute, over},
		{"proof, renewed", proof, floorOf(time.Minute, host), 0, 0, minute, due},
		{"proof, renewed, looked up since", proof, floorOf(time.Minute, host), 2 * minute, 0, minute, fresh},
		{"proof, renewed, at its end", proof, floorOf(time.Minute, host), 0, 0, 14 * day, over},
		{"proof, renewed, and the renewal has ended", proof, brief, 5 * minute, 0, 2 * time.Hour, over},
		{"proof, contradicted", proof, contradiction, 0, 0, minute, overtaken},
		{"nothing", nothing, delegation.Floor{}, 0, 0, 5*minute - 1, fresh},
		{"nothing, after its refresh", nothing, delegation.Floor{}, 0, 0, 5 * minute, over},
		{"nothing, unsure for long", nothing, delegation.Floor{}, 0, 5 * minute, 4 * minute, over},
		{"nothing, newer", nothing, newer, 0, 0, minute, over},
		{"revoked", revoked, floorOf(0), 0, 0, minute, fresh},
		{"revoked, newer", revoked, newer, 0, 0, minute, over},
	} {
		known := knowledge{floor: c.floor, raised: at(c.now - c.raised), sure: at(c.now - c.sure)}
		if got := c.e.state(known, at(c.now)); got != c.want {
			t.Errorf("%s: state %d, want %d", c.name, got, c.want)
		}
	}
}

// TestAfter: what becomes of an entry when a lookup has ended.
func TestAfter(t *testing.T) {
	proof, nothing, revoked := entryOf(t, statement(0, host)), entryOf(t), entryOf(t, statement(0))
	ended := *nothing
	ended.ended = true
	for _, c := range []struct {
		name  string
		old   *entry
		state state
		found *entry
		kept  bool
		ended bool
	}{
		{"first, a proof", nil, over, proof, false, false},
		{"first, nothing", nil, over, nothing, false, false},
		{"a proof again", proof, due, proof, false, false},
		{"a proof, then revoked", proof, fresh, revoked, false, false},
		{"a proof, then nothing", proof, fresh, nothing, true, false},
		{"a proof that is due, then nothing", proof, due, nothing, true, false},
		{"a proof that was overtaken, then nothing", proof, overtaken, nothing, false, true},
		{"a proof that was overtaken, then another", proof, overtaken, proof, false, false},
		{"a proof that was overtaken, then revoked", proof, overtaken, revoked, false, false},
		{"a proof that is over, then nothing", proof, over, nothing, false, true},
		{"nothing again", nothing, fresh, nothing, false, false},
		{"nothing, after a proof that is over", &ended, over, nothing, false, true},
		{"nothing, after a proof that is over, then a proof", &ended, over, proof, false, false},
		{"revoked, then nothing", revoked, fresh, nothing, false, false},
	} {
		found := *c.found
		e, kept := after(c.old, c.state, &found)
		if kept != c.kept || e.ended != c.ended || !kept && e.association != found.association || kept && e.association != c.old.association {
			t.Errorf("%s: kept %t, want %t; ended %t, want %t", c.name, kept, c.kept, e.ended, c.ended)
		}
		if kept && (e.looked != found.looked || e.life != found.life) {
			t.Errorf("%s: it is looked up again too soon", c.name)
		}
	}
}
