package main

import (
	"cmp"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/page"
	"github.com/dnasign/dnasign/internal/watch"
)

// show writes the page, if one was asked for, and then the verdict. If the page is
// on standard output, the verdict moves to standard error.
func (f checkFlags) show(cmd *cobra.Command, q delegation.Query, r delegation.Report, e *delegation.Evidence, p delegation.Policy) error {
	if f.html == "" {
		return report(cmd, f.form, r)
	}
	content := page.Domain(f.watched(q, r, e, p), rootsName(f.roots))
	if f.html == cli.Standard {
		if _, err := cmd.OutOrStdout().Write(content); err != nil {
			return err
		}
		cmd.SetOut(cmd.ErrOrStderr())
	} else if err := cli.WriteFile(f.html, content, f.roots, f.replay); err != nil {
		return err
	}
	return report(cmd, f.form, r)
}

// watched is the report of one look for the page. It has the verdict of the
// command. What else there is to say comes from the same evidence.
func (f checkFlags) watched(q delegation.Query, r delegation.Report, e *delegation.Evidence, p delegation.Policy) watch.Report {
	through := cmp.Or(f.validating, f.resolver, "the system's resolver")
	if f.replay != "" {
		through = filepath.Base(f.replay)
	}
	statuses := map[reasons.Outcome]watch.Status{reasons.OutcomeVerified: watch.StatusOK, reasons.OutcomeUndetermined: watch.StatusUndetermined, reasons.OutcomeRefused: watch.StatusError}
	w := watch.Report{Version: watch.ReportVersion, Status: statuses[r.Outcome], Source: r.Source, Service: r.Service, Time: p.Time}
	if e != nil {
		about := watch.Question{Query: q}
		if c := watch.Conclude(about, []watch.Observation{{Resolver: through, Evidence: e}}, p); c.Verdicts[0].Reason == r.Reason {
			w = c
		}
	}
	w.Verdicts = []watch.Verdict{{Resolver: through, Outcome: r.Outcome, Reason: r.Reason, Detail: r.Detail, Dial: r.Dial, Proof: r, Evidence: e}}
	return w
}

// rootsName is the file of --roots as a page shows it: without the folders of this
// machine.
func rootsName(file string) string {
	if file == "" {
		return ""
	}
	return filepath.Base(file)
}
