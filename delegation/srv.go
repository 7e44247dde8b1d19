package delegation

import (
	"slices"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// An SRV is what the SRV records for a role say: one row of the table in
// docs/connections.md. See [ReadSRV].
type SRV struct {
	// State is Secure if only secure records are used, Bogus or Indeterminate
	// beside an error of a failed lookup, and Insecure otherwise.
	State DNSSEC
	// Entries are the usable records, those of the role's own label first. An
	// endpoint is there once.
	Entries []SRVEntry
	// TTL is the least of the answers used, in seconds.
	TTL uint32
	// Partly says that a failed lookup of one label was passed over, so that
	// the answer is good for 5 minutes only.
	Partly bool
}

// An SRVEntry is one SRV record and the label it stands at.
type SRVEntry struct {
	Label  string // such as _xmpps-server._tcp
	Target Target // without TLS mode and pins
	name   string // of the record
}

// ReadSRV reads the SRV records in the evidence for a query, which may be those
// of two labels. The error is an *[Error]: for an invalid query, policy or
// evidence, a lookup that failed, too many records, or
// [reasons.ServiceNotAvailable]. That reason is for the target "." and for
// records without any usable host and port. State is set beside an error if it
// is known.
func ReadSRV(q Query, e *Evidence, p Policy) (SRV, error) {
	if err := checkInputs(&q, e, &p); err != nil {
		return SRV{State: Indeterminate}, err
	}
	srv, err := readSRV(q, e, &p)
	if err != nil {
		return srv, err
	}
	return srv, nil
}

// asksForSRV reports whether the records are part of the question.
func (e *Evidence) asksForSRV() bool { return len(e.SRV) > 0 }

// AwaitsSRV reports whether an answer about SRV records is still to come.
func (e *Evidence) AwaitsSRV() bool {
	return slices.ContainsFunc(e.SRV, func(a SRVAnswer) bool { return a.Unanswered() })
}

// readSRV makes one row of the labels of a role: docs/spec.md, D4.
func readSRV(q Query, e *Evidence, p *Policy) (SRV, *Error) {
	role := RoleOf(q.Service)
	own := e.labelSRV(q.Source, role.Service, p)
	labels := []labelSRV{own}
	if role.Second != "" {
		labels = append(labels, e.labelSRV(q.Source, role.Second, p))
	}
	failed := func(l labelSRV) bool { return l.failure != nil }
	secure := func(l labelSRV) bool { return !failed(l) && l.state == Secure && l.records > 0 }
	last := labels[len(labels)-1]
	partly := slices.ContainsFunc(labels, failed)
	switch {
	case slices.ContainsFunc(labels, secure):
		return join(q, labels, Secure, partly, secure)
	case failed(own):
		return SRV{State: own.state}, own.failure
	case failed(last) && len(own.entries) == 0:
		return SRV{State: last.state}, last.failure
	}
	return join(q, labels, Insecure, partly, func(l labelSRV) bool { return !failed(l) })
}

// join puts the records of labels into one list.
func join(q Query, labels []labelSRV, state DNSSEC, partly bool, use func(labelSRV) bool) (SRV, *Error) {
	srv := SRV{State: state, Partly: partly, TTL: ^uint32(0)}
	records := 0
	for _, l := range labels {
		if !use(l) {
			continue
		}
		records += l.records
		if l.records > 0 {
			srv.TTL = min(srv.TTL, l.ttl)
		}
		for _, entry := range l.entries {
			if !slices.ContainsFunc(srv.Entries, func(e SRVEntry) bool { return e.Target.Endpoint == entry.Target.Endpoint }) {
				srv.Entries = append(srv.Entries, entry)
			}
		}
	}
	if records > 0 && len(srv.Entries) == 0 {
		return srv, Errorf(reasons.ServiceNotAvailable, "no SRV record of %s of %s has a host and a port to connect to", RoleOf(q.Service).Service, q.Source)
	}
	return srv, nil
}

// A labelSRV is what the SRV records of one label say.
type labelSRV struct {
	state   DNSSEC // as far as the policy lets it count
	failure *Error // why nothing is known of its records
	records int
	entries []SRVEntry // the usable ones
	ttl     uint32
}

// labelSRV reads the answer for a label. One that was not asked for, or not
// answered yet, is as one without records.
func (e *Evidence) labelSRV(source, label string, p *Policy) labelSRV {
	name := SRVName(source, label)
	i := slices.IndexFunc(e.SRV, func(a SRVAnswer) bool { return a.Name == name })
	if i < 0 {
		return labelSRV{state: Insecure}
	}
	a := e.SRV[i]
	l := labelSRV{state: e.state(a.Answer, p), failure: a.check(), records: len(a.Records), ttl: a.TTL}
	for _, r := range a.Records {
		t := Target{Endpoint: Endpoint{r.Target, r.Port}, Priority: r.Priority, Weight: r.Weight}
		if l.failure == nil && t.Port != 0 && CheckName(t.Host) == nil {
			l.entries = append(l.entries, SRVEntry{label, t, a.Name})
		}
	}
	return l
}

// check says why one cannot go on with an answer.
func (a *SRVAnswer) check() *Error {
	switch {
	case a.Failure != nil:
		return Errorf(a.Failure.Reason, "SRV %s: %s", a.Name, a.Failure.Detail)
	case a.DNSSEC == Bogus:
		return Errorf(reasons.DNSBogus, "SRV %s: DNSSEC validation failed", a.Name)
	case len(a.Records) > limits.MaxSRVRecords:
		return Errorf(reasons.TooManyRecords, "SRV %s has %d records, at most %d", a.Name, len(a.Records), limits.MaxSRVRecords)
	}
	return nil
}

// logSRV explains the answer for each label.
func (v *verification) logSRV() {
	for i := range v.evidence.SRV {
		a := &v.evidence.SRV[i]
		if err := a.check(); err != nil {
			v.log.fail("srv", a.Name, err)
		} else {
			v.log.ok("srv", a.Name, "%d found (%s)", len(a.Records), v.evidence.state(a.Answer, v.policy))
		}
	}
}
