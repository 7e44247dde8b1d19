package verifier

import (
	"time"
	"unsafe"
)

// set is what time.Now gives after the machine's clock was set: another time by the
// clock, and the monotonic reading as if it was not. time.Time.Add would move both, and
// in a bubble there is no such reading.
func set(now time.Time, ahead time.Duration) time.Time {
	// The words of a Time that has one: a flag, seconds since 1885 and nanoseconds; the
	// reading; and the location.
	type words struct {
		clock     uint64
		monotonic int64
		_         *time.Location
	}
	const flag, shift = 1 << 63, 30
	first := time.Date(1885, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	by := func(t time.Time) time.Time {
		moved := now
		w := (*words)(unsafe.Pointer(&moved))
		w.clock = flag | uint64(t.Unix()-first)<<shift | uint64(t.Nanosecond())
		w.monotonic = now.Sub(start).Nanoseconds() + 1
		return moved
	}
	moved, unmoved := by(now.Round(0).Add(ahead)), by(now)
	if !moved.Round(0).Equal(now.Round(0).Add(ahead)) || moved.Sub(unmoved) != 0 || unmoved == unmoved.Round(0) {
		panic("a time.Time has another form in this version of Go")
	}
	return moved
}
