package renew

import (
	"context"
	"crypto/x509"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/publish"
	"github.com/dnasign/dnasign/internal/signing"
	"github.com/dnasign/dnasign/keys"
)

// workers is how many delegations are worked on at a time, and as many that are in
// order are looked at. Most of them wait for a server; what one server gets is
// bounded by updatesPerServer, and a resolver by twice this.
const workers = 32

// folderTime bounds how long, after everything else, folders are waited for that
// other processes have locked, all together. Then it is done without their locks.
const folderTime = 10 * time.Second

// maxTries is how often a delegation is planned again because somebody else
// published a newer statement meanwhile.
const maxTries = 3

// A Runner keeps the delegations of a configuration. Roots and Client are
// required; the rest may be zero.
type Runner struct {
	Config *Config
	// Client is how a stranger looks; its Via is not used.
	Client discovery.Client
	// Roots are the trust anchors that the owner believes, and strangers too.
	Roots *x509.CertPool
	// State remembers what was signed. Nil remembers nothing.
	State  *signing.State
	DryRun bool // sign and throw away, write nothing
	Force  bool // sign everything, and replace whatever is published
	// Keys reads certificates and keys. Its Roots are not used.
	Keys  keys.Loader
	Prune bool // remove what is published of services that are no longer configured
	// Release, if not nil, is called once, when the run only has to wait for
	// folders that others have locked, and to look. Another run may begin then.
	Release func()
	// Wait is how long, after everything is published, servers that lag are
	// waited for, all together.
	Wait time.Duration
	Now  func() time.Time // nil: time.Now
	// Progress, if not nil, is told the number of steps and returns what is
	// called for each of them.
	Progress func(total int) (step func())
	Logger   *slog.Logger // nil discards; it never sees a secret

	remembering sync.Mutex        // guards State
	proven      *delegation.Cache // by this run
}

// work is one delegation on its way.
type work struct {
	*Delegation
	signer *keys.Signer
	entry  Entry
	found  [][]publish.View // at each place
	plan
	inOrder bool // nothing is to be signed or published
}

// Run does all that is to be done, and goes on past what fails. When ctx ends,
// what has not begun fails.
//
// Everything is signed before anything is published: what was signed is
// remembered first, once for all.
func (r *Runner) Run(ctx context.Context) *Report {
	r.proven = delegation.NewCache(r.Roots)
	all := make([]*work, len(r.Config.Delegations))
	for i := range all {
		d := &r.Config.Delegations[i]
		all[i] = &work{Delegation: d, entry: Entry{
			Source: d.Source, Service: d.Service, Formats: d.Formats, Published: []Publication{}, Verified: []Verdict{},
		}}
	}
	step := func() {}
	if r.Progress != nil {
		step = r.Progress(3 * len(all))
	}
	p := newPlaces(r)
	s := newSigners(r.loader(), r.Config.Delegations)
	// What is in order is looked at soon, while r.proven still knows what was judged:
	// it does not hold thousands. Nothing that is to be published waits for that.
	inOrder := make(chan *work, len(all))
	var looking sync.WaitGroup
	for range min(workers, len(all)) {
		looking.Go(func() {
			for w := range inOrder {
				r.publish(ctx, w, p) // nothing: it is there
				r.judge(ctx, w, p, 0)
				step()
				step()
			}
		})
	}
	each(all, func(w *work) {
		var err error
		var warnings []string
		if w.signer, warnings, err = s.take(w.Delegation); err == nil {
			err = r.sign(ctx, w, p)
		} else {
			r.look(ctx, w, p)
		}
		w.conclude(err, warnings)
		step()
		if w.inOrder = !r.DryRun && w.allShown(); w.inOrder {
			inOrder <- w
		}
	})
	close(inOrder)
	rest := slices.DeleteFunc(slices.Clone(all), func(w *work) bool { return w.inOrder })
	r.remember(ctx, rest...)
	each(rest, func(w *work) {
		if !r.DryRun && w.raw != nil {
			r.publish(ctx, w, p)
		}
		step()
	})
	unlisted := r.unlisted(ctx, p)
	if r.Release != nil {
		r.Release()
	}
	r.publishLate(ctx, rest, p)
	// All are published before the first is waited for: servers that lag have
	// had most of the time that they need.
	until := time.Now().Add(r.Wait)
	each(rest, func(w *work) {
		if !r.DryRun {
			r.judge(ctx, w, p, max(0, time.Until(until)))
		}
		step()
	})
	looking.Wait()
	report := &Report{Version: ReportVersion, Config: r.Config.File, DryRun: r.DryRun, Delegations: []Entry{}, Unlisted: unlisted}
	for _, w := range all {
		report.Delegations = append(report.Delegations, w.entry)
	}
	report.conclude()
	report.Warnings = p.warnings()
	return report
}

// allShown reports whether a statement stays, and every place shows it in all its
// formats.
func (w *work) allShown() bool {
	if w.raw == nil || w.entry.Why != "" {
		return false
	}
	for _, views := range w.found {
		for _, e := range w.Formats {
			if raw := w.raw[e]; raw != nil && !shown(views, e, raw) {
				return false
			}
		}
	}
	return true
}

// judge looks at what came of a delegation, as others do.
func (r *Runner) judge(ctx context.Context, w *work, p *places, wait time.Duration) {
	r.check(ctx, w, p, wait)
	r.posh(ctx, w)
	w.entry.Verified = r.verify(ctx, w)
}

// each calls f for all, some at a time, and returns when it has ended for all.
func each(all []*work, f func(*work)) { some(len(all), func(i int) { f(all[i]) }) }

// some calls f with 0 to n-1, some at a time.
func some(n int, f func(int)) {
	var next atomic.Int64
	var running sync.WaitGroup
	for range min(workers, n) {
		running.Go(func() {
			for i := next.Add(1) - 1; i < int64(n); i = next.Add(1) - 1 {
				f(int(i))
			}
		})
	}
	running.Wait()
}

func (r *Runner) loader() keys.Loader {
	l := r.Keys
	l.Roots = r.Roots
	return l
}

func (r *Runner) owner() publish.Owner {
	return publish.Owner{Roots: r.Roots, Cache: r.proven, Ours: r.ours, Force: r.Force, Now: r.Now}
}

// ours are the statements that the configuration lists, or that were signed here.
func (r *Runner) ours(source, service string) bool {
	return r.Config.lists(source, service) || r.record(source, service) != nil
}

// record is what was signed here before.
func (r *Runner) record(source, service string) *signing.Record {
	r.remembering.Lock()
	defer r.remembering.Unlock()
	if r.State == nil {
		return nil
	}
	return r.State.Of(source, service)
}

// publish puts the statement where it is not yet. If somebody else published a
// newer one meanwhile, everything is planned again.
func (r *Runner) publish(ctx context.Context, w *work, p *places) {
	for try := 1; ; try++ {
		if !r.publishOnce(ctx, w, p) || try == maxTries {
			return
		}
		if err := r.sign(ctx, w, p); err != nil {
			w.conclude(err, nil)
			return
		}
		if r.remember(ctx, w); w.raw == nil {
			return
		}
	}
}

// publishOnce reports whether somebody else was faster.
func (r *Runner) publishOnce(ctx context.Context, w *work, p *places) (raced bool) {
	w.entry.Published = []Publication{}
	for i, c := range w.Publish {
		for _, e := range w.Formats {
			raw := w.raw[e]
			if raw == nil {
				continue // of a statement that another machine signs
			}
			one := Publication{Place: c.String(), Format: e, at: i}
			if !shown(w.found[i], e, raw) {
				err := r.publishAt(ctx, w, p, c, &one)
				reason := delegation.ReasonOf(err)
				raced = raced || reason == reasons.Superseded || reason == reasons.Conflict
			}
			w.entry.Published = append(w.entry.Published, one)
		}
	}
	w.published()
	return raced
}

// published notes how publishing ended, at all places.
func (w *work) published() {
	changed, taken := false, false
	for _, one := range w.entry.Published {
		changed, taken = changed || one.Changed, taken || one.Problem == nil && !one.busy
	}
	switch {
	case w.standby && len(w.entry.Published) == 0: // the other machine has other formats
		w.entry.Action = Standby
	case !taken:
		w.entry.Action = Failed
		return
	case w.entry.Why != "":
		w.entry.Action = Signed
	case changed:
		w.entry.Action = Published
	case w.standby:
		w.entry.Action = Standby
	default:
		w.entry.Action = Kept
	}
	w.entry.Expires = &w.expires
}

// publishLate publishes in folders that others had locked, and waits for them,
// all together. Nobody must be kept waiting for that.
func (r *Runner) publishLate(ctx context.Context, all []*work, p *places) {
	busy := slices.DeleteFunc(slices.Clone(all), func(w *work) bool {
		return !slices.ContainsFunc(w.entry.Published, func(one Publication) bool { return one.busy })
	})
	p.until = time.Now().Add(folderTime)
	each(busy, func(w *work) {
		for i := range w.entry.Published {
			if one := &w.entry.Published[i]; one.busy {
				_ = r.publishAt(ctx, w, p, w.Publish[one.at], one) // which notes it
			}
		}
		w.published()
	})
}

func (r *Runner) publishAt(ctx context.Context, w *work, p *places, c PlaceConfig, one *Publication) error {
	place, err := p.place(c, w.Delegation, 0)
	if err != nil {
		one.Problem = trouble(err)
		return err
	}
	one.Place = place.String()
	defer p.enter(c)()
	change, err := place.Publish(ctx, w.raw[one.Format])
	if one.busy = errors.Is(err, publish.ErrBusy); one.busy {
		return nil
	}
	one.Where, one.Name, one.Changed, one.Replaced, one.Problem = change.Where, change.Name, change.Changed, change.Replaced, trouble(err)
	if c.DNS != nil && c.DNS.Command != nil {
		hintAtCommand(one.Problem)
	} else {
		r.hintAtKey(one.Problem, w.Delegation)
	}
	one.check = err == nil
	return err
}

// check sees that everybody who serves a place shows what was published there.
func (r *Runner) check(ctx context.Context, w *work, p *places, wait time.Duration) {
	for i := range w.entry.Published {
		one := &w.entry.Published[i]
		if !one.check {
			continue
		}
		place, err := p.place(w.Publish[one.at], w.Delegation, wait)
		if err == nil {
			err = place.Check(ctx, w.raw[one.Format])
		}
		one.Problem = trouble(err)
	}
}

// shown reports whether all who serve a place show the statement.
func shown(views []publish.View, e delegation.Encoding, raw []byte) bool {
	return len(views) > 0 && !slices.ContainsFunc(views, func(v publish.View) bool { return !shows(v, e, raw) })
}

func (r *Runner) now() time.Time {
	if r.Now != nil {
		return r.Now()
	}
	return time.Now()
}
