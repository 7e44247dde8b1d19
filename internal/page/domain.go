package page

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"html/template"
	"slices"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/hints"
	"github.com/dnasign/dnasign/internal/text"
	"github.com/dnasign/dnasign/internal/watch"
)

type domain struct {
	Verdict
	Source, Service, Target string
	When                    string
	Through                 string // the resolver whose path is drawn
	Path                    path
	Left                    left
	Findings                []finding
	Seen                    []seen
	MoreFindings            int
}

// left is how long the proof lasts.
type left struct {
	Tone Tone
	Days string // of what ends first, "" if nothing is verified
	Ends []end
}

type end struct{ What, At, In string }

type finding struct {
	Tone                    Tone
	Severity, Title, Detail string
	Reason                  reasons.Reason
	Resolvers, ToDo         string
}

// seen is what one resolver, and each channel through it, saw.
type seen struct {
	Resolver string
	Verdict  string
	Tone     Tone
	Reason   reasons.Reason
	Host     string // the verdict about the target asked about
	HostTone Tone
	Places   []place
	Notes    []string
	Checks   []check
	Path     *path // where it is not the one drawn first
	Evidence download
}

// A place is one name or URL that was asked.
type place struct {
	Channel, Name, Note string
	Lines               []line
}

type line struct {
	Tone   Tone
	Text   string
	Reason reasons.Reason
	ToDo   string
}

type check struct {
	Tone                       Tone
	Word, Name, Origin, Detail string
}

// A download is the raw evidence, and how to get its verdict again.
type download struct {
	Link    template.URL
	File    string
	Size    string
	Command string
	Secure  bool // the replay will not believe a DNSSEC state
	Missing string
}

// Domain is the page about a domain. roots names the file with the trust
// anchors, "" for those of the system.
func Domain(r watch.Report, roots string) []byte {
	d := domain{Verdict: VerdictOf(r), Source: r.Source, Service: text.ServiceName(r.Service), When: moment(r.Time), Left: leftOf(r)}
	if r.Target != nil {
		d.Target = r.Target.String()
	}
	worst := worstOf(r)
	room := maxAllEvidence
	for i, v := range r.Verdicts {
		s := seenOf(r, i, &room, roots)
		drawn := pathOf(r, v)
		if i == worst {
			d.Path, d.Through = drawn, v.Resolver
		} else {
			s.Path = &drawn
		}
		d.Seen = append(d.Seen, s)
	}
	if worst < 0 {
		d.Path = pathOf(r, watch.Verdict{Outcome: reasons.OutcomeUndetermined, Reason: reasons.MissingInput})
	}
	for i, f := range r.Findings {
		if i == maxRows {
			d.MoreFindings = len(r.Findings) - maxRows
			break
		}
		d.Findings = append(d.Findings, findingOf(r, f))
	}
	return render("domain", r.Source+": "+string(d.Word), d)
}

func findingOf(r watch.Report, f watch.Finding) finding {
	tones := map[watch.Severity]Tone{watch.SeverityError: Bad, watch.SeverityUndetermined: Open, watch.SeverityWarning: Warn}
	out := finding{Tone: tones[f.Severity], Severity: string(f.Severity), Title: sentence(strings.ReplaceAll(string(f.Name), "-", " ")),
		Detail: sentence(f.Detail), Reason: f.Reason, ToDo: sentence(f.Hint)}
	if len(f.Resolvers) < len(r.Verdicts) {
		out.Resolvers = strings.Join(f.Resolvers, ", ")
	}
	out.Title = strings.TrimSuffix(out.Title, ".")
	return out
}

func leftOf(r watch.Report) left {
	l := left{Tone: Good}
	var first *time.Time
	for _, e := range []struct {
		what string
		at   *time.Time
	}{{"Statement", r.StatementEnds}, {"Certificate", r.CertificateEnds}} {
		if e.at == nil {
			continue
		}
		l.Ends = append(l.Ends, end{e.what, moment(*e.at), watch.Days(e.at.Sub(r.Time))})
		if first == nil || e.at.Before(*first) {
			first = e.at
		}
	}
	if first == nil {
		return left{Tone: Open}
	}
	l.Days = watch.Days(first.Sub(r.Time))
	for _, f := range r.Findings {
		if f.Name == watch.StatementEnds || f.Name == watch.CertificateEnds {
			l.Tone = Warn
		}
	}
	return l
}

func seenOf(r watch.Report, i int, room *int, roots string) seen {
	v := r.Verdicts[i]
	s := seen{Resolver: v.Resolver, Verdict: string(v.Outcome), Tone: toneOf(v.Outcome), Reason: v.Reason, Places: placesOf(v), Notes: v.Proof.Notes, Evidence: downloadOf(r, i, room, roots)}
	if v.Host != nil && r.Target != nil {
		s.HostTone, s.Host = toneOf(v.Host.Outcome), fmt.Sprintf("%s: %s", r.Target, v.Host.Outcome)
	}
	words := map[delegation.CheckOutcome]check{
		delegation.CheckOK: {Tone: Good, Word: "ok"}, delegation.CheckFail: {Tone: Bad, Word: "fail"}, delegation.CheckInfo: {Tone: Open, Word: "note"},
	}
	for i, c := range v.Proof.Checks {
		if i == maxRows {
			s.Checks = append(s.Checks, check{Open, "note", "", "", fmt.Sprintf("and %d more", len(v.Proof.Checks)-maxRows)})
			break
		}
		one := words[c.Outcome]
		one.Name, one.Origin, one.Detail = c.Name, c.Origin, text.Short(c.Detail, maxText)
		if c.Reason != "" {
			one.Detail = fmt.Sprintf("%s: %s", c.Reason, one.Detail)
		}
		s.Checks = append(s.Checks, one)
	}
	return s
}

// placesOf says what was found at each place.
func placesOf(v watch.Verdict) (list []place) {
	if v.Evidence == nil {
		return nil
	}
	note := func(a delegation.Answer) string {
		return fmt.Sprintf("DNSSEC: %s", a.DNSSEC)
	}
	tones := map[string]Tone{}
	for _, a := range v.Evidence.TXT {
		list = append(list, place{"DNS", a.Name, "TXT, " + note(a.Answer), statementLines(v.Proof, a.Name, a.Failure, tones)})
	}
	for _, d := range v.Evidence.Documents {
		name, channel := d.URL, "HTTPS"
		if name == "" {
			name, channel = d.File, "File"
		}
		list = append(list, place{channel, name, "", statementLines(v.Proof, name, d.Failure, tones)})
	}
	for _, a := range v.Evidence.SRV {
		p := place{"DNS", a.Name, "SRV, " + note(a.Answer), nil}
		switch {
		case a.Failure != nil:
			p.Lines = []line{failureLine(*a.Failure)}
		case len(a.Records) == 0:
			p.Lines = []line{{Tone: Open, Text: "no records"}}
		default:
			var names []string
			for _, r := range a.Records {
				names = append(names, fmt.Sprintf("%s:%d", r.Target, r.Port))
			}
			p.Lines = []line{{Tone: Good, Text: text.Short(strings.Join(names, ", "), maxText)}}
		}
		list = append(list, p)
	}
	sayOnce(list)
	return list
}

// sayOnce leaves each hint in the first line that has it.
func sayOnce(list []place) {
	said := map[string]bool{}
	for _, p := range list {
		for i := range p.Lines {
			if l := &p.Lines[i]; said[l.ToDo] {
				l.ToDo = ""
			} else {
				said[l.ToDo] = true
			}
		}
	}
}

func failureLine(f delegation.Failure) line {
	return line{toneOf(f.Reason.Outcome()), text.Short(f.Detail, maxText), f.Reason, sentence(hints.ForOwner(f.Reason))}
}

// statementLines says what was found at a place where a statement can be, from
// the check lines about it. The tones are those of the places before.
func statementLines(r delegation.Report, origin string, failure *delegation.Failure, tones map[string]Tone) (list []line) {
	defer func() {
		if len(list) > 0 {
			tones[origin] = list[0].Tone
		}
	}()
	if failure != nil {
		return []line{failureLine(*failure)}
	}
	times := ""
	for _, c := range r.Checks {
		if c.Origin != origin || len(list) == maxRows {
			continue
		}
		switch {
		case c.Outcome == delegation.CheckFail:
			list = append(list, failureLine(delegation.Failure{Reason: c.Reason, Detail: c.Detail}))
		case c.Name == "form" && c.Outcome == delegation.CheckInfo:
			same := strings.TrimPrefix(c.Detail, "the same octets as from ")
			list = append(list, line{Tone: tones[same], Text: "the same statement as at " + text.Short(same, maxText)})
		case c.Outcome == delegation.CheckInfo:
			list = append(list, line{Tone: Open, Text: text.Short(c.Detail, maxText)})
		case c.Name == "time":
			times = c.Detail
		case c.Name == "chain":
			list = append(list, line{Tone: Good, Text: text.Short("a good statement, "+times, maxText)})
		}
	}
	return list
}

// downloadOf makes the evidence of one resolver part of the page, while there is
// room.
func downloadOf(r watch.Report, i int, room *int, roots string) download {
	v := r.Verdicts[i]
	if v.Evidence == nil {
		return download{Missing: "Nothing was collected."}
	}
	data, err := json.MarshalIndent(v.Evidence, "", "  ")
	if err != nil || len(data) > min(maxEvidence, *room) {
		return download{Missing: "The evidence is too large for a page. With --save-evidence, dnaverify check keeps it in a file."}
	}
	*room -= len(data)
	d := download{
		Link: template.URL("data:application/json;base64," + base64.StdEncoding.EncodeToString(append(data, '\n'))),
		File: r.Source + ".json", Size: fmt.Sprintf("%d KB", (len(data)+1023)/1024),
	}
	if len(r.Verdicts) > 1 {
		d.File = fmt.Sprintf("%s.%d.json", r.Source, i+1)
	}
	d.Command = fmt.Sprintf("dnaverify check %s \\\n  --service %s \\\n  --evidence %s \\\n  --at %s", r.Source, text.ServiceName(r.Service), d.File, text.Stamp(r.Time))
	if roots != "" {
		d.Command += " \\\n  --roots " + text.Word(roots)
	}
	d.Secure = slices.ContainsFunc(answersOf(v.Evidence), func(a delegation.Answer) bool { return a.DNSSEC == delegation.Secure })
	return d
}

func moment(t time.Time) string { return t.UTC().Format("2 January 2006, 15:04:05 UTC") }
