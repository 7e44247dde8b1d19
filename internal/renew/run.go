package renew

import (
	"context"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/publish"
	"github.com/dnasign/dnasign/keys"
)

// workers is how many delegations are worked on at a time. Most of them wait
// for a server; what one server gets is bounded by updatesPerServer, and a
// resolver by this.
const workers = 32

// A Runner keeps the delegations of a configuration. Roots and Client are
// required; the rest may be zero.
type Runner struct {
	Config *Config
	// Client is how a stranger looks; its Via is not used.
	Client discovery.Client
	// Roots are the trust anchors that a stranger has.
	Roots  *x509.CertPool
	DryRun bool // sign and throw away, write nothing
	Force  bool // sign everything
	// Wait is how long, after everything is published, servers that lag are
	// waited for, all together.
	Wait time.Duration
	Now  func() time.Time // nil: time.Now
	// Progress, if not nil, is told the number of steps and returns what is
	// called for each of them.
	Progress func(total int) (step func())
	Logger   *slog.Logger // nil discards; it never sees a secret
}

// work is one delegation on its way.
type work struct {
	*Delegation
	entry Entry

	// The statement that is to be seen by everybody, by format; nil if nothing
	// could be signed.
	raw             map[delegation.Encoding][]byte
	id              delegation.ID
	issued, expires time.Time
}

// Run does all that is to be done, and goes on past what fails. When ctx ends,
// what has not begun fails.
func (r *Runner) Run(ctx context.Context) *Report {
	all := make([]*work, len(r.Config.Delegations))
	for i := range all {
		d := &r.Config.Delegations[i]
		all[i] = &work{Delegation: d, entry: Entry{
			Source: d.Source, Service: d.Service, Formats: d.Formats, Published: []Publication{}, Verified: []Verdict{},
		}}
	}
	step := func() {}
	if r.Progress != nil {
		step = r.Progress(2 * len(all))
	}
	p := newPlaces(r)
	s := newSigners(r.Config.Delegations)
	each(all, func(w *work) {
		r.renew(ctx, w, p, s)
		step()
	})
	// All are published before the first is waited for: servers that lag have
	// had most of the time that they need.
	until := time.Now().Add(r.Wait)
	each(all, func(w *work) {
		if !r.DryRun {
			r.check(ctx, w, p, max(0, time.Until(until)))
			w.entry.Verified = r.verify(ctx, w)
		}
		step()
	})
	report := &Report{Version: ReportVersion, Config: r.Config.File, DryRun: r.DryRun, Delegations: []Entry{}}
	for _, w := range all {
		report.Delegations = append(report.Delegations, w.entry)
	}
	report.conclude()
	report.Warnings = p.warnings()
	return report
}

// each calls f for all, some at a time, and returns when it has ended for all.
func each(all []*work, f func(*work)) {
	turn := make(chan struct{}, workers)
	var running sync.WaitGroup
	for _, w := range all {
		turn <- struct{}{}
		running.Go(func() {
			defer func() { <-turn }()
			f(w)
		})
	}
	running.Wait()
}

// renew brings one delegation to its places.
func (r *Runner) renew(ctx context.Context, w *work, p *places, s *signers) {
	signer, warnings, err := s.take(w.Delegation)
	found, looked := r.look(ctx, w, p)
	all := collect(w.Delegation, slices.Concat(found...), r.now())
	if len(all.signings) > 0 {
		end := all.signings[0].statement.Expires.UTC()
		w.entry.Expires = &end
	}
	if err == nil {
		err = looked
	}
	var plan plan
	if err == nil {
		plan, err = decide(w.Delegation, signer.Chain(), all, r.now(), r.Force)
	}
	if err == nil {
		w.entry.Notes = append(w.entry.Notes, plan.notes...)
		if w.entry.Why = plan.why; plan.why != "" {
			w.entry.Notes = append(w.entry.Notes, warnings...)
		}
		err = w.settle(plan, signer)
	}
	if err != nil {
		w.entry.Action, w.entry.Problem = Failed, trouble(err)
		return
	}
	if r.DryRun {
		w.entry.Action = WouldKeep
		if plan.why != "" {
			w.entry.Action = WouldSign
		}
		return
	}
	r.publish(ctx, w, p, found)
}

// look finds out what is at each place. A place that cannot be looked at has no
// views; the error is there if that is so for all of them.
func (r *Runner) look(ctx context.Context, w *work, p *places) (found [][]publish.View, err error) {
	found = make([][]publish.View, len(w.Publish))
	known := false
	for i, c := range w.Publish {
		place, e := p.place(c, w.Delegation, 0)
		if e == nil {
			found[i], e = place.Current(ctx)
		}
		for _, view := range found[i] {
			known = known || view.Err == nil
			e = errors.Join(e, view.Err)
		}
		if err == nil {
			err = e
		}
	}
	if known {
		return found, nil
	}
	return found, err
}

// settle signs what the plan says, or takes what it keeps.
func (w *work) settle(plan plan, signer *keys.Signer) (err error) {
	w.raw, w.id, w.issued, w.expires = plan.kept, plan.id, plan.issued, plan.expires
	if plan.why != "" {
		if w.raw, w.id, err = sign(w.Delegation, plan, signer); err != nil {
			return err
		}
	}
	w.entry.ID = base64.RawURLEncoding.EncodeToString(w.id[:])
	return nil
}

// sign signs one statement in every format.
func sign(d *Delegation, plan plan, signer *keys.Signer) (raw map[delegation.Encoding][]byte, id delegation.ID, err error) {
	for !id.Valid() {
		if _, err := rand.Read(id[:]); err != nil {
			return nil, id, err
		}
		id[0] &= 0x7f
	}
	raw = map[delegation.Encoding][]byte{}
	for _, e := range d.Formats {
		raw[e], err = delegation.Sign(delegation.Statement{
			Source: d.Source, Service: d.Service, Targets: d.Targets, Issued: plan.issued, Expires: plan.expires, ID: id,
		}, e, signer)
		if err != nil {
			return nil, id, err
		}
	}
	return raw, id, nil
}

// publish puts the statement where it is not yet.
func (r *Runner) publish(ctx context.Context, w *work, p *places, found [][]publish.View) {
	changed, taken := false, false
	for i, c := range w.Publish {
		for _, e := range w.Formats {
			one := Publication{Place: c.String(), Format: e, way: c.way()}
			if !shown(found[i], e, w.raw[e]) {
				r.publishAt(ctx, w, p, c, &one)
			}
			changed, taken = changed || one.Changed, taken || one.Problem == nil
			w.entry.Published = append(w.entry.Published, one)
		}
	}
	switch {
	case !taken:
		w.entry.Action = Failed
		return
	case w.entry.Why != "":
		w.entry.Action = Signed
	case changed:
		w.entry.Action = Published
	default:
		w.entry.Action = Kept
	}
	w.entry.Expires = &w.expires
}

func (r *Runner) publishAt(ctx context.Context, w *work, p *places, c PlaceConfig, one *Publication) {
	place, err := p.place(c, w.Delegation, 0)
	if err != nil {
		one.Problem = trouble(err)
		return
	}
	one.Place = place.String()
	defer p.enter(c)()
	change, err := place.Publish(ctx, w.raw[one.Format])
	one.Where, one.Changed, one.Replaced, one.Problem = change.Where, change.Changed, change.Replaced, trouble(err)
	one.check = err == nil
}

// check sees that everybody who serves a place shows what was published there.
func (r *Runner) check(ctx context.Context, w *work, p *places, wait time.Duration) {
	for i := range w.entry.Published {
		one := &w.entry.Published[i]
		if !one.check {
			continue
		}
		place, err := p.place(w.Publish[i/len(w.Formats)], w.Delegation, wait)
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
