package renew

import (
	"bytes"
	"cmp"
	"crypto/x509"
	"fmt"
	"slices"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/publish"
	"github.com/dnasign/dnasign/internal/signing"
	words "github.com/dnasign/dnasign/internal/text"
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
	Replaced           Why = "replaced"            // an older one is there than the last that was signed here, to the same targets
)

// A plan is what is to be done about one delegation.
type plan struct {
	why             Why // "": nothing is signed
	targets         []delegation.Target
	issued, expires time.Time
	// raw is the statement that stays, by format, and id its id; the times are then
	// its own. Where one is signed, raw is that, and nil if it could not be signed.
	raw     map[delegation.Encoding][]byte
	id      delegation.ID
	standby bool // it was signed with a newer certificate, by another machine
	byHand  bool // it renews a revocation that somebody made by hand
	// notes are sentences for a person, about what signing does not mend.
	notes []string
}

// A situation is what a plan is made of.
type situation struct {
	delegation *Delegation
	chain      []*x509.Certificate // to sign with, leaf first
	found      inventory           // at the places
	record     *signing.Record     // what was signed here; nil if nothing was
	now        time.Time
	force      bool
	again      string // the command that delegates again after a revocation
}

// decide is the whole judgement about one delegation. It is pure. The error is a
// *[delegation.Error] about why nothing can be signed.
func (s situation) decide() (plan, error) {
	d, leaf, now := s.delegation, s.chain[0], s.now.UTC().Truncate(time.Second)
	p := plan{targets: d.Targets, notes: s.found.notes}
	var newest *found
	if len(s.found.all) > 0 {
		newest = s.found.all[0]
	}
	if at, revoked := s.revokedByHand(newest); revoked && !s.force {
		p.byHand, p.targets = true, nil
		p.notes = append(p.notes, fmt.Sprintf("the service was revoked by hand, at %s; it stays revoked, and the revocation is renewed. To delegate again: %s",
			words.Stamp(at), s.again))
	}
	issued, notes, err := signing.Moment(leaf, now, s.earlier(), s.force)
	if delegation.ReasonOf(err) == reasons.Superseded && newest.isGood(p.targets, now) {
		// Another machine has the newer certificate, and signs.
		p.standby = true
		p.keep(newest)
		p.notes = append(p.notes, s.unpublished(newest)...)
		for _, e := range d.Formats {
			if newest.raw[e] == nil {
				p.notes = append(p.notes, fmt.Sprintf("the machine that signs does not sign the format %s", e))
			}
		}
		return p, nil
	}
	if err != nil {
		return plan{}, err
	}
	p.issued = issued
	p.expires, _ = signing.Expires(issued, lifeOf(d, p.targets), leaf)
	switch {
	case s.force:
		p.why = Forced
	case newest == nil && s.found.unusable:
		p.why = Unusable
	case newest == nil:
		p.why = Missing
	default:
		p.why = newest.lacks(d, p.targets, s.chain, p.expires, now)
		if p.why == "" && s.replaced(newest, p.targets) {
			p.why = Replaced
		}
	}
	if p.why == "" {
		p.keep(newest)
		if newest.expiring(now) {
			p.notes = append(p.notes, fmt.Sprintf("the statement ends with its certificate, at %s; renew the certificate", words.Stamp(p.expires)))
		}
		p.notes = append(p.notes, s.unpublished(newest)...)
		return p, nil
	}
	p.notes = append(p.notes, notes...)
	if lifeOf(d, p.targets) > limits.DefaultMaxLife {
		p.notes = append(p.notes, "verifiers accept statements that live 31 days at most, unless their operator says otherwise")
	}
	return p, nil
}

// keep takes what is there.
func (p *plan) keep(f *found) {
	p.raw, p.id = f.raw, f.statement.ID
	p.issued, p.expires = f.statement.Issued.UTC(), f.statement.Expires.UTC()
}

// earlier is what a new statement must be above: what is published, and what was
// signed here.
func (s situation) earlier() []signing.Earlier {
	list := s.record.Earlier()
	for _, f := range s.found.all {
		list = append(list, f.earlier)
	}
	if s.found.ahead != nil {
		list = append(list, *s.found.ahead)
	}
	return list
}

// replaced reports whether what is there ranks below the last statement that was
// signed here, to the same targets. Anybody who writes to the place can put an old
// one back, and those who have seen the new one refuse it. With other targets
// the last one is somebody's draft.
func (s situation) replaced(newest *found, targets []delegation.Target) bool {
	return s.record != nil && s.record.Newest.Order.Compare(newest.earlier.Order) > 0 && s.record.Newest.Targets == delegation.DigestTargets(targets)
}

// unpublished warns of a statement that was signed here and is not published.
func (s situation) unpublished(newest *found) []string {
	if s.record == nil || s.record.Newest.Order.Compare(newest.earlier.Order) <= 0 {
		return nil
	}
	return []string{fmt.Sprintf("a newer statement was signed here at %s and is not published; anybody who has it can show it. Publish it, or sign above it with --force",
		words.Stamp(s.record.Newest.Order.Issued))}
}

// revokedByHand reports whether the newest known statement is a revocation that
// this configuration did not ask for, and when it was issued. The statement may
// be published or signed here. One that renew itself signed, when the
// configuration said so, is undone by changing the configuration.
//
// A published revocation that is older than what was signed here says nothing:
// anybody can show it again. For the same reason a revocation that renew kept up
// does not end when it is taken away.
func (s situation) revokedByHand(newest *found) (at time.Time, revoked bool) {
	if len(s.delegation.Targets) == 0 {
		return at, false
	}
	here := s.record
	if newest != nil && (here == nil || newest.earlier.Order.Compare(here.Newest.Order) > 0) {
		return newest.statement.Issued, newest.statement.Revoked()
	}
	if here == nil {
		return at, false
	}
	return here.Newest.Order.Issued, here.Newest.Kept
}

// An inventory is what the places have about a delegation.
type inventory struct {
	all      []*found         // what counts, the newest first
	ahead    *signing.Earlier // the highest that will count only later, if this machine's clock is right
	unusable bool             // there is something else that claims to be a statement
	notes    []string         // about what nobody keeps
}

// A found is one statement as it lies there, in one encoding or several.
type found struct {
	statement delegation.Statement
	earlier   signing.Earlier
	raw       map[delegation.Encoding][]byte
	carried   [][]*x509.Certificate // the chain in each encoding
}

func collect(d *Delegation, owner publish.Owner, views []publish.View) inventory {
	all := inventory{notes: unlisted(d, views)}
	seen := map[string]bool{} // the octets that were judged
	for _, view := range views {
		for _, f := range view.Found {
			in := f.Statement
			if in == nil {
				all.unusable = true
				continue
			}
			if seen[string(in.Raw)] {
				continue
			}
			seen[string(in.Raw)] = true
			switch owner.Rank(in, d.Source, d.Service) {
			case publish.Counts:
				all.add(in)
			case publish.Ahead:
				if e := signing.EarlierOf(in, "published"); all.ahead == nil || all.ahead.Order.Compare(e.Order) < 0 {
					all.ahead = &e
				}
				all.unusable = true
			case publish.Others:
				all.unusable = true
				if s := in.Statement; !owner.Protects(in) {
					all.notes = append(all.notes, fmt.Sprintf("%s holds a valid statement of %s for %s, which nothing here lists or has signed; it is replaced. If it is yours, give it a place of its own",
						f.Where, s.Source, s.Service))
				}
			default:
				all.unusable = true
			}
		}
	}
	slices.SortStableFunc(all.all, func(a, b *found) int {
		return cmp.Or(b.earlier.Order.Compare(a.earlier.Order), cmp.Compare(len(b.raw), len(a.raw)))
	})
	return all
}

// add puts the encodings of one statement together.
func (all *inventory) add(in *delegation.Inspection) {
	at := slices.IndexFunc(all.all, func(s *found) bool {
		return s.statement.ID == in.Statement.ID && s.earlier.Order == in.Order() && s.raw[in.Encoding] == nil &&
			delegation.DigestTargets(s.statement.Targets) == delegation.DigestTargets(in.Statement.Targets)
	})
	if at < 0 {
		at = len(all.all)
		all.all = append(all.all, &found{statement: in.Statement, earlier: signing.EarlierOf(in, "published"), raw: map[delegation.Encoding][]byte{}})
	}
	s := all.all[at]
	s.raw[in.Encoding] = in.Raw
	s.carried = append(s.carried, in.Certificates)
}

// isGood reports whether a statement delegates to these targets and has enough
// of its life left.
func (s *found) isGood(targets []delegation.Target, now time.Time) bool {
	return s != nil && delegation.DigestTargets(s.statement.Targets) == delegation.DigestTargets(targets) && !s.expiring(now)
}

// lacks says why a statement cannot stay, "" if it can. renewed is when the one
// that would replace it ends.
func (s *found) lacks(d *Delegation, targets []delegation.Target, chain []*x509.Certificate, renewed, now time.Time) Why {
	switch {
	case delegation.DigestTargets(s.statement.Targets) != delegation.DigestTargets(targets):
		return TargetsChanged
	case slices.ContainsFunc(s.carried, func(c []*x509.Certificate) bool { return !sameChain(c, chain) }):
		return CertificateChanged
	case slices.ContainsFunc(d.Formats, func(e delegation.Encoding) bool { return s.raw[e] == nil }):
		return FormatsChanged
	case s.statement.Expires.Sub(s.statement.Issued) > lifeOf(d, targets):
		return LifeChanged
	case s.expiring(now) && renewed.After(s.statement.Expires):
		return Expiring
	}
	return ""
}

// expiring: less than a third of its life is left.
func (s *found) expiring(now time.Time) bool {
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
func lifeOf(d *Delegation, targets []delegation.Target) time.Duration {
	switch {
	case len(targets) == 0 && len(d.Targets) > 0:
		return limits.DefaultMaxLife // a revocation made by hand
	case d.Valid > 0:
		return d.Valid.Truncate(time.Second)
	case len(targets) == 0:
		return limits.DefaultMaxLife
	}
	return limits.DefaultLife
}

// unlisted reports statements in a format that the configuration does not list.
// Nobody renews them, and verifiers that read only that format believe them.
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
