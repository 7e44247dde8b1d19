package publish

import (
	"bytes"
	"crypto/x509"
	"errors"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/text"
)

// An Owner decides which existing statements at a place matter to the owner who
// signs and publishes there.
//
// What others believe matters: they remember its order, so a new statement must
// be above it. The trust anchors are the owner's own. Whatever does not lead to
// them proves nothing, and a stranger can put it into a web root or an alias
// zone. So it must not stop the owner.
type Owner struct {
	// Roots are the trust anchors that the owner believes. Nil believes nobody.
	Roots *x509.CertPool
	// Cache, if not nil, was made for Roots and saves work.
	Cache *delegation.Cache
	// Leaf is the certificate that the owner signs with now, or nil. Statements by
	// its key count even if they do not lead to the roots: DNSSEC may name it, and
	// nobody else has it. Publish takes that of the statement.
	Leaf *x509.Certificate
	// Ours reports whether a statement of another source or role belongs to the
	// owner too, so that it must not be replaced. Nil says that of all of them,
	// for a person who can be asked. A program that runs by itself must not let
	// strangers stop it with statements of their own.
	Ours func(source, service string) bool
	// Force replaces whatever is there.
	Force bool
	// Now gives the time. Nil means time.Now.
	Now func() time.Time
}

// A Rank is what a statement at a place is worth.
type Rank int

// The ranks.
const (
	// Worthless: no verifier with the owner's trust anchors accepts it. It is
	// broken, or has expired, or does not lead to the anchors.
	Worthless Rank = iota
	// Counts: it is verified, for the source and role in question.
	Counts
	// Ahead: it will be verified later, if this machine's clock is right.
	Ahead
	// Others: it is verified, for another source or role.
	Others
)

// Rank judges a statement that was found at the place of a source and a role.
func (o Owner) Rank(in *delegation.Inspection, source, service string) Rank {
	s := in.Statement
	rank := Counts
	err := o.verify(in, now(o.Now))
	if delegation.ReasonOf(err) == reasons.NotYetValid {
		rank, err = Ahead, o.verify(in, s.Issued)
	}
	switch {
	case err != nil:
		return Worthless
	case s.Source != source || s.Service != service:
		return Others
	}
	return rank
}

// verify returns nil if a statement is verified by itself. A revocation is
// that too.
func (o Owner) verify(in *delegation.Inspection, at time.Time) error {
	err := o.proves(in, at)
	if err != nil && o.Leaf != nil && bytes.Equal(o.Leaf.RawSubjectPublicKeyInfo, in.Certificates[0].RawSubjectPublicKeyInfo) {
		return in.Check(at)
	}
	return err
}

// proves returns nil if a statement leads to the owner's trust anchors.
func (o Owner) proves(in *delegation.Inspection, at time.Time) error {
	if o.Roots == nil {
		return delegation.Errorf(reasons.UntrustedSigner, "there are no trust anchors")
	}
	q := delegation.Query{Source: in.Statement.Source, Service: in.Statement.Service}
	_, err := delegation.Verify(q, q.FileEvidence("the statement", in.Raw),
		delegation.Policy{Roots: o.Roots, Time: at, MaxLife: limits.LongestMaxLife, Cache: o.Cache})
	if delegation.ReasonOf(err) == reasons.Revoked {
		return nil
	}
	return err
}

// Protects reports whether a statement of another source or role stays where it
// is.
func (o Owner) Protects(other *delegation.Inspection) bool {
	return o.Ours == nil || o.Ours(other.Statement.Source, other.Statement.Service)
}

// idle reports whether nobody needs a statement at the place of a source and a
// role: it gives way where there is no room.
func (o Owner) idle(in *delegation.Inspection, source, service string) bool {
	rank := o.Rank(in, source, service)
	return rank == Worthless || rank == Others && !o.Protects(in)
}

// mayReplace says why a statement must not take the place of another one.
func (o Owner) mayReplace(where string, old, in *delegation.Inspection) error {
	if o.Force {
		return nil
	}
	s := old.Statement
	switch o.Rank(old, in.Statement.Source, in.Statement.Service) {
	case Worthless:
		return nil
	case Others:
		if !o.Protects(old) {
			return nil
		}
		reason := reasons.SourceMismatch
		if s.Source == in.Statement.Source {
			reason = reasons.ServiceMismatch
		}
		return delegation.Errorf(reason, "%s holds a valid statement of %s for %s, until %s; a place holds one, so remove it first, or replace it with --force",
			where, s.Source, s.Service, text.FineStamp(s.Expires))
	case Ahead:
		if old.Order().Compare(in.Order()) > 0 {
			return delegation.Errorf(reasons.ClockMismatch, "%s holds a statement issued at %s, and this machine's clock says %s; if the clock is right, replace it with --force",
				where, text.FineStamp(s.Issued), text.FineStamp(now(o.Now)))
		}
	case Counts:
		if old.Order().Compare(in.Order()) > 0 {
			return delegation.Errorf(reasons.Superseded, "%s holds a newer statement: %s; the one to publish: %s. Sign a new one, if you mean it", where, describe(old), describe(in))
		}
	}
	if err := o.CheckReplaces(where, old, in); err != nil {
		return err
	}
	return o.mayStandBeside(where, old, in)
}

// CheckTrusted says why the owner's trust anchors do not accept a statement. A
// certificate that issued itself leads to no anchor: DNSSEC names its key.
func (o Owner) CheckTrusted(in *delegation.Inspection) error {
	if issuance, err := delegation.Issuance(in.Certificates[0]); err == nil && issuance.IsZero() {
		return nil
	}
	return o.proves(in, now(o.Now))
}

// CheckReplaces refuses a statement that the owner's trust anchors do not accept, in
// place of one that they accept. Otherwise a certificate of a test authority, or a
// chain with a gap, would end the service.
func (o Owner) CheckReplaces(where string, old, in *delegation.Inspection) error {
	err := o.CheckTrusted(in)
	if o.Force || err == nil || o.proves(old, now(o.Now)) != nil {
		return nil
	}
	return delegation.Errorf(delegation.ReasonOf(err), "%s holds a statement that your trust anchors accept, and they do not accept the new one: %s; mend the certificate and its chain, or replace it with --force",
		where, detail(err))
}

// mayStandBeside refuses a statement of the same order as another one that
// counts, with other targets: a verifier that has seen both accepts neither.
func (o Owner) mayStandBeside(where string, other, in *delegation.Inspection) error {
	if !o.Force && other.Order().Compare(in.Order()) == 0 &&
		delegation.DigestTargets(other.Statement.Targets) != delegation.DigestTargets(in.Statement.Targets) &&
		o.Rank(other, in.Statement.Source, in.Statement.Service) == Counts {
		return delegation.Errorf(reasons.Conflict, "%s holds a statement of the same second, issued at %s, with other targets; sign again", where, text.FineStamp(other.Statement.Issued))
	}
	return nil
}

// describe says how a statement is ordered: by its certificate, then by itself.
func describe(in *delegation.Inspection) string {
	return "issued at " + text.FineStamp(in.Statement.Issued) + " by a certificate of " + text.FineStamp(in.Order().Issuance)
}

// now is the time by a clock that may be nil.
func now(clock func() time.Time) time.Time {
	if clock == nil {
		return time.Now()
	}
	return clock()
}

// prepare reads a statement to be published and checks it against the place and
// its own certificate.
func (o Owner) prepare(raw []byte, source, service string) (*delegation.Inspection, error) {
	in, err := delegation.Inspect(raw)
	if err != nil {
		return nil, err
	}
	switch s := in.Statement; {
	case s.Source != source:
		return nil, delegation.Errorf(reasons.SourceMismatch, "the statement is of %s, the place of %s", s.Source, source)
	case s.Service != service:
		return nil, delegation.Errorf(reasons.ServiceMismatch, "the statement is for %s, the place for %s", s.Service, service)
	}
	if err := in.Check(now(o.Now)); err != nil {
		return nil, err
	}
	return in, nil
}

// detail is what an error says, without its reason.
func detail(err error) string {
	var e *delegation.Error
	if errors.As(err, &e) {
		return e.Detail
	}
	return err.Error()
}
