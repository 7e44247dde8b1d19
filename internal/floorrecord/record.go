package floorrecord

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/dnasign/dnasign/delegation"
)

// A Record is what is remembered of one source and role. Written, it is
//
//	raised (8) | issuance (8) | issued (8) | targets (32) | valid until (8) |
//	signer until (8) | [ seen (8) | statement ] | check (4)
//
// Numbers are big-endian and signed. Times are seconds since 1970, the issuance
// milliseconds. Without a moment at which a statement was seen, what is in
// brackets is left out: so did version 2 write. The check is the CRC-32C of the
// subject, a zero octet and everything before the check. It finds a record under
// another name too. It finds accidents, not malice.
type Record struct {
	Raised time.Time // the last Raise of this order
	Newest
}

// FormatVersion stands in the header of a file. Version 2 had floors alone, and is
// read. Version 1 had a list of floors, in seconds, for each source.
const FormatVersion = 3

// OldestVersion is the oldest that is read.
const OldestVersion = 2

const (
	digestAt   = 3 * 8
	digestSize = len(delegation.Digest{})
	seenAt     = digestAt + digestSize + 2*8
	foundAt    = seenAt + 8 // the statement
	checkSize  = 4
)

// Refresh is how old the time of the last Raise may be before it is written
// again though nothing else has changed. It saves a write for nearly every
// verification. Records are kept for as much longer.
const Refresh = 24 * time.Hour

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// Raise joins what was verified to a record, the zero one if there is none, and
// reports whether it is to be written.
func (r Record) Raise(n Newest, now time.Time) (next Record, changed bool) {
	n = n.kept()
	next = Record{r.Raised, r.Join(n)}
	if r.tells(next.Newest) || n.Floor.Order == next.Floor.Order && now.Sub(r.Raised) >= Refresh {
		next.Raised, changed = Later(r.Raised, now), true
	}
	return next, changed
}

// Bare is the record without its statement.
func (r Record) Bare() Record {
	r.Statement, r.Seen = nil, time.Time{}
	return r
}

// KeepUntil is when the record may be forgotten.
func (r Record) KeepUntil() time.Time { return r.Floor.KeepUntil(r.Raised).Add(Refresh) }

// Later keeps a time from going back with the clock.
func Later(a, b time.Time) time.Time {
	if b.After(a) {
		return seconds(b.Unix())
	}
	return a
}

// utc makes floors comparable.
func utc(f delegation.Floor) delegation.Floor {
	f.Order.Issuance, f.Order.Issued = f.Order.Issuance.UTC(), f.Order.Issued.UTC()
	f.ValidUntil, f.SignerUntil = f.ValidUntil.UTC(), f.SignerUntil.UTC()
	return f
}

func seconds(n int64) time.Time { return time.Unix(n, 0).UTC() }

// inRange reports whether a time can be written in a certificate, or comes a
// second after the last one that can.
func inRange(t time.Time) bool { return !t.Before(time.Time{}) && !t.After(afterAll) }

// afterAll is one second after the last time that a certificate can hold.
var afterAll = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)

// CheckFloor tells what no verified statement can have led to.
func CheckFloor(f delegation.Floor) error {
	if f.IsZero() {
		return errors.New("the floor is zero")
	}
	for _, t := range []struct {
		at   time.Time
		unit time.Duration
	}{{f.Order.Issuance, time.Millisecond}, {f.Order.Issued, time.Second}, {f.ValidUntil, time.Second}, {f.SignerUntil, time.Second}} {
		if !t.at.Truncate(t.unit).Equal(t.at) || !inRange(t.at) {
			return fmt.Errorf("a floor has the time %v, which no statement has", t.at)
		}
	}
	return nil
}

// Encode writes the record of a subject.
func (r Record) Encode(s Subject) []byte {
	b := make([]byte, 0, foundAt+len(r.Statement)+checkSize)
	number := func(n int64) { b = binary.BigEndian.AppendUint64(b, uint64(n)) }
	number(r.Raised.Unix())
	number(r.Floor.Order.Issuance.UnixMilli())
	number(r.Floor.Order.Issued.Unix())
	b = append(b, r.Floor.Targets[:]...)
	number(r.Floor.ValidUntil.Unix())
	number(r.Floor.SignerUntil.Unix())
	if !r.Seen.IsZero() {
		number(r.Seen.Unix())
		b = append(b, r.Statement...)
	}
	return binary.BigEndian.AppendUint32(b, recordSum(s, b))
}

func recordSum(s Subject, body []byte) uint32 {
	return crc32.Update(crc32.Checksum(append([]byte(s.String()), 0), crcTable), crcTable, body)
}

// StoredSum is the check that a written record carries.
func StoredSum(b []byte) uint32 { return binary.BigEndian.Uint32(b[len(b)-4:]) }

// Decode reads the record of a subject. What it accepts is what Encode writes,
// octet by octet. It keeps nothing of b.
func Decode(s Subject, b []byte) (Record, error) {
	body := len(b) - checkSize
	if body != seenAt && (body < foundAt || body > foundAt+MaxStatement) || StoredSum(b) != recordSum(s, b[:body]) {
		return Record{}, fmt.Errorf("the record of %s", s)
	}
	number := func(at int) int64 { return int64(binary.BigEndian.Uint64(b[at:])) }
	r := Record{Raised: seconds(number(0)), Newest: Newest{Floor: delegation.Floor{
		Order:      delegation.Order{Issuance: time.UnixMilli(number(8)).UTC(), Issued: seconds(number(16))},
		Targets:    delegation.Digest(b[digestAt:]),
		ValidUntil: seconds(number(digestAt + digestSize)), SignerUntil: seconds(number(digestAt + digestSize + 8)),
	}}}
	if body > seenAt {
		r.Seen = seconds(number(seenAt))
		switch {
		case r.Seen.IsZero(): // the first second of the year 1
			return Record{}, fmt.Errorf("the record of %s: a statement that was never seen", s)
		case !r.about(r.Floor):
			return Record{}, fmt.Errorf("the record of %s: a statement at a contradiction", s)
		}
	}
	if body > foundAt {
		r.Statement = bytes.Clone(b[foundAt:body])
	}
	if err := r.Check(); err != nil {
		return Record{}, fmt.Errorf("the record of %s: %v", s, err)
	}
	if !inRange(r.Raised) {
		return Record{}, fmt.Errorf("the record of %s was raised at %v", s, r.Raised)
	}
	return r, nil
}
