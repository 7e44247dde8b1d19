package page

import (
	"fmt"
	"strings"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/hints"
	"github.com/dnasign/dnasign/internal/text"
	"github.com/dnasign/dnasign/internal/watch"
)

// A Tone is the colour and the symbol of something. It never stands without a
// word.
type Tone string

// The tones.
const (
	Good Tone = "good" // green
	Bad  Tone = "bad"  // red
	Open Tone = "open" // grey: not known
	Warn Tone = "warn" // amber
)

func toneOf(o reasons.Outcome) Tone {
	switch o {
	case reasons.OutcomeVerified:
		return Good
	case reasons.OutcomeUndetermined:
		return Open
	}
	return Bad
}

// A Verdict is what a manager needs to know.
type Verdict struct {
	Tone     Tone
	Word     string
	Headline string
	Second   string
	Reason   reasons.Reason
}

// Unknown is the verdict about a domain that could not be looked up.
func Unknown(headline string) Verdict {
	return Verdict{Tone: Open, Word: strings.ToUpper(string(reasons.OutcomeUndetermined)), Headline: headline, Second: "Try again later.", Reason: reasons.Unanswered}
}

// VerdictOf says a report in one line. Of several resolvers the worst decides,
// since somebody uses it.
func VerdictOf(r watch.Report) Verdict {
	worst := watch.Verdict{Outcome: reasons.OutcomeUndetermined, Reason: reasons.MissingInput}
	if i := worstOf(r); i >= 0 {
		worst = r.Verdicts[i]
	}
	outcome, reason, host := worst.Outcome, worst.Reason, false
	if outcome == reasons.OutcomeVerified && worst.Host != nil && worst.Host.Outcome != reasons.OutcomeVerified {
		outcome, reason, host = worst.Host.Outcome, worst.Host.Reason, true
	}
	v := Verdict{Tone: toneOf(outcome), Word: strings.ToUpper(string(outcome)), Reason: reason}
	service := text.ServiceName(r.Service)
	switch {
	case outcome == reasons.OutcomeVerified:
		v.Headline = fmt.Sprintf("%s has delegated %s to %s, and the proof holds.", r.Source, service, hosts(worst))
		v.Second = "Nothing needs to be done."
		if r.Target != nil {
			v.Second = fmt.Sprintf("%s is accepted for it. Nothing needs to be done.", r.Target)
		}
		if r.Status == watch.StatusError {
			v.Tone = Warn
		}
		if len(r.Findings) > 0 {
			v.Second = fmt.Sprintf("But %s should be looked at.", counted(len(r.Findings), "finding"))
		}
		return v
	case host:
		v.Headline = fmt.Sprintf("%s is not accepted for %s of %s: %s.", r.Target, service, r.Source, aboutHost(reason))
	case outcome == reasons.OutcomeUndetermined:
		v.Headline = fmt.Sprintf("%s cannot be judged at the moment: %s.", r.Source, plain(reason))
	default:
		v.Headline = fmt.Sprintf("%s is not verified: %s.", r.Source, plain(reason))
	}
	v.Second = "Others do not connect on the strength of this delegation."
	if outcome == reasons.OutcomeUndetermined {
		v.Second = "Others try again later, and do not connect meanwhile."
	}
	if verified, of := verifiedOf(r), len(r.Verdicts); verified > 0 && !host {
		v.Second = fmt.Sprintf("%d of %s verify it, and the others do not: this depends on the resolver.", verified, counted(of, "resolver"))
	}
	return v
}

// plain says a reason in a sentence about a domain.
func plain(r reasons.Reason) string { return hints.Plain(r, "the host in its DNS records") }

// aboutHost says a reason about the host that was asked about.
func aboutHost(r reasons.Reason) string { return hints.Plain(r, "this host") }

// worstOf is the index of the verdict that a reader must know, -1 of none.
func worstOf(r watch.Report) int {
	rank := func(v watch.Verdict) int {
		worst := map[reasons.Outcome]int{reasons.OutcomeVerified: 0, reasons.OutcomeUndetermined: 2, reasons.OutcomeRefused: 4}
		n := worst[v.Outcome]
		if v.Host != nil && v.Host.Outcome != reasons.OutcomeVerified {
			n++
		}
		return n
	}
	at := -1
	for i, v := range r.Verdicts {
		if at < 0 || rank(v) > rank(r.Verdicts[at]) {
			at = i
		}
	}
	return at
}

func verifiedOf(r watch.Report) (n int) {
	for _, v := range r.Verdicts {
		if v.Outcome == reasons.OutcomeVerified {
			n++
		}
	}
	return n
}

// hosts are the names that others connect to.
func hosts(v watch.Verdict) string {
	var names []string
	seen := map[string]bool{}
	for _, e := range v.Dial {
		if !seen[e.Host] {
			seen[e.Host] = true
			names = append(names, e.Host)
		}
	}
	switch len(names) {
	case 0:
		return "nobody"
	case 1:
		return names[0]
	case 2:
		return names[0] + " and " + names[1]
	}
	return fmt.Sprintf("%s and %d more", names[0], len(names)-1)
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
