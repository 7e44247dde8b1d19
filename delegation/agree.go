package delegation

import (
	"slices"
	"strings"

	"github.com/dnasign/dnasign/delegation/reasons"
)

// agree compares the targets of the statement with the target asked about or
// with the SRV records, and returns where to connect. What the statement lists
// is proven; SRV records only choose among it and put it in order.
func (v *verification) agree(targets []Target) ([]Target, *Error) {
	if v.query.AllTargets {
		v.log.info("targets", "", "the statement's own targets are used: %s", list(targets))
		return targets, nil
	}
	srv, err := readSRV(v.query, v.evidence, v.policy)
	v.partly = srv.Partly
	if v.query.Target != (Endpoint{}) {
		return v.agreeWithTarget(targets)
	}
	if !v.evidence.asksForSRV() {
		v.log.info("targets", "", "SRV was not asked; the statement's own targets are used: %s", list(targets))
		return targets, nil
	}
	v.logSRV()
	switch {
	case err != nil && err.Reason == reasons.ServiceNotAvailable:
		v.log.fail("targets", "", err)
		return nil, err
	case err != nil:
		return nil, err // logged as that of its label
	case len(srv.Entries) == 0:
		v.log.ok("targets", "", "no SRV records; the statement's own targets are used: %s", list(targets))
		return targets, nil
	}
	dial, err := v.matchSRV(srv, targets)
	if err != nil {
		v.log.fail("targets", "", err)
		return nil, err
	}
	v.log.ok("targets", "", "delegated and in SRV: %s", list(dial))
	return dial, nil
}

func (v *verification) agreeWithTarget(targets []Target) ([]Target, *Error) {
	want := v.query.Target
	for _, t := range targets {
		if t.Endpoint == want {
			v.log.ok("targets", "", "%s is delegated", want)
			return []Target{t}, nil
		}
	}
	e := v.notListed(targets, want)
	v.log.fail("targets", "", e)
	return nil, e
}

// matchSRV picks the targets that the SRV records name, with the priority and
// weight of these. If there is none, the error says why, and it says
// port-mismatch rather than target-mismatch.
func (v *verification) matchSRV(srv SRV, targets []Target) ([]Target, *Error) {
	var dial []Target
	var first *Error
	for _, entry := range srv.Entries {
		i := slices.IndexFunc(targets, func(t Target) bool { return t.Endpoint == entry.Target.Endpoint })
		if i >= 0 {
			t := targets[i]
			t.Priority, t.Weight = entry.Target.Priority, entry.Target.Weight
			dial = append(dial, t)
			continue
		}
		err := v.notListed(targets, entry.Target.Endpoint)
		v.log.info("srv", entry.name, "left out: %s", err.Detail)
		if first == nil || first.Reason == reasons.TargetMismatch {
			first = err
		}
	}
	switch {
	case len(dial) > 0:
		return dial, nil
	case srv.State == Secure:
		return nil, Errorf(reasons.Conflict, "the secure SRV records of %s and the statement have no target in common", v.query.Source)
	}
	return nil, first
}

// notListed says that the source does not delegate to an endpoint, and to what it
// does.
func (v *verification) notListed(targets []Target, e Endpoint) *Error {
	reason := reasons.TargetMismatch
	if slices.ContainsFunc(targets, func(t Target) bool { return t.Host == e.Host }) {
		reason = reasons.PortMismatch
	}
	return Errorf(reason, "%s does not delegate to %.260s (only to %s)", v.query.Source, e, list(targets))
}

// A list of targets is written when somebody reads it.
type list []Target

func (l list) String() string {
	names := make([]string, len(l))
	for i, t := range l {
		names[i] = t.Endpoint.String()
	}
	return strings.Join(names, ", ")
}
