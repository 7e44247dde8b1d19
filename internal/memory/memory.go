package memory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation"
)

// Limits of a memory. Names below a domain cost its owner nothing, and domains
// cost little, so whoever wants to fill the memory can try.
const (
	// Keep is how long a source is remembered after the last Raise
	// (docs/spec.md, O3).
	Keep = 400 * 24 * time.Hour
	// MaxSources bounds the sources that are remembered. With a statement each
	// they take about 200 MB in a file, and 500 MB in a Redis, which counts twice
	// as many keys instead, on each node of a cluster.
	MaxSources = 1_000_000
	// MaxPerDomain bounds the sources under one registrable domain, that is a
	// name directly below a suffix of the Public Suffix List.
	MaxPerDomain = 1000
	// MaxPerShared bounds the sources under one registrable domain whose owner
	// gives names below it to others, as the private part of the Public Suffix
	// List says (dynamic DNS, web hosts). Such names are free, and each of
	// them counts as a registrable domain of its own.
	MaxPerShared = 10_000
	// MaxServices bounds the services of one source. XMPP has four.
	MaxServices = 32
)

var (
	// ErrFull: a limit is reached, so a new source, or a new service of a
	// source, is not remembered. Nothing that is remembered makes room for it,
	// else an attacker could make us forget. See [Store.Raise].
	ErrFull = errors.New("the memory is full")
	// ErrDamaged: what is stored is not what was written.
	ErrDamaged = errors.New("the memory is damaged")
	// ErrLocked: another process uses the file.
	ErrLocked = errors.New("another process uses the memory")
)

func damaged(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrDamaged, fmt.Sprintf(format, args...))
}

// A Store remembers, for each source, the newest statements that were
// verified: the floors. It may be used by many goroutines at once.
type Store interface {
	// Floors returns what is remembered of a source, sorted by service, and
	// nothing for one that is unknown.
	Floors(ctx context.Context, source string) ([]delegation.Floor, error)
	// Raise remembers floors of a source that were verified, each unless one
	// that stands at least as high is remembered for its service. It returns
	// what is remembered then, sorted by service: of two floors of one order
	// the one that came first, so that the later one is seen to conflict.
	//
	// When it returns nil, that outlives a crash. Raises at the same time,
	// also of other processes, come one after the other.
	//
	// If the error is [ErrFull], the floors returned are remembered, others
	// are not, and nothing else is wrong: the caller is in the place of a
	// verifier that meets the source for the first time. After any other error
	// it is not known whether the floors are remembered.
	Raise(ctx context.Context, source string, floors []delegation.Floor) ([]delegation.Floor, error)
	// Close ends the use of the store. It waits for what is under way.
	Close() error
}

// Options are what a store may be given. The zero value is fine.
type Options struct {
	Logger *slog.Logger     // nil discards
	Now    func() time.Time // nil is time.Now
}

func (o Options) withDefaults() Options {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Open opens a memory: the path of a file, which is made if it is not there, or
// the URL of a Redis (6 or later) or Valkey, alone or the first of a cluster:
//
//	/var/lib/dnaverify/memory.db
//	redis://[user[:password]@]host[:port][/db][?password-file=FILE]
//	rediss://[user[:password]@]host[:port][/db][?password-file=FILE][&ca-file=FILE]
//	unix:///socket[?db=N][&password-file=FILE]
//
// Errors wrap [ErrLocked], [ErrDamaged] or an [io/fs] error where it is one of
// those. A Redis that does not answer is an error too; one that is away later
// is asked again at each call. No error holds a password.
func Open(ctx context.Context, where string, options Options) (Store, error) {
	return open(ctx, where, options, limits{MaxSources, MaxPerDomain, MaxPerShared})
}

// limits are the limits above; tests have smaller ones.
type limits struct {
	sources, domain, shared int
}

func open(ctx context.Context, where string, options Options, l limits) (Store, error) {
	options = options.withDefaults()
	if where == "" {
		return nil, errors.New("no place for the memory: give a file, or the URL of a Redis")
	}
	if strings.Contains(where, "://") {
		return openRedis(ctx, where, options, l)
	}
	// What is almost a URL may hold a password, so it must not become the name
	// of a file, nor part of an error.
	if scheme, _, found := strings.Cut(where, ":"); found && slices.Contains(redisSchemes, strings.ToLower(scheme)) {
		return nil, fmt.Errorf("a Redis is %s:// and what follows, with two slashes; for a file of that name, write ./ before it", scheme)
	}
	return openFile(ctx, where, options, l)
}

// checkFloors tells what no verified statement can have led to.
func checkFloors(source string, floors []delegation.Floor) error {
	if err := delegation.CheckName(source); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	for _, f := range floors {
		if err := delegation.CheckService(f.Service); err != nil {
			return err
		}
		for _, at := range []time.Time{f.Order.SignerNotBefore, f.Order.Issued, f.ValidUntil} {
			if at.Nanosecond() != 0 || !inRange(at.UTC()) {
				return fmt.Errorf("a floor of %s has the time %v, which no statement has", f.Service, at)
			}
		}
	}
	return nil
}
