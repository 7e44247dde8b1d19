package delegation

import (
	"time"

	"github.com/dnasign/dnasign/delegation/reasons"
)

// maxTime is the last second of the year 9999, the last that RFC 3339 and
// GeneralizedTime can write.
const maxTime = 253402300799

// A decoded is a statement as an encoding gives it: in good form, its numbers
// still of any size.
type decoded struct {
	source, service string
	targets         []decodedTarget
	issued, expires int64 // seconds since 1970
	id              ID
}

type decodedTarget struct {
	host                   string
	port, priority, weight int64
	direct                 bool
	pins                   []Pin
	pinned                 bool
}

// statement makes a statement of it, or refuses, in the order of
// docs/spec.md, section 11, step 4: names, targets, times.
func (d *decoded) statement() (*Statement, *Error) {
	s := &Statement{
		Source: d.source, Service: d.service, ID: d.id,
		Issued: time.Unix(d.issued, 0).UTC(), Expires: time.Unix(d.expires, 0).UTC(),
	}
	for _, t := range d.targets {
		s.Targets = append(s.Targets, Target{Endpoint: Endpoint{Host: t.host}, SPKI: t.pins})
	}
	if err := s.checkNames(); err != nil {
		return nil, err
	}
	for i, t := range d.targets {
		if min(t.port, t.priority, t.weight) < 0 || max(t.port, t.priority, t.weight) > 0xffff {
			return nil, Errorf(reasons.BadTargets, "target %s has a port, priority or weight that is not between 0 and 65535", t.host)
		}
		if t.pinned && len(t.pins) == 0 {
			return nil, Errorf(reasons.BadTargets, "target %s has an empty list of pins, which would accept no key", t.host)
		}
		to := &s.Targets[i]
		if t.direct {
			to.TLS = Direct
		}
		to.Port, to.Priority, to.Weight = uint16(t.port), uint16(t.priority), uint16(t.weight)
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	return s, nil
}
