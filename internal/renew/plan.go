package renew

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/publish"
)

// A Why says why a statement is signed anew.
type Why string

// The causes, in the order in which they are looked for.
const (
	Forced             Why = "forced"              // somebody asked for it
	Missing            Why = "missing"             // no place has a statement
	Unusable           Why = "unusable"            // what is there is broken or has expired
	TargetsChanged     Why = "targets-changed"     // it delegates to others than the configuration says
	CertificateChanged Why = "certificate-changed" // it was signed with another certificate, or carries another chain
	FormatsChanged     Why = "formats-changed"     // it is not there in every format
	LifeChanged        Why = "life-changed"        // it lives longer than the configuration says
	Expiring           Why = "expiring"            // less than a third of its life is left
)

// A plan is what is to be done about one delegation.
type plan struct {
	why             Why // "": nothing is signed
	issued, expires time.Time
	// kept is the statement that stays, by format, and id its id, unless one
	// is signed; the times are then its own.
	kept map[delegation.Encoding][]byte
	id   delegation.ID
	// notes are sentences for a person, about what signing does not mend.
	notes []string
}

// decide is the whole judgement about one delegation. It is pure: what the
// configuration wants, the chain to sign with (leaf first), what is at the
// places, and the time. The error is a *[delegation.Error] about why nothing
// can be signed.
func decide(d *Delegation, chain []*x509.Certificate, found inventory, now time.Time, force bool) (plan, error) {
	now = now.UTC().Truncate(time.Second)
	leaf := chain[0]
	switch {
	case now.Before(leaf.NotBefore):
		return plan{}, refuse(delegation.SignerNotYetValid, "the certificate in %s is valid from %s, and this machine's clock says %s; is the clock right?",
			d.Cert, stamp(leaf.NotBefore), stamp(now))
	case now.After(leaf.NotAfter):
		return plan{}, refuse(delegation.SignerExpired, "the certificate in %s was valid until %s, and this machine's clock says %s; renew it first",
			d.Cert, stamp(leaf.NotAfter), stamp(now))
	case found.ahead != nil && found.ahead.Compare(delegation.Order{SignerNotBefore: leaf.NotBefore, Issued: now}) > 0 && !force:
		return plan{}, refuse(delegation.ClockMismatch, "a statement is published that was issued at %s, and this machine's clock says %s; if the clock is right, sign anew with --force",
			stamp(found.ahead.Issued), stamp(now))
	}
	p := plan{issued: now, notes: found.unlisted}
	var newest *signing
	if len(found.signings) > 0 {
		newest = found.signings[0]
		switch c := newest.order.SignerNotBefore.Compare(leaf.NotBefore); {
		case c > 0:
			return plan{}, refuse(delegation.Superseded, "a statement is published that was signed with a newer certificate, of %s, than %s, of %s; is that file out of date?",
				stamp(newest.order.SignerNotBefore), d.Cert, stamp(leaf.NotBefore))
		case c == 0 && !newest.order.Issued.Before(now):
			// Of two statements of the same second, neither would be the newer one.
			p.issued = newest.order.Issued.Add(time.Second)
		}
	}
	p.expires = expiry(d, leaf, p.issued)
	switch {
	case force:
		p.why = Forced
	case newest == nil && found.unusable:
		p.why = Unusable
	case newest == nil:
		p.why = Missing
	default:
		p.why = newest.lacks(d, chain, p.expires, now)
	}
	switch {
	case p.why == "":
		p.kept, p.id = newest.raw, newest.statement.ID
		p.issued, p.expires = newest.statement.Issued.UTC(), newest.statement.Expires.UTC()
		if newest.expiring(now) {
			p.notes = append(p.notes, fmt.Sprintf("the statement ends with its certificate, at %s; renew the certificate", stamp(p.expires)))
		}
	case lifeOf(d) > delegation.DefaultMaxLife:
		p.notes = append(p.notes, "verifiers accept statements that live 31 days at most, unless their operator says otherwise")
	}
	return p, nil
}

// An inventory is what the places have about a delegation.
type inventory struct {
	signings []*signing        // that hold by themselves, the newest first
	ahead    *delegation.Order // the highest that will hold only later, if this machine's clock is right
	unusable bool              // there is something else that claims to be a statement
	unlisted []string          // sentences about formats that the configuration does not list
}

// A signing is one statement as it was found, in one encoding or several.
type signing struct {
	statement delegation.Statement
	order     delegation.Order
	raw       map[delegation.Encoding][]byte
	carried   [][]*x509.Certificate // the chain in each encoding
}

// collect takes stock.
func collect(d *Delegation, views []publish.View, now time.Time) inventory {
	all := inventory{unlisted: unlisted(d, views)}
	seen := map[string]bool{} // the octets that were judged
	for _, view := range views {
		for _, f := range view.Found {
			in := f.Statement
			if in != nil && seen[string(in.Raw)] {
				continue
			}
			if in == nil || in.Statement.Source != d.Source || in.Statement.Service != d.Service {
				all.unusable = true
				continue
			}
			seen[string(in.Raw)] = true
			switch err := in.Check(now); {
			case err == nil:
				all.add(in)
			case delegation.ReasonOf(err) == delegation.NotYetValid && in.Check(in.Statement.Issued) == nil:
				if order := in.Order(); all.ahead == nil || all.ahead.Compare(order) < 0 {
					all.ahead = &order
				}
				all.unusable = true
			default:
				all.unusable = true
			}
		}
	}
	slices.SortStableFunc(all.signings, func(a, b *signing) int {
		return cmp.Or(b.order.Compare(a.order), cmp.Compare(len(b.raw), len(a.raw)))
	})
	return all
}

// add puts the encodings of one statement together.
func (all *inventory) add(in *delegation.Inspection) {
	at := slices.IndexFunc(all.signings, func(s *signing) bool {
		return s.statement.ID == in.Statement.ID && s.order == in.Order() && s.raw[in.Encoding] == nil &&
			delegation.DigestTargets(s.statement.Targets) == delegation.DigestTargets(in.Statement.Targets)
	})
	if at < 0 {
		at = len(all.signings)
		all.signings = append(all.signings, &signing{statement: in.Statement, order: in.Order(), raw: map[delegation.Encoding][]byte{}})
	}
	s := all.signings[at]
	s.raw[in.Encoding] = in.Raw
	s.carried = append(s.carried, in.Certificates)
}

// lacks says why a statement cannot stay, "" if it can. renewed is when the one
// that would replace it ends.
func (s *signing) lacks(d *Delegation, chain []*x509.Certificate, renewed, now time.Time) Why {
	switch {
	case delegation.DigestTargets(s.statement.Targets) != delegation.DigestTargets(d.Targets):
		return TargetsChanged
	case slices.ContainsFunc(s.carried, func(c []*x509.Certificate) bool { return !sameChain(c, chain) }):
		return CertificateChanged
	case slices.ContainsFunc(d.Formats, func(e delegation.Encoding) bool { return s.raw[e] == nil }):
		return FormatsChanged
	case s.statement.Expires.Sub(s.statement.Issued) > lifeOf(d):
		return LifeChanged
	case s.expiring(now) && renewed.After(s.statement.Expires):
		return Expiring
	}
	return ""
}

// expiring: less than a third of its life is left.
func (s *signing) expiring(now time.Time) bool {
	return s.statement.Expires.Sub(now) < s.statement.Expires.Sub(s.statement.Issued)/3
}

// sameChain compares two chains by their leaf and the set of the others, which
// an attribute certificate's bag holds in any order.
func sameChain(a, b []*x509.Certificate) bool {
	if len(a) != len(b) || !bytes.Equal(a[0].Raw, b[0].Raw) {
		return false
	}
	for _, c := range a[1:] {
		if !slices.ContainsFunc(b[1:], c.Equal) {
			return false
		}
	}
	return true
}

// lifeOf is how long a statement of the delegation is to live.
func lifeOf(d *Delegation) time.Duration {
	switch {
	case d.Valid > 0:
		return d.Valid.Truncate(time.Second)
	case len(d.Targets) == 0:
		return delegation.DefaultMaxLife
	}
	return delegation.DefaultLife
}

// expiry is the end of a statement, never after that of its certificate.
func expiry(d *Delegation, leaf *x509.Certificate, issued time.Time) time.Time {
	end := issued.Add(lifeOf(d))
	if end.After(leaf.NotAfter) {
		end = leaf.NotAfter.UTC()
	}
	return end
}

// unlisted tells of statements in a format that the configuration does not
// list: nobody keeps them, and who reads only that format believes them.
func unlisted(d *Delegation, views []publish.View) (notes []string) {
	for _, view := range views {
		for _, f := range view.Found {
			if f.Statement == nil || slices.Contains(d.Formats, f.Statement.Encoding) {
				continue
			}
			note := fmt.Sprintf("%s has a statement in the format %s, which is not among the formats; list it, or remove the statement", f.Where, f.Statement.Encoding)
			if !slices.Contains(notes, note) {
				notes = append(notes, note)
			}
		}
	}
	return notes
}

// shows reports whether a view has exactly the statement in its encoding and
// nothing that is to give way to it.
func shows(view publish.View, e delegation.Encoding, raw []byte) bool {
	if view.Err != nil {
		return false
	}
	there := false
	for _, f := range view.Found {
		switch {
		case f.Statement == nil:
			return false
		case f.Statement.Encoding != e:
		case there || !bytes.Equal(f.Statement.Raw, raw):
			return false
		default:
			there = true
		}
	}
	return there
}

func refuse(reason delegation.Reason, format string, args ...any) *delegation.Error {
	return &delegation.Error{Outcome: reason.Outcome(), Reason: reason, Detail: fmt.Sprintf(format, args...)}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
