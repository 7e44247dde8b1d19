package main

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/discovery/floors/filestore"
	"github.com/dnasign/dnasign/discovery/floors/redisstore"
	"github.com/dnasign/dnasign/discovery/verifier"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/daemon"
	"github.com/dnasign/dnasign/keys"
)

// defaultSocket is where the daemon listens unless told otherwise.
const defaultSocket = "unix:/run/dnaverify/dnaverify.sock"

// serveFlags are the options of the daemon, from the command line and from the
// configuration file.
type serveFlags struct {
	lookupFlags
	roots, config, store string
	listen               []string
	publicly             bool
	cacheSize            int64
	exempt               []string
	limits               verifier.Limits
	logLevel, logFormat  string
	level                slog.Level // of logLevel: see check
}

func serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Answer other programs: does this peer count as that domain?",
		Long: `Answer, over HTTP and JSON on a unix socket, whether the peer that showed a
certificate chain may act for a domain. It is for servers not written in Go.
docs/openapi.yaml describes the protocol.

It caches decisions until they end and looks again ahead of time. In --store (a
file, or the URL of a Redis) it remembers the newest statement of each domain for
400 days, so that nobody can show it an older one. Daemons that share a Redis
hear of a newer statement within a second. Without --store the file is memory.db
in the folder that systemd gives it (StateDirectory=).

The options can be in the file --config, one a line, as NAME: VALUE. The command
line wins. SIGHUP reads the file and the trust anchors again and empties the cache,
but not the store. SIGTERM finishes the questions under way.

Any program that can connect can ask. It listens where other machines can reach it
only with --listen-publicly. Sockets that systemd opened are used instead of --listen.`,
		Example: `  dnaverify serve --listen unix:/run/dnaverify/dnaverify.sock --store /var/lib/dnaverify/memory.db
  dnaverify serve --config /etc/dnaverify.yaml`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return serve(cmd) },
	}
	f.define(cmd)
	return cmd
}

func (f *serveFlags) define(cmd *cobra.Command) {
	f.definePlaces(cmd)
	flags := cmd.Flags()
	flags.StringVar(&f.config, "config", "", "YAML file with these options")
	flags.StringArrayVar(&f.listen, "listen", []string{defaultSocket}, "unix:/path or address:port, repeatable")
	flags.BoolVar(&f.publicly, "listen-publicly", false, "let other machines connect and ask")
	flags.StringVar(&f.store, "store", "", "file, or redis:// URL, for the newest statements")
	flags.StringVar(&f.roots, "roots", "", "PEM file with the trust anchors, instead of the system's")
	flags.Int64Var(&f.cacheSize, "cache-size", verifier.DefaultLimits.CacheBytes>>20, "memory for decisions, in MiB")
	flags.IntVar(&f.limits.LookupsInFlight, "lookups-in-flight", verifier.DefaultLimits.LookupsInFlight, "lookups at one time, counted separately for new domains and for known ones")
	flags.IntVar(&f.limits.LookupsPerNetwork, "lookups-per-network", verifier.DefaultLimits.LookupsPerNetwork, "lookups of new domains at one time for the peers of one network (IPv4 /24, IPv6 /48), or below one registrable domain; 4 times as many of known ones")
	flags.StringArrayVar(&f.exempt, "exempt", nil, "network whose peers --lookups-per-network does not limit, such as 192.0.2.0/24; repeatable")
	flags.IntVar(&f.limits.Waiting, "questions-waiting", verifier.DefaultLimits.Waiting, "questions that may wait for lookups")
	flags.StringVar(&f.logLevel, "log-level", "info", "debug, info, warn or error")
	flags.StringVar(&f.logFormat, "log-format", "text", "text or json")
	cli.Complete(cmd, "log-level", "debug", "info", "warn", "error")
	cli.Complete(cmd, "log-format", "text", "json")
}

// load gives the options as they are now: what was given on the command line,
// then what the configuration file says.
func load(given *pflag.FlagSet) (*serveFlags, error) {
	var f serveFlags
	cmd := &cobra.Command{}
	f.define(cmd)
	var err error
	given.Visit(func(flag *pflag.Flag) {
		to := cmd.Flags().Lookup(flag.Name)
		if to == nil {
			return // --help and the like
		}
		to.Changed = true
		if list, ok := flag.Value.(pflag.SliceValue); ok {
			err = errors.Join(err, to.Value.(pflag.SliceValue).Replace(list.GetSlice()))
		} else {
			err = errors.Join(err, to.Value.Set(flag.Value.String()))
		}
	})
	if err != nil {
		return nil, err
	}
	if f.config != "" {
		if err := cli.ApplyConfig(cmd.Flags(), f.config, "config"); err != nil {
			return nil, err
		}
	}
	if err := cmd.ValidateFlagGroups(); err != nil {
		return nil, cli.Usagef("%w", err)
	}
	return &f, f.check()
}

func (f *serveFlags) check() error {
	if f.store = cmp.Or(f.store, stateFile("memory.db")); f.store == "" {
		return cli.Usagef("--store is needed: a file such as /var/lib/dnaverify/memory.db, or redis://HOST; without a memory an older statement would be believed after a restart")
	}
	if f.cacheSize < 1 || f.limits.LookupsInFlight < 1 || f.limits.LookupsPerNetwork < 1 || f.limits.Waiting < 1 {
		return cli.Usagef("--cache-size, --lookups-in-flight, --lookups-per-network and --questions-waiting must be above 0")
	}
	if err := f.parseExempt(); err != nil {
		return err
	}
	f.limits.CacheBytes = f.cacheSize << 20
	if f.logFormat != "text" && f.logFormat != "json" {
		return cli.Usagef("--log-format %q is neither text nor json", f.logFormat)
	}
	if err := f.level.UnmarshalText([]byte(f.logLevel)); err != nil {
		return cli.Usagef("unknown --log-level %q (want debug, info, warn or error)", f.logLevel)
	}
	if f.selfTest != "" {
		_, _, err := f.testNames()
		return err
	}
	return nil
}

// stateFile is a file in the folder that systemd gives, "" without one.
func stateFile(name string) string {
	// systemd.exec(5), StateDirectory=: one folder, or several with colons.
	dir, _, _ := strings.Cut(os.Getenv("STATE_DIRECTORY"), ":")
	if dir == "" {
		return ""
	}
	return filepath.Join(dir, name)
}

// parseExempt reads the networks, or addresses, that are exempt.
func (f *serveFlags) parseExempt() error {
	for _, text := range f.exempt {
		network, err := netip.ParsePrefix(text)
		if addr, invalid := netip.ParseAddr(text); invalid == nil && addr.Zone() == "" {
			network, err = addr.Prefix(addr.BitLen())
		}
		if err != nil || network.Addr().Is4In6() || network != network.Masked() {
			return cli.Usagef("--exempt %q is not a network such as 192.0.2.0/24 or 2001:db8::/48, with zeros after its length", text)
		}
		f.limits.Exempt = append(f.limits.Exempt, network)
	}
	return nil
}

// A service is the daemon while it runs.
type service struct {
	given   *pflag.FlagSet
	flags   *serveFlags
	level   slog.LevelVar
	log     *slog.Logger
	store   floors.Store
	metrics *daemon.Metrics
	handler *daemon.Handler

	ctx        context.Context // ends when the daemon is to end
	background sync.WaitGroup  // states that a reload replaced, self-tests
}

func serve(cmd *cobra.Command) (err error) {
	s := &service{given: cmd.Flags(), metrics: daemon.NewMetrics()}
	if s.flags, err = load(s.given); err != nil {
		return err
	}
	options := &slog.HandlerOptions{Level: &s.level}
	if s.flags.logFormat == "json" {
		s.log = slog.New(slog.NewJSONHandler(cmd.ErrOrStderr(), options))
	} else {
		s.log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), options))
	}
	ctx, stop := signal.NotifyContext(cmd.Context(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	s.ctx = ctx
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)

	listeners, err := daemon.Inherited(s.flags.publicly)
	if err == nil && len(listeners) == 0 {
		listeners, err = daemon.Listen(s.flags.listen, s.flags.publicly)
	}
	if err != nil {
		return cli.Usagef("%w", err)
	}
	defer func() {
		for _, l := range listeners {
			l.Close() // again, where Serve did
		}
	}()
	if s.store, err = openStore(ctx, s.flags.store, s.log); err != nil {
		// A folder that is missing does not come by itself, as a Redis may.
		if !strings.Contains(s.flags.store, "://") && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)) {
			return cli.Usagef("--store: %w", err)
		}
		return &delegation.Error{Outcome: reasons.OutcomeUndetermined, Reason: reasons.MemoryFailed, Detail: err.Error()}
	}
	defer func() { err = errors.Join(err, s.store.Close()) }()
	s.handler = daemon.NewHandler(s.metrics, s.log)
	state, err := s.state(s.flags, false)
	if err != nil {
		return err
	}
	s.handler.Use(state)
	defer func() { s.handler.Use(nil).Close() }()
	defer s.background.Wait()

	for _, l := range listeners {
		s.log.Info("listening", "address", l.Addr().String())
		if s.flags.publicly {
			s.log.Warn("other machines may connect and ask (--listen-publicly)", "address", l.Addr().String())
		}
	}
	s.notify(daemon.Ready)
	var reloading sync.WaitGroup
	reloading.Go(func() {
		for {
			select {
			case <-hangups:
				s.notify(daemon.Reloading)
				s.reload()
				s.notify(daemon.Ready)
			case <-ctx.Done():
				s.notify(daemon.Stopping)
				return
			}
		}
	})
	err = daemon.Serve(ctx, s.handler, listeners, s.log)
	stop() // where Serve ended by itself
	reloading.Wait()
	s.log.Info("stopped")
	return err
}

// openStore opens the memory that --store names: a file, or a Redis by its URL.
func openStore(ctx context.Context, where string, log *slog.Logger) (floors.Store, error) {
	options := &floors.Options{Logger: log}
	if redisstore.IsURL(where) {
		return redisstore.Open(ctx, where, options)
	}
	return filestore.Open(ctx, where, options)
}

func (s *service) notify(n daemon.Notice) {
	if err := daemon.Notify(n); err != nil {
		s.log.Warn("systemd cannot be told", "error", err)
	}
}

// state makes what questions are answered with, and looks at its health.
func (s *service) state(f *serveFlags, again bool) (*daemon.State, error) {
	roots, err := keys.LoadRoots(f.roots)
	if err != nil {
		return nil, err
	}
	client, err := f.client(roots)
	if err != nil {
		return nil, err
	}
	client.Logger = s.log
	if err := client.Check(); err != nil {
		return nil, cli.Usagef("%w", err)
	}
	health := &daemon.Health{Memory: s.store}
	if f.selfTest != "" {
		good, bogus, err := f.testNames()
		if err != nil {
			return nil, err
		}
		health.SelfTest = func(ctx context.Context) error {
			err := client.SelfTest(ctx, good, bogus)
			if err != nil && s.ctx.Err() == nil {
				s.log.Error("the validating resolver fails its self-test", "error", err)
			}
			return err
		}
		// It does not keep the daemon from beginning: the resolver may begin later.
		s.background.Go(func() { health.SelfTest(s.ctx) }) // it logs its error
	}
	engine, err := verifier.New(verifier.Config{
		Discovery: client, Floors: s.store, Roots: roots, LookFirst: again, Limits: f.limits, Metrics: s.metrics.Engine, Logger: s.log,
	})
	if err != nil {
		return nil, err
	}
	s.level.Set(f.level)
	return &daemon.State{Verifier: engine, Health: health}, nil
}

// reload takes a new configuration, or stays with the one there is. What was
// decided is forgotten, so that it is all looked up again before it is used.
func (s *service) reload() {
	f, err := load(s.given)
	var state *daemon.State
	if err == nil {
		state, err = s.state(f, true)
	}
	s.metrics.Reloaded(err == nil)
	if err != nil {
		s.log.Error("the new configuration is not usable, the old one stays", "error", err)
		return
	}
	if f.store != s.flags.store || !slices.Equal(f.listen, s.flags.listen) || f.publicly != s.flags.publicly || f.logFormat != s.flags.logFormat {
		s.log.Warn("--store, --listen, --listen-publicly and --log-format change with a restart only")
	}
	before := s.handler.Use(state)
	s.background.Go(before.Close)
	s.log.Info("reloaded")
}
