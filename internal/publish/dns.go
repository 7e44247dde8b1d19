package publish

import (
	"context"
	"log/slog"
	"time"

	"github.com/dnasign/dnasign/delegation"
)

// DefaultTTL is the TTL of a record set that is not there yet: an hour, well
// below the life of a statement, so that a revocation spreads soon.
const DefaultTTL = time.Hour

// maxTries is how often an update is made anew because the record set changed
// between reading and writing.
const maxTries = 5

// DNS is how zones are updated and looked at: one value serves any number of
// domains and goroutines and is not changed by its use. The zero DNS can only
// look. Servers are asked over TCP, which every DNS server has (RFC 7766).
type DNS struct {
	// Server is where updates go, an IP address with a port, or without one
	// for port 53. Empty means the primary that the zone's SOA record names
	// (MNAME), at port 53.
	Server string
	// Key signs updates; without one, Publish refuses.
	Key *TSIGKey
	// Authorities are the servers to look at, in the form of Server. None
	// means those of the zone's NS records, at port 53.
	Authorities []string
	// Resolver is asked for names, in the form of Server. Empty means those of
	// the system. With Server and Authorities it is asked only for names of
	// which they do not have the zone.
	Resolver string
	// TTL of a record set that is not there yet, in whole seconds; one that is
	// there keeps its own. Zero means [DefaultTTL].
	TTL time.Duration
	// Wait is how long Check waits for a server that does not show a
	// statement yet. Zero means that it looks once.
	Wait time.Duration
	// Logger gets a line for each update that is sent. Nil discards. It never
	// sees a secret.
	Logger *slog.Logger
	// Now gives the time that statements are held to and updates are signed
	// at. Nil means time.Now.
	Now func() time.Time
}

// Place is the TXT record set of a source and a service. If its name is an
// alias (CNAME), the set is the one the alias leads to, and the zone the one
// that is in.
func (d *DNS) Place(source, service string) *Records { return &Records{d, source, service} }

// Valid returns an error if a server is not in the form that is asked for.
func (d *DNS) Valid() error {
	for _, s := range append([]string{d.Server, d.Resolver}, d.Authorities...) {
		if s == "" {
			continue
		}
		if _, err := parseServer(s); err != nil {
			return err
		}
	}
	return nil
}

func (d *DNS) logger() *slog.Logger {
	if d.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return d.Logger
}

func (d *DNS) ttl() time.Duration {
	if d.TTL == 0 {
		return DefaultTTL
	}
	return d.TTL
}

// Records is a [Place] in DNS.
type Records struct {
	dns             *DNS
	source, service string
}

// String implements [Place].
func (r *Records) String() string { return "TXT " + r.name() }

func (r *Records) name() string { return delegation.TXTName(r.source, r.service) }

// Plan is what Publish would send now. Nothing is sent, and no key is needed.
func (r *Records) Plan(ctx context.Context, statement []byte) (*Update, error) {
	in, err := prepare(statement, r.source, r.service, now(r.dns.Now))
	if err != nil {
		return nil, err
	}
	at, server, err := r.primary(ctx)
	if err != nil {
		return nil, err
	}
	return r.plan(ctx, at, server, in)
}

// Publish implements [Place] by one DNS update. Its prerequisite is the record
// set that was read (RFC 2136, Section 2.4.2); if another was faster, it reads
// again and tries again, a few times.
func (r *Records) Publish(ctx context.Context, statement []byte) (Change, error) {
	in, err := prepare(statement, r.source, r.service, now(r.dns.Now))
	if err != nil {
		return Change{}, err
	}
	if r.dns.Key == nil {
		return Change{}, failure(delegation.MissingInput, "there is no TSIG key, and an update without one could be anybody's")
	}
	at, server, err := r.primary(ctx)
	if err != nil {
		return Change{}, err
	}
	for range maxTries {
		u, err := r.plan(ctx, at, server, in)
		if err != nil {
			return Change{}, err
		}
		change := Change{Changed: len(u.Add) > 0 || len(u.Remove) > 0, Where: u.Server, Replaced: len(u.Remove)}
		if !change.Changed {
			return change, nil
		}
		raced, err := r.dns.send(ctx, u)
		r.dns.logger().Info("update", "server", u.Server, "zone", u.Zone, "name", u.Name, "removed", len(u.Remove), "raced", raced, "error", err)
		if err != nil {
			return Change{}, err
		}
		if !raced {
			return change, nil
		}
	}
	return Change{}, failure(delegation.UpdateRaced, "the records at %s changed %d times between reading and writing", at.owner, maxTries)
}

// primary finds the record set and the server to update.
func (r *Records) primary(ctx context.Context) (spot, nameServer, error) {
	at, err := r.dns.locate(ctx, r.name())
	if delegation.ReasonOf(err) == delegation.DNSTimeout {
		err = failure(delegation.UpdateFailed, "%s; nothing was sent", detail(err))
	}
	if err != nil {
		return at, nameServer{}, err
	}
	server, err := r.dns.primary(ctx, at)
	return at, server, err
}
