package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/cli"
)

const (
	// maxList bounds the domains of one list: all of a large hosting provider.
	maxList = 1 << 20
	// maxParallel bounds the domains that are looked up at one time. Each has a
	// few sockets open.
	maxParallel = 1000
)

// domainsOf gives the domains that are named or, instead, in a list.
func domainsOf(cmd *cobra.Command, names []string, list string) ([]string, error) {
	switch {
	case list != "" && len(names) > 0:
		return nil, cli.Usagef("domains and --list do not go together")
	case list != "":
		return readList(cmd, list)
	case len(names) == 0:
		return nil, cli.Usagef("no domain is named; see --help")
	}
	domains := make([]string, len(names))
	for i, name := range names {
		var err error
		if domains[i], err = cli.Domain(name); err != nil {
			return nil, err
		}
	}
	return domains, nil
}

// readList reads a list of domains, one on a line, from a file or, for "-",
// from standard input. Empty lines and what follows a # are passed over. Every
// domain must be a name: it is better to be told before the work begins.
func readList(cmd *cobra.Command, file string) ([]string, error) {
	in := cmd.InOrStdin()
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return nil, cli.Usagef("%w", err)
		}
		defer f.Close()
		in = f
	}
	var domains []string
	lines := bufio.NewScanner(in)
	for n := 1; lines.Scan(); n++ {
		line, _, _ := strings.Cut(lines.Text(), "#")
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		domain, err := cli.Domain(line)
		if err != nil {
			return nil, cli.Usagef("%s:%d: %w", file, n, err)
		}
		if len(domains) == maxList {
			return nil, cli.Usagef("%s has more than %d domains", file, maxList)
		}
		domains = append(domains, domain)
	}
	if err := lines.Err(); err != nil {
		return nil, cli.Usagef("%s: %w", file, err)
	}
	if len(domains) == 0 {
		return nil, cli.Usagef("%s names no domain", file)
	}
	return domains, nil
}

// A listing is the check of many domains.
type listing struct {
	client   *discovery.Client
	policy   delegation.Policy
	now      func() time.Time // of each verdict; nil: the policy's time
	service  string
	parallel int
}

// run checks the domains and gives the reports in their order, each as soon as
// those before it are there.
func (l listing) run(ctx context.Context, domains []string, each func(delegation.Report) error) error {
	return inOrder(ctx, domains, l.parallel, l.check, each)
}

// inOrder looks domains up, so many at a time, and gives what came out in the
// order of the domains, each as soon as those before it are there.
func inOrder[T any](ctx context.Context, domains []string, parallel int, look func(context.Context, string) T, each func(T) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	results := make(chan chan T, parallel)
	go func() {
		defer close(results)
		for _, domain := range domains {
			result := make(chan T, 1)
			select {
			case results <- result:
			case <-ctx.Done():
				return
			}
			go func() { result <- look(ctx, domain) }()
		}
	}()
	for result := range results {
		if err := each(<-result); err != nil {
			cancel()
			for rest := range results {
				<-rest
			}
			return err
		}
	}
	return ctx.Err()
}

func (l listing) check(ctx context.Context, domain string) delegation.Report {
	q := delegation.Query{Source: domain, Service: l.service}
	p := l.policy
	if l.now != nil {
		p.Time = l.now()
	}
	e, result, err := look(ctx, l.client, q, p)
	if e == nil {
		return delegation.NewReport(q, nil, err)
	}
	return delegation.NewReport(q, result, err)
}

// look gathers evidence until a statement verifies, and judges it. Without
// evidence the error is about the call.
func look(ctx context.Context, client *discovery.Client, q delegation.Query, p delegation.Policy) (*delegation.Evidence, *delegation.Result, error) {
	var arrivals delegation.Arrivals
	var result *delegation.Result // of the answers that were enough, if they were
	e, err := client.Gather(ctx, q.Source, q.Service, func(e *delegation.Evidence) bool {
		if !arrivals.Worth(e) {
			return false
		}
		r, err := delegation.Verify(q, e, p)
		if err == nil {
			result = r
		}
		return err == nil
	})
	if err != nil {
		return nil, nil, err
	}
	if result == nil {
		result, err = delegation.Verify(q, e, p)
	}
	return e, result, err
}

// checkList checks many domains and shows a line for each.
func checkList(cmd *cobra.Command, l listing, domains []string, asJSON bool) error {
	out := bufio.NewWriter(cmd.OutOrStdout())
	color := cli.Color(cmd.OutOrStdout())
	count := map[delegation.Outcome]int{}
	step := func() {}
	if !cli.Terminal(cmd.OutOrStdout()) { // where each line is seen as it comes
		step = cli.Progress(cmd.ErrOrStderr(), "checking")(len(domains))
	}
	err := l.run(cmd.Context(), domains, func(r delegation.Report) error {
		count[r.Outcome]++
		step()
		if asJSON {
			return json.NewEncoder(out).Encode(r)
		}
		cli.WriteReportLine(out, r, color)
		return out.Flush()
	})
	if flushed := out.Flush(); err == nil {
		err = flushed
	}
	if err != nil {
		return err
	}
	return summary(cmd.ErrOrStderr(), count)
}

// summary says how many domains ended how, and makes it the exit code: what is
// refused goes before what is not known.
func summary(w io.Writer, count map[delegation.Outcome]int) error {
	verified, refused, undetermined := count[delegation.OutcomeVerified], count[delegation.OutcomeRefused], count[delegation.OutcomeUndetermined]
	fmt.Fprintf(w, "%d verified, %d refused, %d undetermined\n", verified, refused, undetermined)
	switch {
	case refused > 0:
		return cli.Reported{Outcome: delegation.OutcomeRefused}
	case undetermined > 0:
		return cli.Reported{Outcome: delegation.OutcomeUndetermined}
	}
	return nil
}
