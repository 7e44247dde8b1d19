package delegation

import "strings"

// agree compares verified targets with the target asked about or with the SRV
// records and returns where to connect. What the statement lists is proven;
// SRV records, unless they are secure, only choose among it.
func (v *verification) agree(targets []Target, chosen []Proven) ([]Target, *Error) {
	if v.query.Target != (Endpoint{}) {
		return v.agreeWithTarget(targets)
	}
	if len(v.evidence.SRV) == 0 {
		v.log.info("targets", "", "SRV was not asked; the statement's own targets count: %s", list(targets))
		return targets, nil
	}
	var dial []Target
	var none *Error // why there is nothing to dial, of the label asked for if it says
	for _, a := range v.answersSRV() {
		asked := a.Name == SRVName(v.query.Source, v.query.Service)
		err := a.check()
		switch {
		case err == nil && len(a.Records) == 0:
			v.log.info("srv", a.Name, "no SRV records (%s)", v.evidence.state(a.Answer, v.policy))
			continue
		case err == nil:
			v.log.ok("srv", a.Name, "%d found (%s)", len(a.Records), v.evidence.state(a.Answer, v.policy))
			var found []Target
			found, err = v.matchSRV(a, targets, chosen)
			for _, t := range found {
				if listed, _ := lists(dial, t.Endpoint); !listed {
					dial = append(dial, t)
				}
			}
		case err.Reason == ServiceNotAvailable:
			v.log.info("srv", a.Name, "%s", err.Detail)
		case asked:
			v.log.fail("srv", a.Name, err)
			return nil, err
		default:
			v.log.info("srv", a.Name, "left out: %s", err.Detail)
			continue
		}
		if none == nil || asked {
			none = err
		}
	}
	switch {
	case len(dial) == 0 && none == nil:
		v.log.ok("targets", "", "no SRV records; the statement's own targets count: %s", list(targets))
		return targets, nil
	case len(dial) == 0:
		v.log.fail("targets", "", none)
		return nil, none
	}
	v.log.ok("targets", "", "delegated and in SRV: %s", list(dial))
	return dial, nil
}

// answersSRV gives the SRV answers in the order of the labels of the family,
// the one asked about first, so that its records decide where both name an
// endpoint.
func (v *verification) answersSRV() []SRVAnswer {
	var sorted []SRVAnswer
	for _, service := range Services(v.query.Service) {
		for _, a := range v.evidence.SRV {
			if a.Name == SRVName(v.query.Source, service) {
				sorted = append(sorted, a)
			}
		}
	}
	return sorted
}

func (v *verification) agreeWithTarget(targets []Target) ([]Target, *Error) {
	want := v.query.Target
	for _, t := range targets {
		if t.Endpoint == want {
			v.log.ok("targets", "", "%s is delegated", want)
			return []Target{t}, nil
		}
	}
	e := notListed(targets, want)
	v.log.fail("targets", "", e)
	return nil, e
}

// matchSRV picks the targets that an SRV answer names. If there is none, the
// error says why, and it says port-mismatch rather than target-mismatch.
func (v *verification) matchSRV(a SRVAnswer, targets []Target, chosen []Proven) ([]Target, *Error) {
	comparePorts := false
	for _, p := range chosen {
		if a.Name == SRVName(v.query.Source, p.Statement.Service) {
			targets, comparePorts = p.Statement.Targets, true
		}
	}
	var dial []Target
	var first *Error
	for _, r := range a.Records {
		e := Endpoint{r.Target, r.Port}
		if listed, host := lists(targets, e); listed || host && !comparePorts && e.Port != 0 {
			dial = append(dial, Target{e, r.Priority, r.Weight, pinsFor(targets, e)})
			continue
		}
		err := notListed(targets, e)
		v.log.info("srv", a.Name, "left out: %s", err.Detail)
		if first == nil || first.Reason == TargetMismatch {
			first = err
		}
	}
	switch {
	case len(dial) > 0:
		return dial, nil
	case v.evidence.state(a.Answer, v.policy) == Secure:
		return nil, refuse(Conflict, "the secure SRV records of %s and the statement have no target in common", a.Name)
	}
	return nil, first
}

// pinsFor gives the pins that hold for an endpoint: those it is listed with,
// and for a port of the other label of a role, which no statement lists, those
// of its host on any port.
func pinsFor(targets []Target, e Endpoint) []Pin {
	var pins []Pin
	for _, t := range targets {
		if t.Endpoint == e {
			return t.SPKI
		}
		if t.Host == e.Host {
			pins = append(pins, t.SPKI...)
		}
	}
	return pins
}

func notListed(targets []Target, e Endpoint) *Error {
	if _, host := lists(targets, e); host {
		return refuse(PortMismatch, "%s is delegated to, but not on port %d", e.Host, e.Port)
	}
	return refuse(TargetMismatch, "%.260s is not delegated to", e)
}

func list(targets []Target) string {
	names := make([]string, len(targets))
	for i, t := range targets {
		names[i] = t.Endpoint.String()
	}
	return strings.Join(names, ", ")
}
