package publish

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// DefaultTTL is the TTL of a record set that does not exist yet. It is an hour,
// well below the lifetime of a statement, so that a revocation spreads soon.
const DefaultTTL = time.Hour

// maxTries is how often an update is made anew because the record set changed
// between reading and writing.
const maxTries = 5

// maxSame is how often the set is the same when it is read again after the server
// said that it is another, until that is no race. usualPause is the time between.
const (
	maxSame    = 2
	usualPause = time.Second
)

// DNS is how zones are updated and looked at: one value serves any number of
// domains and goroutines and is not changed by its use. The zero DNS can only
// look. Servers are asked over TCP, which every DNS server has (RFC 7766).
type DNS struct {
	Owner
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

	port      uint16        // of name servers that tests find by asking; zero means 53
	testPause time.Duration // zero means usualPause
	findTime  time.Duration // that of tests; zero means findTime
	showTime  time.Duration // that of tests; zero means showTime
}

// Place is the TXT record set of a source and a service. If its name is an
// alias (CNAME), the set is the one that the alias leads to, and the zone is
// the zone of that set.
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
	return cmp.Or(d.Logger, slog.New(slog.DiscardHandler))
}

func (d *DNS) pause() time.Duration { return cmp.Or(d.testPause, usualPause) }

func (d *DNS) ttl() time.Duration { return cmp.Or(d.TTL, DefaultTTL) }

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
	in, err := r.dns.prepare(statement, r.source, r.service)
	if err != nil {
		return nil, err
	}
	at, server, err := r.primary(ctx)
	if err != nil {
		return nil, err
	}
	return r.plan(ctx, at, server, func(u *Update) error { return u.decide(r, in) })
}

// Publish implements [Place] by one DNS update. Its prerequisite is the record
// set that was read (RFC 2136, Section 2.4.2); if another was faster, it reads
// again and tries again, a few times.
func (r *Records) Publish(ctx context.Context, statement []byte) (Change, error) {
	in, err := r.dns.prepare(statement, r.source, r.service)
	if err != nil {
		return Change{}, err
	}
	return r.update(ctx, func(u *Update) error { return u.decide(r, in) })
}

// Remove implements [Place] by one DNS update.
func (r *Records) Remove(ctx context.Context, ours func(*delegation.Inspection) bool) (Change, error) {
	return r.update(ctx, removing(ours))
}

// removing decides to remove the statements that are ours.
func removing(ours func(*delegation.Inspection) bool) func(*Update) error {
	return func(u *Update) error {
		for _, rr := range u.present {
			if in, counts, err := delegation.InspectTXT(strings.Join(rr.(*dns.TXT).Txt, "")); counts && err == nil && ours(in) {
				u.remove = append(u.remove, rr)
			}
		}
		return nil
	}
}

// Try sends an update that changes nothing, and so shows whether the server
// would accept one. Its prerequisite is the record set as it is, and it removes
// a record that nobody has. The server judges it like any other update: the
// signature, the set, and whether the key may change this name.
func (r *Records) Try(ctx context.Context) (Change, error) {
	change, err := r.update(ctx, func(u *Update) error {
		u.remove = []dns.RR{&dns.TXT{
			Hdr: dns.RR_Header{Name: u.Name, Rrtype: dns.TypeTXT, Class: dns.ClassINET},
			Txt: []string{"nobody has this record: " + rand.Text()},
		}}
		return nil
	})
	change.Changed, change.Replaced = false, 0
	return change, err
}

// update makes an update that decide fills in. If another was faster, it reads
// again and tries again.
func (r *Records) update(ctx context.Context, decide func(*Update) error) (Change, error) {
	if r.dns.Key == nil {
		return Change{}, delegation.Errorf(reasons.MissingInput, "there is no TSIG key, and an update without one could be anybody's")
	}
	at, server, err := r.primary(ctx)
	if err != nil {
		return Change{}, err
	}
	same := 0 // how often the set was the same as before, and the server said that it is not
	var before *Update
	for range maxTries {
		u, err := r.plan(ctx, at, server, decide)
		if err != nil {
			return Change{}, err
		}
		change := Change{Changed: !u.Nothing(), Where: u.Server, Name: u.Name, Replaced: len(u.Remove)}
		if !change.Changed {
			return change, nil
		}
		if before != nil && sameSet(before.present, u.present) {
			if same++; same == maxSame {
				return Change{}, u.otherView()
			}
			// A server that passes updates on may be a moment behind.
			select {
			case <-time.After(r.dns.pause()):
			case <-ctx.Done():
			}
		}
		raced, err := r.dns.send(ctx, u)
		r.dns.logger().Info("update", "server", u.Server, "zone", u.Zone, "name", u.Name, "removed", len(u.Remove), "raced", raced, "error", err)
		if err != nil {
			return Change{}, err
		}
		if !raced {
			return change, nil
		}
		before = u
	}
	return Change{}, delegation.Errorf(reasons.UpdateRaced, "the records at %s changed %d times between reading and writing", at.owner, maxTries)
}

// otherView is about a server that says of exactly the records it shows that
// they are not there. Nobody else was faster, so trying again does not help.
func (u *Update) otherView() error {
	shows := fmt.Sprintf("shows %d TXT records at %s", len(u.present), u.Name)
	if len(u.present) == 0 {
		shows = "shows no TXT record at " + u.Name
	}
	asked := "to the key too"
	if !u.key.known {
		asked = "but does not answer questions that are signed with the key"
	}
	return delegation.Errorf(reasons.UpdateRefused, "%s %s (%s), and says that an update which names just that does not fit: nobody else changes them, but it updates something else than it shows. "+
		"Are there two views of the zone, does it pass updates on to another server, or does it compare records in its own way, as Technitium DNS Server does?",
		u.server, shows, asked)
}

// finding bounds how long the servers of a place are looked for.
func (d *DNS) finding(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, cmp.Or(d.findTime, findTime))
}

// primary finds the record set and the server to update.
func (r *Records) primary(ctx context.Context) (spot, nameServer, error) {
	ctx, cancel := r.dns.finding(ctx)
	defer cancel()
	at, err := r.dns.locate(ctx, r.name())
	if delegation.ReasonOf(err) == reasons.DNSTimeout {
		err = delegation.Errorf(reasons.UpdateFailed, "%s; nothing was sent", detail(err))
	}
	if err != nil {
		return at, nameServer{}, err
	}
	server, err := r.dns.primary(ctx, at)
	return at, server, err
}
