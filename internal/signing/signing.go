// Package signing makes statements that never go backwards, and remembers what
// was signed.
//
//	certificate, clock, what is published, what was signed before -> Moment -> Sign -> State
//
// Verifiers order the statements of a role by the issuance of the signer's
// certificate, then by iat, and remember the newest. So a signer compares
// with what others may have seen: what is published, and every certificate used
// here before. Signing is publishing, because anybody who gets a statement can
// show it. So the [State] is written before a statement is shown to anybody.
package signing

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/text"
	"github.com/dnasign/dnasign/keys"
)

// An Earlier is a statement of the same source and role that others may have
// seen. Without a time of issue it is a certificate that signed one.
type Earlier struct {
	Order       delegation.Order
	Certificate delegation.Digest // SHA-256 of the signer's certificate
	Where       string            // such as "published" or "signed here"
}

// EarlierOf describes a statement that was found.
func EarlierOf(in *delegation.Inspection, where string) Earlier {
	return Earlier{in.Order(), Fingerprint(in.Certificates[0]), where}
}

// Fingerprint is the SHA-256 of a certificate.
func Fingerprint(c *x509.Certificate) delegation.Digest { return sha256.Sum256(c.Raw) }

// Moment says at which time a statement is issued, now or a little later, so
// that it ranks above all that was signed earlier. The notes are for a person.
//
// The error is a *[delegation.Error] that says what to do:
// [reasons.SignerNotYetValid] and [reasons.SignerExpired] compare clock
// and certificate. [reasons.Superseded]: another certificate was issued later
// than this one, so nothing signed now is above it. [reasons.ClockMismatch]:
// an earlier statement is from the future. Force passes over the last two.
func Moment(leaf *x509.Certificate, at time.Time, earlier []Earlier, force bool) (issued time.Time, notes []string, err error) {
	at = at.UTC().Truncate(time.Second)
	issuance, err := delegation.Issuance(leaf)
	if err != nil {
		return issued, nil, err
	}
	own := issuance.IsZero() // it issued itself, and is ordered by its statements
	if own {
		issuance = leaf.NotBefore
	}
	start := issuance
	if leaf.NotBefore.After(start) {
		start = leaf.NotBefore
	}
	switch {
	case at.Before(start.Add(-limits.ClockSkew)):
		return issued, nil, delegation.Errorf(reasons.SignerNotYetValid, "the certificate was issued at %s, and this machine's clock says %s; is the clock right?", text.FineStamp(start), text.FineStamp(at))
	case at.After(leaf.NotAfter):
		return issued, nil, delegation.Errorf(reasons.SignerExpired, "the certificate was valid until %s, and this machine's clock says %s; renew it first", text.FineStamp(leaf.NotAfter), text.FineStamp(at))
	}
	issued = at
	if own {
		return above(at, earlier, force)
	}
	if up := roundUp(issuance); up.After(issued) {
		issued = up
	}
	for _, e := range earlier {
		later := e.Order.Issuance.Compare(issuance)
		if later > 0 || later == 0 && e.Certificate != Fingerprint(leaf) {
			text := outranked(e, leaf, issuance, at)
			if later > 0 && !force {
				return issued, nil, delegation.Errorf(reasons.Superseded, "%s", text)
			}
			notes = append(notes, text)
		}
		// With a newer certificate an earlier time does not matter: else one
		// wrong clock would lock the owner out for ever.
		if next := e.Order.Issued.Add(time.Second); later >= 0 && next.After(issued) {
			if next.After(at.Add(limits.ClockSkew)) {
				if !force {
					return issued, nil, ahead(e, e.Order.Issued, at, ", or get a new certificate")
				}
				continue // no verifier has accepted it yet
			}
			issued = next
		}
	}
	return issued, notes, nil
}

// above is Moment for a certificate that issued itself. Its statements were issued,
// as certificates and as statements, at one time: that must be after the issuance
// of all earlier certificates.
func above(at time.Time, earlier []Earlier, force bool) (issued time.Time, notes []string, err error) {
	issued = at
	for _, e := range earlier {
		next := e.Order.Issuance.Truncate(time.Second).Add(time.Second)
		switch {
		case !next.After(issued):
		case !next.After(at.Add(limits.ClockSkew)):
			issued = next
		case !force:
			return issued, nil, ahead(e, e.Order.Issuance, at, "")
		}
	}
	return issued, nil, nil
}

// ahead says that an earlier statement, or its certificate, is from the future.
func ahead(e Earlier, of, at time.Time, more string) error {
	return delegation.Errorf(reasons.ClockMismatch, "a statement (%s) was issued at %s, and this machine's clock says %s; if the clock is right, sign with --force%s",
		e.Where, text.FineStamp(of), text.FineStamp(at), more)
}

// roundUp is a moment in whole seconds, not before t.
func roundUp(t time.Time) time.Time {
	if whole := t.Truncate(time.Second); whole.Before(t) {
		return whole.Add(time.Second)
	}
	return t
}

// outranked says that a certificate is not above one that was used earlier, and
// what to do.
func outranked(e Earlier, leaf *x509.Certificate, issuance, at time.Time) string {
	what := "the certificate of a statement (" + e.Where + ")"
	if e.Order.Issued.IsZero() {
		what = "a certificate that signed before (" + e.Where + ")"
	}
	problem := "so whatever it signs ranks below"
	if e.Order.Issuance.Equal(issuance) {
		problem = "so the key of that one can still sign above it"
	}
	return fmt.Sprintf("%s was issued at %s, and the one to sign with at %s, %s; %s",
		what, text.FineStamp(e.Order.Issuance), text.FineStamp(issuance), problem, remedy(e.Order.Issuance, leaf, issuance, at))
}

// remedy says how to get a certificate that ranks higher. Without SCTs its
// issuance is its notBefore, which some authorities set an hour back, or to
// midnight.
func remedy(above time.Time, leaf *x509.Certificate, issuance, at time.Time) string {
	const day = 24 * time.Hour
	const fresh = "get a new certificate and sign with that"
	if !issuance.Equal(leaf.NotBefore) {
		return fresh
	}
	back := at.Sub(issuance) // at most, if it was got just now
	if back > day {
		back = time.Hour
	}
	wait := above.Add(back).Truncate(time.Second).Add(time.Second)
	if issuance.Equal(issuance.Truncate(day)) {
		wait = above.Truncate(day).Add(day)
	}
	if !wait.After(at) {
		return fresh
	}
	return fmt.Sprintf("wait until %s, get a new certificate then and sign with that, or use an authority that embeds SCTs", text.FineStamp(wait))
}

// Sign gives a statement an id and signs it in every encoding.
func Sign(s *delegation.Statement, encodings []delegation.Encoding, signer *keys.Signer) (map[delegation.Encoding][]byte, error) {
	for s.ID = (delegation.ID{}); !s.ID.Valid(); s.ID[0] &= 0x7f {
		rand.Read(s.ID[:]) // which never fails
	}
	raw := map[delegation.Encoding][]byte{}
	for _, e := range encodings {
		var err error
		if raw[e], err = delegation.Sign(*s, e, signer); err != nil {
			return nil, err
		}
	}
	return raw, nil
}

// Expires is the end of a statement that lives so long from its issue, never
// after that of its certificate. cut says that the certificate ends first. One
// that has ended already is for [delegation.Sign] to refuse.
func Expires(issued time.Time, life time.Duration, leaf *x509.Certificate) (end time.Time, cut bool) {
	end = issued.Add(life.Truncate(time.Second))
	if last := leaf.NotAfter.UTC(); end.After(last) && last.After(issued) {
		return last, true
	}
	return end, false
}
