package news

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/text"
	"github.com/dnasign/dnasign/internal/watch"
)

const (
	// remindAfter is when a finding that stays is told again.
	remindAfter = 7 * 24 * time.Hour
	// forgetAfter is when a domain that is no longer watched is forgotten. Several
	// lists may have one state.
	forgetAfter = 90 * 24 * time.Hour
)

// A Kind says why something is news.
type Kind string

// The kinds of news.
const (
	Begins  Kind = "begins"  // the domain was not watched before
	New     Kind = "new"     // a finding that was not there before
	Still   Kind = "still"   // a finding that was told a week ago, and is still there
	Over    Kind = "over"    // a finding that was told, and is there no more
	Changed Kind = "changed" // another statement is accepted than before
)

// An Item is one piece of news.
type Item struct {
	Kind    Kind   `json:"kind"`
	Source  string `json:"source"`
	Service string `json:"service"`
	// Finding is what was found, or was told when it was found.
	Finding *watch.Finding `json:"finding,omitempty"`
	// Detail is one sentence for a person, where there is no finding.
	Detail string `json:"detail,omitempty"`
}

// A State is what is known of each domain since the last look.
type State struct {
	Domains map[string]*Domain // by source and service, with a space between
}

// A Domain is what was found and told about one.
type Domain struct {
	Seen     time.Time       `json:"seen"`
	Accepted *watch.Accepted `json:"accepted,omitempty"` // the last one
	Findings []Noted         `json:"findings"`
}

// Noted is a finding that was there at the last look.
type Noted struct {
	Finding watch.Finding `json:"finding"`
	Told    time.Time     `json:"told,omitzero"` // zero: not yet
}

// Compare says what is new in reports, and what is known from then on. Neither
// argument is changed.
//
// Some findings come and go by themselves: a lookup that failed, and what differs
// while a change spreads. They are told when two looks in a row found them.
func Compare(old State, reports []watch.Report, now time.Time) ([]Item, State) {
	next := State{Domains: map[string]*Domain{}}
	for key, d := range old.Domains {
		if now.Sub(d.Seen) < forgetAfter {
			next.Domains[key] = d
		}
	}
	var items []Item
	for _, r := range reports {
		key := r.Source + " " + r.Service
		found, d := compare(next.Domains[key], r, now)
		next.Domains[key] = d
		items = append(items, found...)
	}
	return items, next
}

func compare(old *Domain, r watch.Report, now time.Time) (items []Item, d *Domain) {
	tell := func(k Kind, f *watch.Finding, detail string) {
		items = append(items, Item{Kind: k, Source: r.Source, Service: r.Service, Finding: f, Detail: detail})
	}
	d = &Domain{Seen: now, Accepted: r.Accepted}
	if old == nil {
		tell(Begins, nil, begins(r))
		old = &Domain{}
	}
	if d.Accepted == nil {
		d.Accepted = old.Accepted
	}
	if detail := changed(old.Accepted, r.Accepted); detail != "" {
		tell(Changed, nil, detail)
	}
	before := map[string]Noted{}
	for _, k := range old.Findings {
		before[keyOf(k.Finding)] = k
	}
	for _, f := range r.Findings {
		k, was := before[keyOf(f)]
		delete(before, keyOf(f))
		switch {
		case k.Told.IsZero() && (was || !passing(f)):
			tell(New, &f, "")
			k.Told = now
		case !k.Told.IsZero() && now.Sub(k.Told) >= remindAfter:
			tell(Still, &f, "")
			k.Told = now
		}
		k.Finding = f
		d.Findings = append(d.Findings, k)
	}
	for _, key := range slices.Sorted(maps.Keys(before)) {
		if k := before[key]; !k.Told.IsZero() {
			tell(Over, &k.Finding, "")
		}
	}
	return items, d
}

// keyOf says which finding is the same as one of another look. Its detail may have
// a time in it.
func keyOf(f watch.Finding) string {
	key := fmt.Sprintf("%s %s %s", f.Severity, f.Name, f.Reason)
	if f.Name == watch.UnknownCertificate { // each is news
		key += " " + f.Detail
	}
	return key
}

// passing reports whether a finding may pass by itself.
func passing(f watch.Finding) bool {
	differs := []watch.Name{watch.ResolversDiffer, watch.ChannelsDiffer, watch.SRVDiffers, watch.ChannelFailed}
	return f.Severity == watch.SeverityUndetermined || slices.Contains(differs, f.Name)
}

// begins says what is accepted at the first look.
func begins(r watch.Report) string {
	if r.Accepted == nil {
		return "no statement is accepted"
	}
	return "the accepted statement is " + inWords(r.Accepted)
}

// changed says how the accepted statement differs from the last one. It says
// nothing of one that only renews it.
func changed(old, new *watch.Accepted) string {
	switch {
	case old == nil || new == nil:
		return ""
	case !slices.Equal(old.Targets, new.Targets):
		return fmt.Sprintf("other targets are accepted: %s; before, it was %s", inWords(new), inWords(old))
	case new.Issued.Before(old.Issued):
		return fmt.Sprintf("an older statement than before is accepted: %s; before, it was %s", inWords(new), inWords(old))
	case new.Certificate != old.Certificate && !new.Known:
		return fmt.Sprintf("another certificate has signed, with SHA-256 %s: %s; before, it was %s with SHA-256 %s", new.Certificate, inWords(new), inWords(old), old.Certificate)
	}
	return ""
}

func inWords(a *watch.Accepted) string {
	return fmt.Sprintf("one of %s, by a certificate of %s, to %s", text.Stamp(a.Issued), a.Signer, hosts(a.Targets))
}

func hosts(targets []delegation.Endpoint) string {
	var list []string
	for _, t := range targets {
		list = append(list, t.String())
	}
	return strings.Join(list, " ")
}
