package renew

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery"
	words "github.com/dnasign/dnasign/internal/text"
)

// The ways in which a stranger finds a statement.
const (
	viaDNS   = "dns"
	viaHTTPS = "https"
	viaFile  = "file"
)

// verify looks for the statement as a stranger would, in each way in which it
// is published. It judges each way alone: a broken web server must not hide
// behind a good zone. What is carried further by somebody is judged as it is in
// its file.
func (r *Runner) verify(ctx context.Context, w *work) []Verdict {
	verdicts := []Verdict{}
	ways := w.ways()
	dns, https := slices.Contains(ways, viaDNS), slices.Contains(ways, viaHTTPS)
	judge := func(way string, e *delegation.Evidence) Verdict { return w.judge(way, e, r.policy(w.Delegation)) }
	if w.signer != nil {
		switch n := r.keysOf(ctx, w.Delegation, w.signer.Leaf()); {
		case n.own:
			judge = func(way string, e *delegation.Evidence) Verdict {
				v := w.judge(way, n.validated(e), r.policy(w.Delegation))
				v.Note = n.note
				return v
			}
		case n.err != nil:
			w.note("%v", n.err)
		case n.note != "":
			w.note("%s", n.note)
		}
	}
	if !dns && !https {
		for _, e := range w.Formats {
			if raw := w.raw[e]; raw != nil {
				e := (delegation.Query{Source: w.Source, Service: w.Service}).FileEvidence("the statement", raw)
				verdicts = append(verdicts, judge(viaFile, e))
			}
		}
		return verdicts
	}
	client := r.Client
	switch {
	case dns && https:
		client.Via = discovery.ViaBoth
	case dns:
		client.Via = discovery.ViaDNS
	default:
		client.Via = discovery.ViaHTTPS
	}
	all, err := client.Gather(ctx, w.Source, w.Service, nil)
	if err != nil {
		return append(verdicts, Verdict{Via: ways[0], Outcome: reasons.OutcomeRefused, Problem: trouble(err)})
	}
	for _, way := range ways {
		if way == viaFile {
			continue
		}
		part := *all
		if way == viaDNS {
			part.Documents = nil
		} else {
			part.TXT = nil
		}
		verdicts = append(verdicts, judge(way, &part))
	}
	return verdicts
}

// policy is that of a stranger. Who signs for longer than most accept has been
// warned, and has verifiers that accept it.
func (r *Runner) policy(d *Delegation) delegation.Policy {
	return delegation.Policy{Roots: r.Roots, Time: r.now(), MaxLife: max(limits.DefaultMaxLife, d.Valid), Cache: r.proven}
}

// ways are those in which the delegation is published, each once.
func (d *Delegation) ways() (ways []string) {
	for _, p := range d.Publish {
		if way := p.way(); !slices.Contains(ways, way) {
			ways = append(ways, way)
		}
	}
	return ways
}

func (p PlaceConfig) way() string {
	switch {
	case p.DNS != nil:
		return viaDNS
	case p.Webroot != "":
		return viaHTTPS
	}
	return viaFile
}

// judge says what a stranger concludes from evidence. It is pure. If a resolver
// still has an old answer in its cache, the verdict is about what the
// authoritative servers were seen to show.
func (w *work) judge(via string, e *delegation.Evidence, p delegation.Policy) Verdict {
	verdict := Verdict{Via: via, Outcome: reasons.OutcomeVerified}
	ours := w.raw != nil && w.publishedBy(via)
	err := w.accept(e, p, ours)
	if fresh, left, old := w.fresh(e); err != nil && ours && old && via == viaDNS {
		if err = w.accept(fresh, p, ours); err == nil {
			verdict.Note = fmt.Sprintf("the resolver has an old answer in its cache still, for %d s at most; the authoritative servers have the new one", left)
		}
	}
	if err != nil {
		verdict.Problem = trouble(err)
		verdict.Outcome = verdict.Problem.Outcome
		if via == viaHTTPS && ours && verdict.Problem.Reason == reasons.NoStatement {
			verdict.Problem.Detail = served(err)
			verdict.Problem.Hint = "does the web server serve this web root, with the right media types? see \"dnasign publish https --help\""
		}
	}
	return verdict
}

// served is what a web server does with files that are there.
func served(err error) string {
	text := "the files were written and are not found"
	var e *delegation.Error
	if errors.As(err, &e) {
		for _, c := range e.Checks {
			if c.Name == "https" {
				text += "; " + c.Origin + ": " + c.Detail
			}
		}
	}
	return text
}

// accept returns nil if the evidence proves the delegation, and by this run's
// statement, if it must be ours.
func (w *work) accept(e *delegation.Evidence, p delegation.Policy, ours bool) error {
	result, err := delegation.Verify(delegation.Query{Source: w.Source, Service: w.Service}, e, p)
	var refused *delegation.Error
	var issued time.Time
	switch {
	case err == nil:
		issued = result.Proven().Statement.Issued
	case errors.As(err, &refused) && refused.Reason == reasons.Revoked && w.revokes():
		issued = refused.Floor.Order.Issued
	default:
		return err
	}
	if w.raw == nil && result != nil && delegation.DigestTargets(result.Targets()) != delegation.DigestTargets(w.Targets) {
		return delegation.Errorf(reasons.TargetMismatch, "others accept another delegation, of %s, not to the targets of the configuration", words.Stamp(issued))
	}
	if ours && !issued.Equal(w.issued) {
		return delegation.Errorf(reasons.NotEverywhere, "another statement is found than the one that was published: issued at %s, not at %s", words.Stamp(issued), words.Stamp(w.issued))
	}
	return nil
}

// revokes reports whether the statement is a revocation, or is to be one.
func (w *work) revokes() bool {
	if w.raw == nil {
		return len(w.Targets) == 0
	}
	return len(w.targets) == 0
}

// publishedBy reports whether the statement is at every place of a way, as far
// as publishing it could tell.
func (w *work) publishedBy(way string) bool {
	for _, p := range w.entry.Published {
		if w.Publish[p.at].way() == way && p.Problem != nil {
			return false
		}
	}
	return true
}

// fresh is the evidence with the records that all authoritative servers show, if a
// resolver lacks one of them, and for how many seconds it may.
func (w *work) fresh(e *delegation.Evidence) (out *delegation.Evidence, left uint32, old bool) {
	name := delegation.TXTName(w.Source, w.Service)
	at := slices.IndexFunc(e.TXT, func(a delegation.TXTAnswer) bool { return a.Name == name })
	if at < 0 || e.TXT[at].Failure != nil {
		return nil, 0, false
	}
	var records []string
	for _, format := range w.Formats {
		if raw := w.raw[format]; raw != nil {
			records = append(records, format.TXTRecord(raw))
			old = old || !slices.Contains(e.TXT[at].Records, format.TXTRecord(raw))
		}
	}
	changed := *e
	changed.TXT = slices.Clone(e.TXT)
	changed.TXT[at].Records = records
	return &changed, e.TXT[at].TTL, old
}
