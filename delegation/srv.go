package delegation

import "slices"

// An SRV is what the SRV records for a query say, as far as one can go on with
// it: see [ReadSRV].
type SRV struct {
	// Asked says whether the evidence has an answer for the label of the query.
	Asked bool
	// State is the DNSSEC state of that answer, as far as the policy lets it
	// count.
	State DNSSEC
	// Entries are the records of that label, then, in the same state, those of
	// the other label of its role. An endpoint stands there once.
	Entries []SRVEntry
	// TTL is the least of the answers used, in seconds.
	TTL uint32
}

// An SRVEntry is one SRV record and the label it stands at.
type SRVEntry struct {
	Service string // such as _xmpps-server._tcp
	Target  Target // without pins
}

// ReadSRV reads the SRV records in the evidence for a query. The error is an
// *[Error]: of an invalid query, policy or evidence, of a look-up that failed,
// of too many records, or [ServiceNotAvailable], for the target "." and where
// no record has a host and a port to connect to. State is set beside an error if
// it is known.
func ReadSRV(q Query, e *Evidence, p Policy) (SRV, error) {
	srv := SRV{State: Indeterminate}
	if err := checkInputs(q, e, &p); err != nil {
		return srv, err
	}
	var unavailable error
	for _, service := range Services(q.Service) {
		i := slices.IndexFunc(e.SRV, func(a SRVAnswer) bool { return a.Name == SRVName(q.Source, service) })
		if i < 0 {
			continue
		}
		a := e.SRV[i]
		asked, state := service == q.Service, e.state(a.Answer, &p)
		if asked {
			srv.Asked, srv.State, srv.TTL = true, state, a.TTL
		} else if state != srv.State {
			continue
		}
		err := a.check()
		switch {
		case err != nil && err.Reason == ServiceNotAvailable:
			if asked {
				unavailable = err
			}
			continue
		case err != nil && asked:
			return srv, err
		case err != nil:
			continue
		}
		if asked && len(a.Records) > 0 {
			// Unless one of them turns out to be of use.
			unavailable = refuse(ServiceNotAvailable, "no SRV record of %s has a host and a port to connect to", a.Name)
		}
		for _, r := range a.Records {
			t := Target{Endpoint: Endpoint{r.Target, r.Port}, Priority: r.Priority, Weight: r.Weight}
			if CheckName(t.Host) == nil && t.Port != 0 && !slices.ContainsFunc(srv.Entries, func(e SRVEntry) bool { return e.Target.Endpoint == t.Endpoint }) {
				srv.Entries = append(srv.Entries, SRVEntry{service, t})
				srv.TTL = min(srv.TTL, a.TTL)
			}
		}
	}
	if len(srv.Entries) == 0 {
		return srv, unavailable
	}
	return srv, nil
}

// check says why one cannot go on with an answer.
func (a *SRVAnswer) check() *Error {
	switch {
	case a.Failure != nil:
		return refuse(a.Failure.Reason, "SRV %s: %s", a.Name, a.Failure.Detail)
	case a.DNSSEC == Bogus:
		return refuse(DNSBogus, "SRV %s: DNSSEC validation failed", a.Name)
	case len(a.Records) > MaxSRVRecords:
		return refuse(TooManyRecords, "SRV %s has %d records, at most %d", a.Name, len(a.Records), MaxSRVRecords)
	case len(a.Records) == 1 && a.Records[0].Target == ".":
		return refuse(ServiceNotAvailable, "SRV %s has the target \".\"", a.Name)
	}
	return nil
}
