package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/daemon"
	"github.com/dnasign/dnasign/internal/watch"
	"github.com/dnasign/dnasign/internal/watch/probe"
)

type watchFlags struct {
	policyFlags
	lookupFlags
	tellFlags
	resolvers, validating []string
	target, warn          string
	list                  string
	tap, quiet, strict    bool
	parallel              int
	listen                string
	publicly              bool
}

func watchCommand() *cobra.Command {
	var f watchFlags
	cmd := &cobra.Command{
		Use:   "watch DOMAIN... | --list FILE | --listen ADDR:PORT",
		Short: "See what others conclude about your domains, and what will break",
		Long: `Look domains up in all places and through each of several resolvers, and say
what others conclude. It reports where resolvers, DNS and the web server, the two
encodings or SRV records contradict each other, and what ends soon. docs/watch.md
explains every finding. watch does not connect to the peer: connect does that.

Each domain gets a line and, below it, its findings: errors (others refuse, or
believe something else than you say), what is undetermined, and warnings (what
will break if nothing is done). --json writes one object on a line, --tap the
Test Anything Protocol, for prove.

Exit codes, for cron and timers: 0 all is well, or there are only warnings;
1 there is an error, or with --strict a warning; 2 wrong call; 3 something is
undetermined, and there is no error. --quiet hides domains that are well, so that
cron has no mail to send.

--warn is how long before the end of a statement or certificate a warning is
given. The default is a quarter of the statement's lifetime, at most 7 days.
Owners sign again when a third is left.

--via dns or --via https looks only where you publish. Without it, a place without
a statement gives a warning.

--mail and --webhook tell what is new since the last run, and remind of it after a
week. --known names the files of your certificates: then every other certificate
that signs for a domain, or that its web server shows, is an error.

--listen answers over HTTP instead. People find a page at /, and one about a domain at
/domain?domain=b.example&service=xmpp-server&target=host:port. Prometheus finds
/probe with the same parameters, in the manner of its blackbox_exporter, and /metrics
about the program. With domains or --list only those are looked up. It listens where
other machines can reach it only with --listen-publicly, and then limits what each
network may ask. docs/page.md says how to run it for others.`,
		Example: `  dnaverify watch b.example --target xmpp.hosting.example:5269
  dnaverify watch --list domains.txt --resolver 192.0.2.53 --resolver 198.51.100.53 --quiet
  dnaverify watch b.example --mail admin@b.example --state /var/lib/dna/watch.json --quiet
  dnaverify watch --listen 127.0.0.1:9854 --list domains.txt`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error { return watchDomains(cmd, args, f) },
	}
	f.define(cmd)
	return cmd
}

func (f *watchFlags) define(cmd *cobra.Command) {
	f.policyFlags.define(cmd)
	f.tellFlags.define(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.service, "service", "xmpp-server", "the service: xmpp-server means _xmpp-server._tcp")
	flags.StringArrayVar(&f.resolvers, "resolver", nil, "address:port of a resolver, instead of the system's; repeatable")
	flags.StringArrayVar(&f.validating, "validating-resolver", nil, "address:port of a resolver that you trust to validate DNSSEC; repeatable")
	flags.StringVar(&f.via, "via", string(discovery.ViaBoth), "where to look: both, or only dns or https")
	flags.StringArrayVar(&f.connectTo, "connect-to", nil, "HOST:PORT:ADDR:PORT: connect to ADDR:PORT for HOST:PORT, as in curl")
	flags.BoolVar(&f.private, "allow-private-addresses", false, "let names lead to loopback and private addresses; for laboratories")
	flags.StringVar(&f.list, "list", "", "file with domains, one on a line; - for standard input")
	flags.StringVar(&f.target, "target", "", "host:port: do others accept this host for the domains?")
	flags.StringVar(&f.warn, "warn", "", "time before an end to warn, such as 7d; by default a quarter of the statement's life, at most 7d")
	flags.BoolVar(&f.tap, "tap", false, "the Test Anything Protocol: a test point for each domain and finding")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "say nothing about domains that are well")
	flags.BoolVar(&f.strict, "strict", false, "let warnings fail too")
	flags.IntVar(&f.parallel, "parallel", watch.DefaultParallel, "lookups at one time through each resolver")
	flags.StringVar(&f.listen, "listen", "", "address:port, or unix:/path, to show the page and answer Prometheus at, such as 127.0.0.1:9854")
	flags.BoolVar(&f.publicly, "listen-publicly", false, "let other machines ask")
	cli.CompleteService(cmd)
	cli.Complete(cmd, "via", "both", "dns", "https")
	cmd.MarkFlagsMutuallyExclusive("json", "tap", "listen")
	cmd.MarkFlagsMutuallyExclusive("quiet", "tap")
	for _, name := range []string{"quiet", "strict", "at", "mail", "webhook"} {
		cmd.MarkFlagsMutuallyExclusive("listen", name)
	}
}

func watchDomains(cmd *cobra.Command, names []string, f watchFlags) error {
	q, err := f.question()
	if err != nil {
		return err
	}
	var domains []string
	if f.listen == "" || len(names) > 0 || f.list != "" {
		if domains, err = domainsOf(cmd, names, f.list); err != nil {
			return err
		}
	}
	w, err := f.watcher()
	if err != nil {
		return err
	}
	if f.listen != "" {
		return serveProbes(cmd, probe.Prober{Look: w.Look, Default: q, Domains: domains, Public: f.publicly, Roots: rootsName(f.roots)}, f.listen)
	}
	return watchList(cmd, w, q, domains, f)
}

// question is what is asked about each domain.
func (f *watchFlags) question() (q watch.Question, err error) {
	if q.Service, err = cli.Service(f.service); err != nil {
		return q, err
	}
	if q.Known, err = f.ownCertificates(); err != nil {
		return q, err
	}
	if f.target != "" {
		if q.Target, err = cli.Endpoint(f.target); err != nil {
			return q, err
		}
	}
	if f.warn != "" {
		if q.Warn, err = cli.Life(f.warn); err != nil {
			return q, err
		}
	}
	switch {
	case f.via != string(discovery.ViaBoth) && f.via != string(discovery.ViaDNS) && f.via != string(discovery.ViaHTTPS):
		return q, cli.Usagef("unknown --via %q (want both, dns or https)", f.via)
	case f.parallel < 1 || f.parallel > watch.MaxParallel:
		return q, cli.Usagef("--parallel %d is not between 1 and %d", f.parallel, watch.MaxParallel)
	case f.publicly && f.listen == "":
		return q, cli.Usagef("--listen-publicly is about --listen")
	}
	return q, nil
}

// watcher makes a client for each resolver and what looks through all of them.
func (f *watchFlags) watcher() (*watch.Watcher, error) {
	p, err := f.policy()
	if err != nil {
		return nil, err
	}
	p.Cache = delegation.NewCache(p.Roots)
	var resolvers []watch.Resolver
	add := func(name string, l lookupFlags) error {
		if slices.ContainsFunc(resolvers, func(r watch.Resolver) bool { return r.Name == name }) {
			return cli.Usagef("the resolver %s is named twice", name)
		}
		if len(resolvers) == watch.MaxResolvers {
			return cli.Usagef("more than %d resolvers", watch.MaxResolvers)
		}
		client, err := l.client(p.Roots)
		if err != nil {
			return err
		}
		if err := client.Check(); err != nil {
			return cli.Usagef("%w", err)
		}
		resolvers = append(resolvers, watch.Resolver{Name: name, Client: client})
		return nil
	}
	for _, r := range f.resolvers {
		l := f.lookupFlags
		l.resolver = r
		if err := add(r, l); err != nil {
			return nil, err
		}
	}
	for _, r := range f.validating {
		l := f.lookupFlags
		l.validating = r
		if err := add(r, l); err != nil {
			return nil, err
		}
	}
	if len(resolvers) == 0 {
		if err := add("the system's", f.lookupFlags); err != nil {
			return nil, err
		}
	}
	now := time.Now
	if f.at != "" {
		now = nil
	}
	return watch.NewWatcher(resolvers, p, now, f.parallel), nil
}

// watchList watches domains once, and shows each.
func watchList(cmd *cobra.Command, w *watch.Watcher, q watch.Question, domains []string, f watchFlags) error {
	tell, err := f.teller()
	if err != nil {
		return err
	}
	out := bufio.NewWriter(cmd.OutOrStdout())
	write, err := f.writer(out, cli.Color(cmd.OutOrStdout()), len(domains))
	if err != nil {
		return err
	}
	step := func() {}
	if f.quiet || !cli.Terminal(cmd.OutOrStdout()) { // where each line is seen as it comes
		step = cli.Progress(cmd.ErrOrStderr(), "watching")(len(domains))
	}
	type looked struct {
		report watch.Report
		err    error
	}
	look := func(ctx context.Context, domain string) looked {
		about := q
		about.Source = domain
		r, err := w.Look(ctx, about)
		return looked{r, err}
	}
	count := map[watch.Status]int{}
	var reports []watch.Report // for tell
	err = inOrder(cmd.Context(), domains, maxAhead, look, func(l looked) error {
		if l.err != nil {
			return l.err
		}
		count[l.report.Status]++
		step()
		if tell != nil {
			news := l.report
			news.Verdicts = nil // all evidence would be kept to the end
			reports = append(reports, news)
		}
		if err := write(l.report); err != nil {
			return err
		}
		return out.Flush()
	})
	if err := cmp.Or(err, out.Flush()); err != nil {
		return err
	}
	if tell != nil {
		if err := tell(cmd.Context(), reports); err != nil {
			return fmt.Errorf("not everybody was told what is new: %w", err)
		}
	}
	return watchSummary(cmd.ErrOrStderr(), count, f)
}

// writer is how a report is shown, of so many.
func (f *watchFlags) writer(out io.Writer, color bool, domains int) (func(watch.Report) error, error) {
	if f.tap {
		tap, err := watch.NewTAP(out, domains, f.strict)
		return tap.Write, err
	}
	return func(r watch.Report) error {
		switch {
		case f.quiet && r.Status == watch.StatusOK:
			return nil
		case f.json:
			return json.NewEncoder(out).Encode(r)
		}
		cli.WriteWatch(out, r, color)
		return nil
	}, nil
}

// watchSummary says how many domains have which status, and makes it the exit
// code.
func watchSummary(w io.Writer, count map[watch.Status]int, f watchFlags) error {
	bad, open, warned := count[watch.StatusError], count[watch.StatusUndetermined], count[watch.StatusWarning]
	if !f.quiet || bad+open+warned > 0 {
		fmt.Fprintf(w, "%d ok, %d warning, %d undetermined, %d error\n", count[watch.StatusOK], warned, open, bad)
	}
	return exitCode(bad > 0 || f.strict && warned > 0, open > 0)
}

// serveProbes answers until it is told to end.
func serveProbes(cmd *cobra.Command, p probe.Prober, listen string) error {
	listeners, err := daemon.Listen([]string{listen}, p.Public)
	if err != nil {
		return cli.Usagef("%w", err)
	}
	l := listeners[0]
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	fmt.Fprintf(cmd.ErrOrStderr(), "listening on %s\n", l.Addr())
	return probe.New(p).Serve(ctx, l)
}
