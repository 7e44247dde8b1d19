package delegation

import "time"

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

// statement makes a statement of it, or refuses, in the order of
// docs/spec.md, section 11, step 4: names, targets, times.
func (d *decoded) statement() (*Statement, *Error) {
	s := &Statement{
		Source: d.source, Service: d.service, ID: d.id,
		Issued: time.Unix(d.issued, 0).UTC(), Expires: time.Unix(d.expires, 0).UTC(),
	}
	for _, t := range d.targets {
		s.Targets = append(s.Targets, Target{Endpoint: Endpoint{Host: t.host}})
	}
	if err := s.checkNames(); err != nil {
		return nil, err
	}
	for i, t := range d.targets {
		if err := t.finish(&s.Targets[i]); err != nil {
			return nil, err
		}
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	return s, nil
}
