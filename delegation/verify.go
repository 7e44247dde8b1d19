package delegation

import (
	"bytes"
	"time"
)

// Verify answers a query from evidence under a policy. It is a pure function:
// it does no I/O and reads no clock, so the same three values always give the
// same answer.
//
// err is nil if and only if the outcome is [OutcomeVerified]; otherwise it is
// an *[Error] with the outcome, the reason and the whole explanation. The
// algorithm, step by step, is in docs/spec.md.
func Verify(q Query, e *Evidence, p Policy) (*Result, error) {
	if err := checkInputs(q, e, &p); err != nil {
		return nil, err
	}
	v := &verification{query: q, evidence: e, policy: &p, log: make(checks, 0, 16)}
	v.gather()
	for _, c := range v.candidates {
		v.judge(c)
	}
	chosen := v.choose()
	result, err := v.decide(chosen)
	if err != nil {
		err.Checks, err.Unverified, err.Floors = v.log.written(), v.unverified, floors(chosen)
		err.Authentic = len(v.proven) > 0
		return nil, err
	}
	return result, nil
}

// checkInputs refuses what cannot be worked with, and cuts the policy's time to
// a whole second.
func checkInputs(q Query, e *Evidence, p *Policy) *Error {
	if err := q.check(); err != nil {
		return err
	}
	p.Time = wholeSecond(p.Time)
	if err := p.check(); err != nil {
		return err
	}
	return e.check(q)
}

// wholeSecond cuts fractions of a second. All times that t is compared with are
// whole seconds, and the second that a notAfter names is the last one included.
// It also turns a time that crypto/x509 would take for the zero time, which it
// reads as now, into the zero time, which is refused.
func wholeSecond(t time.Time) time.Time { return t.Truncate(time.Second) }

// A verification is the state of one call of Verify.
type verification struct {
	query    Query
	evidence *Evidence
	policy   *Policy

	log        checks
	candidates []candidate
	judged     []candidate
	proven     []*Proven
	refused    []*Error // statements present but bad
	conflict   *Error   // verified statements that contradict each other
	failed     []*Error // places that could not be looked at
	unverified []Unverified
	spent      [channels]int // signature checks, see MaxFailedChecks
}

// gather turns what was found into candidates, in the order of the evidence.
func (v *verification) gather() {
	for i := range v.evidence.TXT {
		v.gatherTXT(&v.evidence.TXT[i])
	}
	for i := range v.evidence.Documents {
		v.gatherDocument(&v.evidence.Documents[i])
	}
}

func (v *verification) gatherTXT(a *TXTAnswer) {
	if a.Failure != nil {
		v.lookupFailed("txt", a.Name, a.Failure)
		return
	}
	// The data of a bogus answer is used for nothing.
	if a.DNSSEC == Bogus {
		v.lookupFailed("txt", a.Name, &Failure{DNSBogus, "DNSSEC validation failed"})
		return
	}
	var records []string
	for _, r := range a.Records {
		if isTXTRecord(r) {
			records = append(records, r)
		}
	}
	if len(records) == 0 {
		v.log.info("txt", a.Name, "no statement there")
		return
	}
	if len(records) > MaxTXTRecords {
		v.present("txt", a.Name, nil, refuse(TooManyRecords, "%d records of version 1, at most %d", len(records), MaxTXTRecords))
		return
	}
	v.log.ok("txt", a.Name, "%d found, TTL %d s", len(records), a.TTL)
	for _, r := range records {
		encoding, raw, err := parseTXTRecord(r)
		if err != nil {
			v.present("txt", a.Name, []byte(r), err)
			continue
		}
		v.candidates = append(v.candidates, candidate{a.Name, inDNS, encoding, raw, int64(a.TTL)})
	}
}

// lookupFailed notes a place that could not be looked at. One that was not
// waited for is no fault of anybody's.
func (v *verification) lookupFailed(check, place string, f *Failure) {
	e := refuse(f.Reason, "%s: %s", place, f.Detail)
	if f.Reason == Unanswered {
		v.log.info(check, place, "%s: %s", f.Reason, f.Detail)
	} else {
		v.log.fail(check, place, refuse(f.Reason, "%s", f.Detail))
	}
	v.failed = append(v.failed, e)
}

// present notes something that was there and is no good statement; raw is nil
// where it is not to be looked at.
func (v *verification) present(check, place string, raw []byte, e *Error) {
	v.log.fail(check, place, e)
	v.refused = append(v.refused, e)
	if raw != nil {
		v.unverified = append(v.unverified, Unverified{place, e.Reason, raw})
	}
}

func (v *verification) judge(c candidate) {
	for _, earlier := range v.judged {
		if earlier.encoding == c.encoding && bytes.Equal(earlier.raw, c.raw) {
			v.log.info("form", c.origin, "the same octets as from %s", earlier.origin)
			return
		}
	}
	proven, err := judge(c, v.query, v.policy, &v.spent[c.channel], &v.log)
	// What there were no checks left for was not judged: the other channel has
	// its own, and may hold the same octets.
	if err == nil || err.Reason != TooManyRecords {
		v.judged = append(v.judged, c)
	}
	if err != nil {
		v.refused = append(v.refused, err)
		v.unverified = append(v.unverified, Unverified{c.origin, err.Reason, c.raw})
		return
	}
	v.proven = append(v.proven, proven)
}

// decide: any verified statement decides; else a place that could not be
// looked at leaves it open; else a contradiction between verified statements,
// else the statement that got furthest, is refused; else there is none.
func (v *verification) decide(chosen []Proven) (*Result, *Error) {
	if len(chosen) > 0 {
		return v.use(chosen)
	}
	if len(v.failed) > 0 {
		return nil, again(v.failed[0])
	}
	if v.conflict != nil {
		return nil, again(v.conflict)
	}
	if len(v.refused) > 0 {
		furthest := v.refused[0]
		for _, e := range v.refused[1:] {
			if reasonRank[e.Reason] > reasonRank[furthest.Reason] {
				furthest = e
			}
		}
		return nil, again(furthest)
	}
	return nil, refuse(NoStatement, "%s has no statement about %s", v.query.Source, v.query.Service)
}

// again makes the error of one place the error of the whole.
func again(e *Error) *Error { return refuse(e.Reason, "%s", e.Detail) }

// choose takes the newest verified statement for each label of the family, the
// one that was asked for first.
func (v *verification) choose() []Proven {
	var chosen []Proven
	for _, service := range Services(v.query.Service) {
		var found []*Proven
		for _, p := range v.proven {
			if p.Statement.Service == service {
				found = append(found, p)
			}
		}
		if len(found) == 0 {
			continue
		}
		top, err := newest(found, &v.log)
		if err != nil {
			v.conflict = err
			continue
		}
		chosen = append(chosen, *top)
	}
	return chosen
}

// use makes the result out of verified statements.
func (v *verification) use(chosen []Proven) (*Result, *Error) {
	r := &Result{source: v.query.Source, service: v.query.Service, statements: chosen}
	for _, p := range chosen {
		// An owner who revokes one label of a role means the role.
		if p.Statement.Revoked() {
			e := refuse(Revoked, "the statement of %s delegates %s to nobody", stamp(p.Statement.Issued), p.Statement.Service)
			v.log.fail("targets", p.Origin, e)
			return nil, again(e)
		}
		for _, t := range p.Statement.Targets {
			if listed, _ := lists(r.targets, t.Endpoint); !listed {
				r.targets = append(r.targets, t)
			}
		}
		if r.validUntil.IsZero() || p.ValidUntil.Before(r.validUntil) {
			r.validUntil = p.ValidUntil
		}
	}
	var err *Error
	if r.dial, err = v.agree(r.targets, chosen); err != nil {
		return nil, again(err)
	}
	r.refreshAt = v.refreshAt(r)
	if v.policy.SignerCheck != nil {
		r.notes = append(r.notes, "signer checked by the policy's own function")
	}
	if v.evidence.replayed {
		r.notes = append(r.notes, "replayed evidence")
		if v.policy.BelieveReplayedDNSSEC {
			r.notes = append(r.notes, "DNSSEC states of replayed evidence believed")
		}
	}
	r.checks = v.log
	return r, nil
}

// refreshAt is when the places themselves say that they may have changed,
// within bounds, and never after the proof ends.
func (v *verification) refreshAt(r *Result) time.Time {
	wait := MaxRefresh
	for _, p := range r.statements {
		if age := time.Duration(min(p.maxAge, int64(MaxRefresh/time.Second))) * time.Second; p.maxAge >= 0 && age < wait {
			wait = age
		}
	}
	at := v.policy.Time.Add(max(wait, MinRefresh)).UTC()
	if r.validUntil.Before(at) {
		return r.validUntil
	}
	return at
}
