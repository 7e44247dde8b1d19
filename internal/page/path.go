package page

import (
	"fmt"
	"slices"
	"strings"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/hints"
	"github.com/dnasign/dnasign/internal/text"
	"github.com/dnasign/dnasign/internal/watch"
)

// A node is something that the trust path leads through.
type node struct{ Kind, Name, About string }

// An edge is one step of the trust path.
type edge struct {
	Label  string // what it says: "delegates to"
	Tone   Tone
	Word   string
	Reason reasons.Reason // "" where it holds
	Plain  string         // the reason in plain words
	Detail string
	ToDo   string
	// Command is one to run.
	Command string
}

// A path is the trust path through one resolver. An edge leads from each node
// to the next.
type path struct {
	Steps  []step
	DNSSEC edge
}

// A step is a node and the edge that leads on from it, if one does.
type step struct {
	Node node
	Edge *edge
}

// The edges, in order. A check line belongs to one of them by its name.
const (
	published = iota // the source publishes the statement
	signed           // the statement is signed with the certificate
	trusted          // the certificate leads to a trust anchor
	delegated        // the statement delegates to the targets
	edges
)

var edgeOf = map[string]int{
	"txt": published, "https": published, "file": published, "form": published, "subject": published, "time": published,
	"signer": signed, "order": signed, "signature": signed,
	"chain": trusted, "policy": trusted,
	"srv": delegated, "targets": delegated,
}

// shows are the last checks of the edges. Without one that is ok, an edge is not
// green.
var shows = [edges]string{"time", "signature", "chain", "targets"}

// pathOf draws the path from the check lines. An edge is green only if the
// verifier has said so. The edge at which the verification ended has the reason of
// the verdict, and those behind it were not reached.
func pathOf(r watch.Report, v watch.Verdict) path {
	checks := v.Proof.Checks
	origin := originOf(v.Proof)
	line := func(name string) string {
		for _, c := range slices.Backward(checks) {
			if c.Name == name && c.Outcome == delegation.CheckOK && (c.Origin == origin || c.Origin == "") {
				return c.Detail
			}
		}
		return ""
	}
	at := endOf(v.Proof)
	list := [edges]edge{
		{Label: "publishes", Detail: sentence(line("time"))},
		{Label: "is signed with", Detail: sentence(line("signature"))},
		{Label: "leads to"},
		{Label: "and so the domain delegates to", Detail: sentence(line("targets"))},
	}
	for i := range list {
		e := &list[i]
		switch {
		case v.Outcome == reasons.OutcomeVerified || i < at && line(shows[i]) != "":
			e.Tone, e.Word = Good, "Holds"
		case i == at:
			*e = failed(e.Label, v.Reason, v.Detail)
		default:
			e.Tone, e.Word, e.Detail, e.ToDo = Open, "Not reached", "The path ends before this step.", "First repair the step above."
		}
	}
	if h := v.Host; h != nil && v.Outcome == reasons.OutcomeVerified && h.Outcome != reasons.OutcomeVerified {
		list[delegated] = failed(list[delegated].Label, h.Reason, h.Detail)
		list[delegated].Plain = sentence(aboutHost(h.Reason))
	}
	peer := edge{Label: "is answered by", Tone: Open, Word: "Not tried",
		Detail: "This page does not connect to the server.", ToDo: "To try it:",
		Command: fmt.Sprintf("dnaverify connect %s --service %s", r.Source, text.ServiceName(r.Service))}

	statement := node{"Statement", "none that can be used", ""}
	if form := line("form"); form != "" {
		statement = node{"Statement", nameOfForm(form), "found at " + origin}
	}
	chain := node{"Certificate chain", "not known", ""}
	if s := line("signer"); s != "" {
		chain.Name, chain.About, _ = strings.Cut(strings.TrimPrefix(s, "certificate of "), ", ")
	}
	anchor := node{"Trust anchor", "not reached", ""}
	if s, ok := strings.CutPrefix(line("chain"), "leads to the trust anchor "); ok {
		anchor.Name = s
		list[trusted].Detail = "Every certificate is valid and signed by the next one."
	}
	return path{
		Steps: []step{
			{node{"Source", r.Source, text.ServiceName(r.Service)}, &list[published]},
			{statement, &list[signed]},
			{chain, &list[trusted]},
			{anchor, &list[delegated]},
			{target(r, v), &peer},
			{node{"Peer", "the server that answers there", ""}, nil},
		},
		DNSSEC: dnssecOf(v, r.Replayed),
	}
}

// nameOfForm is a form of statement for a person.
func nameOfForm(line string) string {
	encoding, _, _ := strings.Cut(line, " ")
	switch delegation.Encoding(encoding) {
	case delegation.JWS:
		return "signed token (JWS)"
	case delegation.AC:
		return "attribute certificate"
	}
	return line
}

// failed is the edge at which a verification ended.
func failed(label string, reason reasons.Reason, detail string) edge {
	e := edge{Label: label, Tone: toneOf(reason.Outcome()), Word: "Broken", Reason: reason, Plain: sentence(plain(reason)),
		Detail: sentence(detail), ToDo: sentence(hints.ForOwner(reason))}
	if e.Tone == Open {
		e.Word = "Not known"
	}
	return e
}

// target is what is delegated to, or asked about.
func target(r watch.Report, v watch.Verdict) node {
	n := node{"Target", "nobody", ""}
	var names []string
	for _, e := range v.Dial {
		names = append(names, e.String())
	}
	switch {
	case r.Target != nil:
		n.Name, n.About = r.Target.String(), "asked about"
		if others := strings.Join(names, ", "); others == n.Name {
			n.About += ", and others connect here"
		} else if others != "" {
			n.About += "; others connect to " + others
		}
	case len(names) > 0:
		n.Name, n.About = strings.Join(names, ", "), "others connect here"
	default:
		n.Name = "no host that others accept"
	}
	return n
}

// originOf is the place of the statement that decided, "" if there is none.
func originOf(r delegation.Report) string {
	if c := lastFailure(r); c != nil && edgeOf[c.Name] != delegated && c.Origin != "" {
		return c.Origin
	}
	for _, c := range slices.Backward(r.Checks) {
		if c.Name == "chain" && c.Outcome == delegation.CheckOK {
			return c.Origin
		}
	}
	return ""
}

// endOf is the edge at which a verification ended.
func endOf(r delegation.Report) int {
	if r.Reason == reasons.Conflict { // of statements that hold, or with the SRV records
		return delegated
	}
	if c := lastFailure(r); c != nil {
		return edgeOf[c.Name]
	}
	return published
}

// lastFailure is the check line of the verdict, nil if none is.
func lastFailure(r delegation.Report) *delegation.Check {
	for i, c := range slices.Backward(r.Checks) {
		if _, known := edgeOf[c.Name]; known && c.Outcome == delegation.CheckFail && c.Reason == r.Reason {
			return &r.Checks[i]
		}
	}
	return nil
}

// dnssecOf says what DNSSEC adds. It is green only if every answer is secure,
// and the policy lets that count.
func dnssecOf(v watch.Verdict, replayed bool) edge {
	e := edge{Label: "DNSSEC protects the DNS answers", Tone: Open, Word: "Not used"}
	if v.Evidence == nil {
		e.Detail, e.ToDo = "No DNS answer was seen.", "Look again."
		return e
	}
	count := map[delegation.DNSSEC]int{}
	answers := answersOf(v.Evidence)
	var lost reasons.Reason
	for _, a := range answers {
		count[a.DNSSEC]++
		if a.Failure != nil {
			lost = a.Failure.Reason
		}
	}
	if lost == reasons.DNSBogus {
		count[delegation.Bogus]++
	}
	switch {
	case count[delegation.Bogus] > 0:
		bogus := failed(e.Label, reasons.DNSBogus, "")
		bogus.Tone, bogus.Word = Bad, "Broken"
		return bogus
	case len(answers) == 0:
		e.Detail, e.ToDo = "DNS was not asked.", "Look there too, with --via both."
	case lost != "":
		return failed(e.Label, lost, "There is no DNS answer to judge.")
	case count[delegation.Secure] == len(answers) && replayed:
		e.Detail, e.ToDo = "The file says that the answers were secure. A replay does not believe that.", "Ask the network instead of the file."
	case count[delegation.Secure] == len(answers):
		e.Tone, e.Word, e.Detail = Good, "Holds", fmt.Sprintf("All %s are secure.", counted(len(answers), "answer"))
	default:
		e.Reason, e.Plain = reasons.NotSecure, "The DNS answers are not protected, or nobody looked. The signed statement proves the target without it."
		e.ToDo = sentence(hints.ForOwner(reasons.NotSecure))
	}
	return e
}

// answersOf are the answers about SRV and TXT records.
func answersOf(e *delegation.Evidence) (answers []delegation.Answer) {
	for _, a := range e.SRV {
		answers = append(answers, a.Answer)
	}
	for _, a := range e.TXT {
		answers = append(answers, a.Answer)
	}
	return answers
}

// sentence is a text with a full stop and, unless it begins with a name, a capital
// letter.
func sentence(s string) string {
	if s = text.Short(s, maxText); s == "" {
		return ""
	}
	if !strings.ContainsAny(s[len(s)-1:], ".?!") {
		s += "."
	}
	if first, _, _ := strings.Cut(s, " "); strings.ContainsAny(strings.TrimRight(first, "."), "._/:") {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}
