package watch

import (
	"crypto/x509"
	"fmt"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/hints"
	"github.com/dnasign/dnasign/internal/text"
)

// A Question is what is watched. The service and the target may be those of
// [delegation.Query]; a zero target asks about none.
type Question struct {
	delegation.Query
	// Warn is how long before the end of a statement or certificate a warning
	// is given; 0 means a quarter of the statement's life, at most MaxWarn.
	Warn time.Duration
	// Known are the owner's certificates. Every other one for the domain is a
	// finding; nil asks for no such finding.
	Known *Known
}

// MaxWarn bounds the warning time that nobody chose. Owners sign again when a
// third of the lifetime is left. A statement with less than a quarter left
// missed its renewal.
const MaxWarn = 7 * 24 * time.Hour

// An Observation is what was found through one resolver.
type Observation struct {
	Resolver string // for a person
	Evidence *delegation.Evidence
	Served   *x509.Certificate // by the domain's web server; nil if it is not known
}

// A Status is the worst that was found about a domain.
type Status string

// The statuses: nothing was found, or the severity of the worst finding.
const (
	StatusOK           Status = "ok"
	StatusWarning             = Status(SeverityWarning)
	StatusUndetermined        = Status(SeverityUndetermined)
	StatusError               = Status(SeverityError)
)

// ReportVersion is the Version of a [Report].
const ReportVersion = 1

// A Report is what others conclude about a domain. Its JSON form is described
// in docs/watch.md; Version changes when a member changes its meaning.
type Report struct {
	Version int                  `json:"version"`
	Status  Status               `json:"status"`
	Source  string               `json:"source"`
	Service string               `json:"service"`
	Target  *delegation.Endpoint `json:"target,omitempty"` // asked about
	// Verdicts has one for each resolver, in the order given.
	Verdicts []Verdict `json:"verdicts"`
	// Agreeing is how many resolvers lead to the most common conclusion.
	Agreeing int `json:"agreeing"`
	// StatementEnds and CertificateEnds are the expiry of the accepted
	// statement and of its signer's certificate, the earliest of all resolvers.
	// They are null if none is verified.
	StatementEnds   *time.Time `json:"statement_ends"`
	CertificateEnds *time.Time `json:"certificate_ends"`
	// Accepted is the newest statement that is verified through any resolver.
	// It is null if none is.
	Accepted *Accepted `json:"accepted"`
	Findings []Finding `json:"findings"`
	// Time is that of the conclusion, for those who show what is left.
	Time time.Time `json:"-"`
	// Replayed says that evidence came from a file, whose DNSSEC states were not
	// believed.
	Replayed bool `json:"-"`
}

// Accepted is a verified statement, as far as it differs from the one before.
type Accepted struct {
	Issued      time.Time             `json:"issued"`
	Targets     []delegation.Endpoint `json:"targets"`
	Signer      string                `json:"signer"`      // for a person
	Certificate delegation.Digest     `json:"certificate"` // SHA-256 of the signer's
	// Known says that the question names this certificate as one of the owner's.
	Known bool `json:"known,omitempty"`
}

// A Verdict is what others conclude who use one resolver.
type Verdict struct {
	Resolver string                `json:"resolver"`
	Outcome  reasons.Outcome       `json:"outcome"`
	Reason   reasons.Reason        `json:"reason"`
	Detail   string                `json:"detail,omitempty"`
	Dial     []delegation.Endpoint `json:"dial"` // where they connect
	// Alias is where the CNAME records at the name of the TXT record lead, empty
	// without any.
	Alias string `json:"alias,omitempty"`
	// Host is the verdict about the target asked about, if one was.
	Host *HostVerdict `json:"host,omitempty"`
	// Proof has the checks behind the verdict, and Evidence what was looked at.
	Proof    delegation.Report    `json:"-"`
	Evidence *delegation.Evidence `json:"-"`
}

// A HostVerdict says whether others accept a host for the domain.
type HostVerdict struct {
	Outcome reasons.Outcome `json:"outcome"`
	Reason  reasons.Reason  `json:"reason"`
	Detail  string          `json:"detail,omitempty"`
}

// A view is what was concluded from one observation.
type view struct {
	Observation
	result *delegation.Result
	err    *delegation.Error
	proof  delegation.Report // of these two
	srv    delegation.SRV    // what of it can be gone on with
	places []place
}

// Conclude compares what was found through several resolvers about one
// question. It is a pure function; the policy has the time. No observation
// makes a report that says undetermined.
func Conclude(q Question, observations []Observation, p delegation.Policy) Report {
	r := Report{
		Version: ReportVersion, Source: q.Source, Service: delegation.RoleOf(q.Service).Service,
		Verdicts: []Verdict{}, Findings: []Finding{}, Time: p.Time,
	}
	plain := q.Query
	plain.Target = delegation.Endpoint{}
	if q.Target != plain.Target {
		r.Target = &q.Target
	}
	var found findings
	if len(observations) == 0 {
		found.add(Finding{Name: Undetermined, Severity: SeverityUndetermined, Reason: reasons.MissingInput, Detail: "nothing was looked at", Hint: "name a resolver", Resolvers: []string{}})
	}
	reader := newReader(q.Query, p)
	var views []view
	for _, o := range observations {
		result, err := delegation.Verify(plain, o.Evidence, p)
		v := view{Observation: o, result: result, err: asError(err), proof: delegation.NewReport(plain, result, err)}
		if o.Evidence != nil {
			r.Replayed = r.Replayed || o.Evidence.Replayed() && !p.BelieveReplayedDNSSEC
			v.srv, _ = delegation.ReadSRV(plain, o.Evidence, p) // its errors are Verify's too
			v.places = reader.places(o.Evidence)
		}
		views = append(views, v)
		r.Verdicts = append(r.Verdicts, v.verdict(q.Query, p, &found))
	}
	compareResolvers(&found, views)
	for _, v := range views {
		v.comparePlaces(&found)
		v.alias(&found)
		v.compareSRV(&found)
		v.strangers(q.Known, &found)
	}
	r.ends(q.Warn, &found, views, p.Time)
	r.Accepted = accepted(views, q.Known)
	r.Agreeing = agreeing(views)
	found.sort()
	r.Findings = append(r.Findings, found...)
	r.Status = StatusOK
	if len(found) > 0 {
		r.Status = Status(found[0].Severity)
	}
	return r
}

// verdict puts a verdict into the report, and what is not verified among the
// findings.
func (v *view) verdict(q delegation.Query, p delegation.Policy, found *findings) Verdict {
	verdict := Verdict{
		Resolver: v.Resolver, Outcome: v.proof.Outcome, Reason: v.proof.Reason, Detail: v.proof.Detail, Dial: v.proof.Dial,
		Proof: v.proof, Evidence: v.Evidence,
	}
	if v.Evidence != nil && len(v.Evidence.TXT) > 0 {
		verdict.Alias = v.Evidence.TXT[0].Alias
	}
	if v.err != nil {
		name := Refused
		if v.err.Outcome == reasons.OutcomeUndetermined {
			name = Undetermined
		}
		found.add(Finding{Name: name, Severity: severityOf(v.err.Outcome), Reason: v.err.Reason, Detail: v.err.Detail, Hint: hints.ForOwner(v.err.Reason), Resolvers: []string{v.Resolver}})
	}
	if q.Target == (delegation.Endpoint{}) {
		return verdict
	}
	_, e := delegation.Verify(q, v.Evidence, p)
	err := asError(e)
	if err == nil {
		verdict.Host = &HostVerdict{Outcome: reasons.OutcomeVerified, Reason: reasons.Verified}
		return verdict
	}
	verdict.Host = &HostVerdict{err.Outcome, err.Reason, err.Detail}
	found.add(Finding{Name: HostNotAccepted, Severity: severityOf(err.Outcome), Reason: err.Reason, Detail: err.Detail,
		Hint: hostHint(err.Reason), Resolvers: []string{v.Resolver}})
	return verdict
}

// hostHint is what to do about a host that is not accepted.
func hostHint(r reasons.Reason) string {
	if r == reasons.TargetMismatch || r == reasons.PortMismatch {
		return "sign a statement that lists this host and port, or ask the owner of the domain to"
	}
	return hints.ForOwner(r)
}

// ends notes which ends first, the statement or its certificate, and warns.
func (r *Report) ends(warn time.Duration, found *findings, views []view, now time.Time) {
	for _, v := range views {
		if v.result == nil {
			continue
		}
		s := v.result.Proven()
		ends := s.Statement.Expires
		certificate, known := v.certificateOf(s.Fingerprint)
		if r.StatementEnds == nil || ends.Before(*r.StatementEnds) {
			r.StatementEnds = &ends
		}
		if known && (r.CertificateEnds == nil || certificate.Before(*r.CertificateEnds)) {
			r.CertificateEnds = &certificate
		}
		limit := warn
		if limit == 0 {
			limit = min(ends.Sub(s.Statement.Issued)/4, MaxWarn)
		}
		left := s.ValidUntil.Sub(now)
		if left >= limit {
			continue
		}
		f := Finding{Name: StatementEnds, Severity: SeverityWarning, Resolvers: []string{v.Resolver}}
		f.Detail = fmt.Sprintf("the statement of %s ends at %s, in %s", text.Stamp(s.Statement.Issued), text.Stamp(ends), Days(ends.Sub(now)))
		// A certificate is valid to the end of the second it names.
		if s.ValidUntil.Before(ends) || known && !certificate.After(ends) {
			f.Name = CertificateEnds
			f.Detail = fmt.Sprintf("the certificates that it is signed with, of %s, end at %s, in %s", s.Signer, text.Stamp(s.ValidUntil), Days(left))
		}
		found.add(f)
	}
}

// certificateOf finds when the certificate of a signer ends.
func (v *view) certificateOf(fingerprint delegation.Digest) (time.Time, bool) {
	for _, p := range v.places {
		for _, s := range p.found {
			if s.certificate.fingerprint == fingerprint {
				return s.certificate.notAfter.UTC(), true
			}
		}
	}
	return time.Time{}, false
}

// accepted is the newest statement that is verified through any resolver.
func accepted(views []view, known *Known) *Accepted {
	var proven *delegation.Proven
	for _, v := range views {
		if v.result == nil {
			continue
		}
		if p := v.result.Proven(); proven == nil || p.Floor.Order.Compare(proven.Floor.Order) > 0 {
			proven = &p
		}
	}
	if proven == nil {
		return nil
	}
	a := &Accepted{Issued: proven.Statement.Issued, Signer: proven.Signer, Certificate: proven.Fingerprint}
	a.Known = known != nil && known.digests[a.Certificate]
	for _, t := range proven.Statement.Targets {
		a.Targets = append(a.Targets, t.Endpoint)
	}
	return a
}

// agreeing counts the resolvers of the most common conclusion: the outcome, its
// reason, and the targets of the statement that decides.
func agreeing(views []view) (most int) {
	type conclusion struct {
		reason  reasons.Reason
		targets delegation.Digest
	}
	count := map[conclusion]int{}
	for _, v := range views {
		c := conclusion{reason: reasons.Verified}
		if v.err != nil {
			c = conclusion{v.err.Reason, v.err.Floor.Targets}
		} else {
			c.targets = v.result.Floor().Targets
		}
		count[c]++
		most = max(most, count[c])
	}
	return most
}

// Days is a time for a person: days, below two of them hours, below two of
// those minutes.
func Days(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return fmt.Sprintf("%d days", d/(24*time.Hour))
	case d >= 2*time.Hour:
		return fmt.Sprintf("%d hours", d/time.Hour)
	}
	return fmt.Sprintf("%d minutes", max(d, 0)/time.Minute)
}
