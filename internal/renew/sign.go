package renew

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/publish"
	"github.com/dnasign/dnasign/internal/signing"
	words "github.com/dnasign/dnasign/internal/text"
)

// sign finds out what is at the places of a delegation, and signs if that is
// needed. Nothing is written.
func (r *Runner) sign(ctx context.Context, w *work, p *places) error {
	known, err := r.look(ctx, w, p)
	if err != nil {
		return err
	}
	plan, err := situation{
		delegation: w.Delegation, chain: w.signer.Chain(), found: known, record: r.record(w.Source, w.Service), now: r.now(), force: r.Force,
		again: fmt.Sprintf("dnasign renew --config %s --domain %s --force", words.Word(r.Config.File), w.Source),
	}.decide()
	if err != nil {
		return err
	}
	w.plan = plan
	w.entry.Why, w.entry.Notes = w.why, w.notes
	if w.why != "" {
		s := delegation.Statement{Source: w.Source, Service: w.Service, Targets: w.targets, Issued: w.issued, Expires: w.expires}
		if w.raw, err = signing.Sign(&s, w.Formats, w.signer); err != nil {
			return err
		}
		if err := r.checkTrust(w, known); err != nil {
			return err
		}
		w.id = s.ID
		for _, views := range w.found {
			w.entry.Notes = append(w.entry.Notes, tooLarge(views, w.raw)...)
		}
	}
	w.entry.ID = signing.IDText(w.id)
	return nil
}

// checkTrust holds what was signed to what is published, before it is remembered: it
// must not be trusted less.
func (r *Runner) checkTrust(w *work, known inventory) error {
	in, err := delegation.Inspect(w.raw[w.Formats[0]])
	if err != nil || r.owner().CheckTrusted(in) == nil {
		return err
	}
	for _, f := range known.all {
		for _, raw := range f.raw {
			old, err := delegation.Inspect(raw)
			if err == nil {
				err = r.owner().CheckReplaces("a place", old, in)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// conclude notes how signing ended, before anything is published.
func (w *work) conclude(err error, warnings []string) {
	switch {
	case err != nil:
		w.raw = nil
		w.entry.Action, w.entry.Problem = Failed, trouble(err)
	case w.entry.Why != "":
		w.entry.Action = WouldSign
		w.entry.Notes = append(w.entry.Notes, warnings...)
	default:
		w.entry.Action = WouldKeep
	}
}

// look finds out what is at each place. The error is there if no place could be
// looked at.
func (r *Runner) look(ctx context.Context, w *work, p *places) (known inventory, err error) {
	w.found = make([][]publish.View, len(w.Publish))
	reached := false
	for i, c := range w.Publish {
		place, e := p.place(c, w.Delegation, 0)
		if e == nil {
			w.found[i], e = place.Current(ctx)
		}
		for _, view := range w.found[i] {
			reached = reached || view.Err == nil
			e = errors.Join(e, view.Err)
		}
		if err == nil {
			err = e
		}
	}
	owner := r.owner()
	if w.signer != nil {
		owner.Leaf = w.signer.Leaf()
	}
	known = collect(w.Delegation, owner, slices.Concat(w.found...))
	if len(known.all) > 0 {
		end := known.all[0].statement.Expires.UTC()
		w.entry.Expires = &end
	}
	if reached {
		err = nil
	}
	return known, err
}

// remember notes what was signed, before anybody can see it. What could not be
// noted is not published.
func (r *Runner) remember(ctx context.Context, all ...*work) {
	if r.State == nil || r.DryRun {
		return
	}
	r.remembering.Lock()
	defer r.remembering.Unlock()
	var signed []*work
	for _, w := range all {
		if w.entry.Why == "" || w.raw == nil {
			continue
		}
		in, err := delegation.Inspect(w.raw[w.Formats[0]])
		if err != nil {
			w.conclude(err, nil)
			continue
		}
		r.State.Add(in, w.byHand).Newest.Config = r.configPath()
		signed = append(signed, w)
	}
	if len(signed) == 0 {
		return
	}
	if err := r.State.Save(ctx); err != nil {
		for _, w := range signed {
			w.conclude(fmt.Errorf("what was signed cannot be remembered, so it is not published: %w", err), nil)
		}
	}
}

// tooLarge says which records are larger than the provider of the zone takes, as
// far as its name servers show who that is.
func tooLarge(views []publish.View, raw map[delegation.Encoding][]byte) (notes []string) {
	var names []string
	for _, v := range views {
		names = append(names, v.Where)
	}
	provider := publish.ProviderOf(names...)
	for _, e := range delegation.Encodings() {
		if raw[e] == nil {
			continue
		}
		if too := provider.Exceeded(e.TXTRecord(raw[e])); too != "" {
			notes = append(notes, fmt.Sprintf("%s (format %s): %s", too, e, publish.Advice(e)))
		}
	}
	return notes
}
