package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery/verifier"
	"github.com/dnasign/dnasign/internal/cli"
)

const (
	// maxList bounds the domains of one list: all of a large hosting provider.
	maxList = 1 << 20
	// maxParallel bounds the domains that are looked up at one time. Each has a
	// few sockets open.
	maxParallel = 1000
	// maxAhead bounds the domains of a list that are begun and not yet told, so that
	// a slow one does not stop those behind it.
	maxAhead = 1024
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
	verifier *verifier.Verifier
	service  string
	parallel int
}

// newListing makes one, with a Verifier to be closed. All domains may be below
// one. The cache keeps nothing, since hardly any domain is there twice.
func newListing(c verifier.Config, service string, parallel int) (listing, error) {
	c.Limits = verifier.Limits{CacheBytes: 1, LookupsPerNetwork: parallel}
	v, err := newVerifier(c)
	return listing{v, service, parallel}, err
}

// run checks the domains and gives the reports in their order, each as soon as
// those before it are there.
func (l listing) run(ctx context.Context, domains []string, each func(delegation.Report) error) error {
	check := func(ctx context.Context, domain string) delegation.Report {
		_, r := look(ctx, l.verifier, delegation.Query{Source: domain, Service: l.service})
		return r
	}
	return inOrder(ctx, domains, l.parallel, check, each)
}

// inOrder looks up a number of domains at a time. It gives the results in the
// order of the domains, each as soon as those before it are there. Up to maxAhead of
// them wait for a slow one, which takes one place of those that are looked up.
func inOrder[T any](ctx context.Context, domains []string, parallel int, look func(context.Context, string) T, each func(T) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	places := make(chan struct{}, parallel)
	results := make(chan chan T, maxAhead)
	go func() {
		defer close(results)
		for _, domain := range domains {
			select {
			case places <- struct{}{}:
			case <-ctx.Done():
				return
			}
			result := make(chan T, 1)
			results <- result
			go func() {
				result <- look(ctx, domain)
				<-places
			}()
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

// checkList checks many domains and shows a line for each.
func checkList(cmd *cobra.Command, l listing, domains []string, show form) error {
	out := bufio.NewWriter(cmd.OutOrStdout())
	color := cli.Color(cmd.OutOrStdout())
	count := map[reasons.Outcome]int{}
	step := func() {}
	if !cli.Terminal(cmd.OutOrStdout()) { // where each line is seen as it comes
		step = cli.Progress(cmd.ErrOrStderr(), "checking")(len(domains))
	}
	err := l.run(cmd.Context(), domains, func(r delegation.Report) error {
		count[r.Outcome]++
		step()
		if show.json {
			return json.NewEncoder(out).Encode(cli.Explain(r))
		}
		cli.WriteReportLine(out, r, color, show.verbose)
		return out.Flush()
	})
	if err := cmp.Or(err, out.Flush()); err != nil {
		return err
	}
	verified, refused, undetermined := count[reasons.OutcomeVerified], count[reasons.OutcomeRefused], count[reasons.OutcomeUndetermined]
	fmt.Fprintf(cmd.ErrOrStderr(), "%d verified, %d refused, %d undetermined\n", verified, refused, undetermined)
	return exitCode(refused > 0, undetermined > 0)
}

// exitCode is that of several domains: what is refused goes before what is not
// known.
func exitCode(refused, undetermined bool) error {
	switch {
	case refused:
		return cli.Reported{Outcome: reasons.OutcomeRefused}
	case undetermined:
		return cli.Reported{Outcome: reasons.OutcomeUndetermined}
	}
	return nil
}
