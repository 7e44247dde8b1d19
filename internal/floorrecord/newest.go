package floorrecord

import (
	"bytes"
	"errors"
	"time"

	"github.com/dnasign/dnasign/delegation"
)

// A Newest is what is known of the newest statement of a subject: floors.Record.
type Newest struct {
	Floor     delegation.Floor
	Statement []byte
	Seen      time.Time
}

// MaxStatement is the longest document that is kept, in bytes. A statement has
// two to four thousand with its certificates. Of a longer one only the floor is
// kept.
const MaxStatement = 8 << 10

// SeenEvery is how much later a statement must be seen before that is written.
// It saves a write for nearly every lookup. So a statement may seem to have been
// seen that much earlier than it was, and never later.
const SeenEvery = time.Hour

// Check tells what no verified statement can have led to.
func (n Newest) Check() error {
	if err := CheckFloor(n.Floor); err != nil {
		return err
	}
	if len(n.Statement) > 0 && n.Seen.IsZero() {
		return errors.New("a statement without the moment at which it was seen")
	}
	if !n.Seen.IsZero() && !inRange(n.Seen) {
		return errors.New("a statement was seen at a moment that no certificate can name")
	}
	return nil
}

// kept is what a store keeps of what it is given.
func (n Newest) kept() Newest {
	n.Floor = utc(n.Floor)
	if len(n.Statement) == 0 || len(n.Statement) > MaxStatement {
		n.Statement = nil
	}
	if !n.Seen.IsZero() {
		n.Seen = seconds(n.Seen.Unix())
	}
	return n
}

// Join remembers both, in whatever order they come. The floor is that of
// [delegation.Floor.Join]. Of what is known about a statement at this floor, it is
// what was seen last. That may be that there is none to answer with.
func (n Newest) Join(other Newest) Newest {
	joined := Newest{Floor: n.Floor.Join(other.Floor)}
	for _, one := range []Newest{n, other} {
		if !one.about(joined.Floor) {
			continue
		}
		c := one.Seen.Compare(joined.Seen)
		if c > 0 || c == 0 && bytes.Compare(one.Statement, joined.Statement) > 0 {
			joined.Statement, joined.Seen = one.Statement, one.Seen
		}
	}
	return joined
}

// about reports whether a floor is that of this statement. No statement has the
// floor of a contradiction.
func (n Newest) about(f delegation.Floor) bool {
	return n.Floor.Same(f) && f.Targets != delegation.Contradiction
}

// tells reports whether next says enough more than n to be written.
func (n Newest) tells(next Newest) bool {
	switch {
	case next.Floor != n.Floor, (next.Statement == nil) != (n.Statement == nil):
		return true
	}
	return next.Statement != nil && next.Seen.Sub(n.Seen) >= SeenEvery
}
