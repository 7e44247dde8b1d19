package delegation

import (
	"bytes"
	"fmt"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/text"
)

// Verify answers a query from evidence under a policy. It is a pure function:
// it does no I/O and reads no clock, so the same three values always give the
// same answer.
//
// err is nil if and only if the outcome is [reasons.OutcomeVerified]. Otherwise
// it is an *[Error] with the outcome, the reason and the whole explanation. The
// algorithm, step by step, is in docs/spec.md.
func Verify(q Query, e *Evidence, p Policy) (*Result, error) {
	if err := checkInputs(&q, e, &p); err != nil {
		return nil, err
	}
	v := &verification{query: q, evidence: e, policy: &p, log: make(checks, 0, usualLines)}
	v.gather()
	v.judgeAll()
	v.tellPOSH()
	chosen, floor, conflict := newest(v.proven, &v.log)
	if conflict == nil && chosen != nil {
		chosen.Floor = floor // the later ends, of equal statements
	}
	result, err := v.decide(chosen, conflict)
	if err != nil {
		err.Checks, err.Unverified, err.Floor = v.log.written(), v.unverified, floor
		err.Authentic, err.Unpublished = len(v.proven) > 0, v.unpublished
		return nil, err
	}
	return result, nil
}

// checkInputs refuses unusable inputs, replaces a second label by its role, and
// cuts the policy's time to a whole second.
func checkInputs(q *Query, e *Evidence, p *Policy) *Error {
	if err := q.check(); err != nil {
		return err
	}
	p.Time = wholeSecond(p.Time)
	if err := p.check(); err != nil {
		return err
	}
	return e.check(*q)
}

// wholeSecond cuts fractions of a second. All times that t is compared with are
// whole seconds, and the second that a notAfter names is the last one included.
// crypto/x509 reads the zero time as now. So a time that it would take for the
// zero time becomes the zero time, which is refused.
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
	failed     []*Error // places that could not be looked at
	instead    []string // what was found where a statement could be
	unverified []Unverified
	// unpublished: every place answered, and none holds a statement, good or bad.
	unpublished bool
	named       namedKeys
	spent       [channels]int // signature checks, see limits.MaxFailedChecks
	partly      bool          // see SRV.Partly
}

// gather turns what was found into candidates, in the order of the evidence.
func (v *verification) gather() {
	for i := range v.evidence.TXT {
		v.gatherTXT(&v.evidence.TXT[i])
	}
	for i := range v.evidence.Documents {
		v.gatherDocument(&v.evidence.Documents[i])
	}
	why := v.evidence.published()
	v.unpublished = why == ""
	for i := range v.evidence.Streams {
		v.gatherStream(&v.evidence.Streams[i], why)
	}
}

func (v *verification) gatherTXT(a *TXTAnswer) {
	if a.Failure != nil {
		v.lookupFailed("txt", a.Name, a.Failure.error())
		return
	}
	// The data of a bogus answer is used for nothing.
	if a.DNSSEC == Bogus {
		v.lookupFailed("txt", a.Name, Errorf(reasons.DNSBogus, "DNSSEC validation failed"))
		return
	}
	var records []string
	for _, r := range a.Records {
		if isTXTRecord(r) {
			records = append(records, r)
		}
	}
	if len(records) == 0 {
		v.nothing("txt", a.Name, foreignRecords(a.Records))
		return
	}
	if len(records) > limits.MaxTXTRecords {
		v.present("txt", a.Name, nil, Errorf(reasons.TooManyRecords, "%d records of version 1, at most %d", len(records), limits.MaxTXTRecords))
		return
	}
	v.log.ok("txt", a.Name, "%d found, TTL %d s", len(records), a.TTL)
	for _, r := range records {
		c := candidate{origin: a.Name, channel: inDNS, maxAge: int64(a.TTL), beside: a.Records, found: key{aRecord, r}}
		if c.known = v.policy.Cache.statement(c.found); c.known != nil {
			c.encoding = c.known.encoding
		} else {
			var err *Error
			if c.encoding, c.raw, err = parseTXTRecord(r); err != nil {
				v.present("txt", a.Name, []byte(r), err)
				continue
			}
		}
		v.candidates = append(v.candidates, c)
	}
}

// add makes a candidate of what is a statement as it stands.
func (v *verification) add(c candidate) {
	if v.policy.Cache != nil {
		c.found = statementKey(c.encoding, c.raw)
		c.known = v.policy.Cache.statement(c.found)
	}
	v.candidates = append(v.candidates, c)
}

// nothing notes a place without a statement. It also notes what was there
// instead, if that helps: something may have changed a statement on its way
// there.
func (v *verification) nothing(check, place, instead string) {
	if instead == "" {
		v.log.info(check, place, "no statement there")
		return
	}
	v.log.info(check, place, "no statement there: %s", instead)
	v.instead = append(v.instead, place+": "+instead)
}

// lookupFailed notes a place that could not be looked at. One that was not
// waited for is no fault of anybody's.
func (v *verification) lookupFailed(check, place string, e *Error) {
	if e.Reason == reasons.Unanswered {
		v.log.info(check, place, "%s: %s", e.Reason, e.Detail)
	} else {
		v.log.fail(check, place, e)
	}
	v.failed = append(v.failed, Errorf(e.Reason, "%s: %s", place, e.Detail))
}

// present notes something that was there and is not a good statement. raw is
// nil if nobody needs to look at it.
func (v *verification) present(check, place string, raw []byte, e *Error) {
	v.log.fail(check, place, e)
	v.refused = append(v.refused, e)
	if raw != nil {
		v.unverified = append(v.unverified, Unverified{place, e.Reason, raw})
	}
}

// judgeAll judges the candidates. If nobody can know which keys may sign, it
// judges none.
func (v *verification) judgeAll() {
	if len(v.candidates)+len(v.refused) == 0 {
		return // whoever may sign, nothing is signed
	}
	if !v.nameKeys() {
		return
	}
	for i := range v.candidates {
		v.judge(i)
	}
}

func (v *verification) judge(i int) {
	c := v.candidates[i]
	for _, earlier := range v.judged {
		if earlier.encoding == c.encoding && bytes.Equal(earlier.octets(), c.octets()) {
			v.log.info("form", c.origin, "the same octets as from %s", earlier.origin)
			return
		}
	}
	proven, err := judge(c, v.query, v.policy, v.named, &v.spent[c.channel], &v.log)
	// What there were no checks left for was not judged: the other channel has
	// its own, and may hold the same octets.
	if err == nil || err.Reason != reasons.TooManyRecords {
		v.judged = append(v.judged, c)
	}
	if err != nil {
		v.refused = append(v.refused, err)
		v.unverified = append(v.unverified, Unverified{c.origin, err.Reason, c.octets()})
		return
	}
	proven.place = i
	v.proven = append(v.proven, proven)
}

// decide uses the newest verified statement. If there is none, a place that
// could not be looked at leaves it open. Otherwise it refuses for a
// contradiction between verified statements, or else for the statement that got
// furthest. If there is no statement at all, it says so.
func (v *verification) decide(chosen *Proven, conflict *Error) (*Result, *Error) {
	switch {
	case chosen != nil && conflict == nil:
		return v.use(*chosen)
	case len(v.failed) > 0:
		return nil, again(v.failed[0])
	case conflict != nil:
		return nil, again(conflict)
	case len(v.refused) > 0:
		furthest := v.refused[0]
		for _, e := range v.refused[1:] {
			if e.Reason.Further(furthest.Reason) {
				furthest = e
			}
		}
		return nil, again(furthest)
	}
	what := fmt.Sprintf("%s has no statement about %s", v.query.Source, v.query.Service)
	return nil, Errorf(reasons.NoStatement, "%s", strings.Join(append([]string{what}, v.instead...), "; "))
}

// again makes the error of one place the error of the whole.
func again(e *Error) *Error {
	return Errorf(e.Reason, "%s", e.Detail)
}

// use makes the result out of the newest verified statement.
func (v *verification) use(p Proven) (*Result, *Error) {
	s := p.Statement
	if s.Revoked() {
		e := Errorf(reasons.Revoked, "the statement of %s delegates %s to nobody", text.FineStamp(s.Issued), s.Service)
		v.log.fail("targets", p.Origin, e)
		return nil, again(e)
	}
	dial, err := v.agree(s.Targets)
	if err != nil {
		return nil, again(err)
	}
	r := &Result{proven: p, dial: dial}
	r.refreshAt = v.refreshAt(p)
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

// refreshAt is when the place itself says that it may have changed, within
// bounds, and never after the proof ends.
func (v *verification) refreshAt(p Proven) time.Time {
	wait := limits.MaxRefresh
	if v.partly {
		wait = limits.MinRefresh
	}
	if age := time.Duration(min(p.maxAge, int64(limits.MaxRefresh/time.Second))) * time.Second; p.maxAge >= 0 && age < wait {
		wait = age
	}
	at := v.policy.Time.Add(max(wait, limits.MinRefresh)).UTC()
	if p.ValidUntil.Before(at) {
		return p.ValidUntil
	}
	return at
}
