package memory

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation"
)

// A record is what is remembered of one source. Written, it is
//
//	version (1) | raised (8) | count (1) | count floors, by service | check (4)
//
// and each floor
//
//	length (1) | service | notBefore (8) | issued (8) | digest (32) | end (8)
//
// Times are signed seconds since 1970 and numbers big-endian. The check is the
// CRC-32C of the source, a zero octet and all before it, so that a record
// under another name is noticed too. It tells accidents, not malice.
type record struct {
	raised time.Time // the last Raise
	floors []delegation.Floor
}

const (
	recordVersion = 1
	recordHead    = 1 + 8 + 1
	recordTail    = 4
	floorFixed    = 8 + 8 + 32 + 8
	// maxService is the longest service: "_" and a name of 15 octets
	// (RFC 6335, Section 5.1), "._tcp".
	maxService = 1 + 15 + 5
)

// refresh is how old the time of the last Raise may be before it is written
// again though nothing else has changed. It saves a write for nearly every
// verification. Sources are kept for as much longer than [Keep].
const refresh = 24 * time.Hour

var crcTable = crc32.MakeTable(crc32.Castagnoli)

// raise merges floors into a record, the zero one if there is none, and reports
// whether it is to be written. An error is [ErrFull], and the rest was merged.
func (r record) raise(floors []delegation.Floor, now time.Time) (next record, changed bool, err error) {
	next = record{r.raised, slices.Clone(r.floors)}
	for _, f := range floors {
		f = wholeUTC(f)
		i, found := slices.BinarySearchFunc(next.floors, f.Service, func(have delegation.Floor, service string) int {
			return strings.Compare(have.Service, service)
		})
		if !found {
			if len(next.floors) == MaxServices {
				err = fmt.Errorf("%w: %d services of the source", ErrFull, MaxServices)
				continue
			}
			next.floors, changed = slices.Insert(next.floors, i, f), true
			continue
		}
		have := &next.floors[i]
		switch c := f.Order.Compare(have.Order); {
		case c > 0:
			*have, changed = f, true
		case c == 0 && f.Targets == have.Targets && f.ValidUntil.After(have.ValidUntil):
			have.ValidUntil, changed = f.ValidUntil, true // the same statement, proven for longer
		}
	}
	if len(floors) > 0 && len(next.floors) > 0 && (changed || now.Sub(r.raised) >= refresh) {
		next.raised, changed = later(r.raised, now), true
	}
	return next, changed, err
}

// later keeps a time from going back with the clock.
func later(a, b time.Time) time.Time {
	if b.After(a) {
		return time.Unix(b.Unix(), 0).UTC()
	}
	return a
}

func wholeUTC(f delegation.Floor) delegation.Floor {
	f.Order.SignerNotBefore, f.Order.Issued = seconds(f.Order.SignerNotBefore.Unix()), seconds(f.Order.Issued.Unix())
	f.ValidUntil = seconds(f.ValidUntil.Unix())
	return f
}

func seconds(n int64) time.Time { return time.Unix(n, 0).UTC() }

// inRange reports whether a time is between the years 1 and 9999, the limits of
// what can be written in RFC 3339.
func inRange(t time.Time) bool { return !t.Before(time.Time{}) && t.Year() <= 9999 }

// encode writes the record of a source.
func (r record) encode(source string) []byte {
	b := make([]byte, 0, recordHead+len(r.floors)*(1+maxService+floorFixed)+recordTail)
	b = append(b, recordVersion)
	b = binary.BigEndian.AppendUint64(b, uint64(r.raised.Unix()))
	b = append(b, byte(len(r.floors)))
	for _, f := range r.floors {
		b = append(b, byte(len(f.Service)))
		b = append(b, f.Service...)
		b = binary.BigEndian.AppendUint64(b, uint64(f.Order.SignerNotBefore.Unix()))
		b = binary.BigEndian.AppendUint64(b, uint64(f.Order.Issued.Unix()))
		b = append(b, f.Targets[:]...)
		b = binary.BigEndian.AppendUint64(b, uint64(f.ValidUntil.Unix()))
	}
	return binary.BigEndian.AppendUint32(b, recordSum(source, b))
}

// recordSum is the check of a record without one, storedSum that of a whole
// record.
func recordSum(source string, body []byte) uint32 {
	sum := crc32.Update(0, crcTable, []byte(source))
	sum = crc32.Update(sum, crcTable, []byte{0})
	return crc32.Update(sum, crcTable, body)
}

func storedSum(encoded []byte) uint32 {
	return binary.BigEndian.Uint32(encoded[len(encoded)-recordTail:])
}

// decode reads the record of a source. What it accepts is what encode writes,
// octet by octet. Errors wrap [ErrDamaged].
func decode(source string, b []byte) (record, error) {
	r, err := parse(source, b)
	if err != nil {
		return record{}, damaged("the record of %s: %v", source, err)
	}
	return r, nil
}

func parse(source string, b []byte) (record, error) {
	if len(b) < recordHead+recordTail {
		return record{}, fmt.Errorf("%d octets are too few", len(b))
	}
	body := b[:len(b)-recordTail]
	if storedSum(b) != recordSum(source, body) {
		return record{}, errors.New("its check does not fit")
	}
	if body[0] != recordVersion {
		return record{}, fmt.Errorf("it has version %d, and this program knows %d", body[0], recordVersion)
	}
	r := record{raised: seconds(int64(binary.BigEndian.Uint64(body[1:])))}
	if !inRange(r.raised) {
		return record{}, errors.New("its time is out of range")
	}
	count, rest := int(body[9]), body[recordHead:]
	if count == 0 || count > MaxServices {
		return record{}, fmt.Errorf("%d services, not 1 to %d", count, MaxServices)
	}
	for range count {
		f, n, err := parseFloor(rest)
		if err != nil {
			return record{}, err
		}
		if k := len(r.floors); k > 0 && r.floors[k-1].Service >= f.Service {
			return record{}, errors.New("its services are not in order")
		}
		r.floors, rest = append(r.floors, f), rest[n:]
	}
	if len(rest) > 0 {
		return record{}, fmt.Errorf("%d octets follow", len(rest))
	}
	return r, nil
}

// parseFloor reads one floor from the front of b and says how long it is.
func parseFloor(b []byte) (f delegation.Floor, n int, err error) {
	if len(b) == 0 || len(b) < 1+int(b[0])+floorFixed {
		return f, 0, errors.New("it ends early")
	}
	n = 1 + int(b[0])
	f.Service = string(b[1:n])
	if err := delegation.CheckService(f.Service); err != nil {
		return f, 0, err
	}
	integer := func(at int) time.Time { return seconds(int64(binary.BigEndian.Uint64(b[at:]))) }
	f.Order.SignerNotBefore, f.Order.Issued = integer(n), integer(n+8)
	copy(f.Targets[:], b[n+16:])
	f.ValidUntil = integer(n + 48)
	if !inRange(f.Order.SignerNotBefore) || !inRange(f.Order.Issued) || !inRange(f.ValidUntil) {
		return f, 0, errors.New("a time is out of range")
	}
	return f, n + floorFixed, nil
}
