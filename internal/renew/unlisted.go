package renew

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/signing"
	words "github.com/dnasign/dnasign/internal/text"
)

// An Unlisted is a statement that was signed for this configuration and is
// still published. Its service is no longer in the configuration. Nobody renews
// it, and until it expires everybody believes it.
type Unlisted struct {
	Source  string    `json:"source"`
	Service string    `json:"service"`
	Expires time.Time `json:"expires"`
	// Places are where it is still. Empty: nobody knows.
	Places  []string `json:"places"`
	Revoked bool     `json:"revoked,omitempty"` // it is a revocation, which stays
	Removed bool     `json:"removed"`           // from all places, by this run
	Problem *Trouble `json:"problem,omitempty"` // why it was not removed
}

// unlisted looks for statements of services that were taken out of the
// configuration, and removes them if that was asked for. Of those that were
// signed elsewhere meanwhile, somebody else takes care.
func (r *Runner) unlisted(ctx context.Context, p *places) (list []Unlisted) {
	if r.State == nil {
		return nil
	}
	r.remembering.Lock()
	records := slices.DeleteFunc(r.State.All(), func(record *signing.Record) bool { return !r.wasListed(record) })
	r.remembering.Unlock()
	found := make([]*Unlisted, len(records))
	some(len(records), func(i int) { found[i] = r.lookUnlisted(ctx, p, records[i]) })
	for _, u := range found {
		if u != nil {
			list = append(list, *u)
		}
	}
	return list
}

// wasListed reports whether this configuration listed a service that it lists no
// more. If a run is about some domains only, so is this.
func (r *Runner) wasListed(record *signing.Record) bool {
	newest := record.Newest
	switch {
	case newest.Config != r.configPath() || !newest.Expires.After(r.now()):
		return false
	case r.Config.lists(record.Source, record.Service):
		return false
	}
	return !r.Config.part || r.Config.Has(record.Source)
}

// configPath is how the configuration is called in the memory.
func (r *Runner) configPath() string {
	file, err := filepath.Abs(r.Config.File)
	if err != nil {
		return r.Config.File
	}
	return file
}

// lookUnlisted returns nil if the statement is nowhere any more.
func (r *Runner) lookUnlisted(ctx context.Context, p *places, record *signing.Record) *Unlisted {
	u := &Unlisted{
		Source: record.Source, Service: record.Service, Expires: record.Newest.Expires,
		Revoked: record.Newest.Targets == delegation.DigestTargets(nil),
	}
	d := &Delegation{Source: record.Source, Service: record.Service, Publish: r.Config.places(record.Source)}
	unknown := len(d.Publish) == 0
	for _, c := range d.Publish {
		place, err := p.place(c, d, 0)
		if err != nil {
			unknown = true
			continue
		}
		views, err := place.Current(ctx)
		unknown = unknown || err != nil
		there := false
		for _, view := range views {
			unknown = unknown || view.Err != nil
			for _, f := range view.Found {
				if f.Statement == nil || !record.Is(f.Statement) {
					continue
				}
				there = true
				where := f.Where
				if c.DNS != nil {
					where = "TXT " + strings.TrimSuffix(where, ".")
				}
				if !slices.Contains(u.Places, where) {
					u.Places = append(u.Places, where)
				}
			}
		}
		if !there {
			continue
		}
		if r.Prune && !r.DryRun && !u.Revoked {
			leave := p.enter(c)
			_, err := place.Remove(ctx, record.Is)
			leave()
			if err != nil && u.Problem == nil {
				u.Problem = trouble(err)
			}
			u.Removed = u.Problem == nil
		}
	}
	if len(u.Places) == 0 && !unknown {
		return nil
	}
	return u
}

func (u *Unlisted) text(b *strings.Builder, config string) {
	what, until := u.Service+" of "+u.Source, words.Stamp(u.Expires)
	places := strings.Join(u.Places, " and ")
	switch {
	case u.Removed:
		fmt.Fprintf(b, "%-10s  %s, from %s; verifiers that have seen it accept it until %s\n", "removed", what, places, until)
		return
	case len(u.Places) == 0:
		fmt.Fprintf(b, "warning: %s is no longer in %s, and it cannot be seen whether its statement is still published; if it is, it stays valid until %s\n", what, config, until)
		return
	case u.Revoked:
		fmt.Fprintf(b, "warning: %s is no longer in %s, and its revocation at %s ends at %s; nobody renews it\n", what, config, places, until)
		return
	}
	fmt.Fprintf(b, "warning: %s is no longer in %s, and its statement is still published at %s, valid until %s\n", what, config, places, until)
	if u.Problem != nil {
		u.Problem.text(b)
		return
	}
	fmt.Fprintf(b, "    hint: to remove it: dnasign renew --config %s --prune; verifiers that have seen it accept it until it expires, unless you publish a revocation in its place: dnasign revoke --help\n", words.Word(config))
}
