package publish

import (
	"context"
	"errors"
	"log/slog"
	"time"
)

// DefaultTTL is the TTL of a record set that is not there yet: an hour, well
// below the life of a statement, so that a revocation spreads soon.
const DefaultTTL = time.Hour

// DNS is how zones are updated and looked at: one value serves any number of
// domains and goroutines and is not changed by its use. The zero DNS can only
// look.
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
	// Resolver is asked for names, in the form of Server. Empty means the
	// resolver of the system. With Server and Authorities it is asked only
	// if Server does not know the name.
	Resolver string
	// TTL of a record set that is not there yet, in whole seconds; one that is
	// there keeps its own. Zero means [DefaultTTL].
	TTL time.Duration
	// Wait is how long Check waits for a server that does not show a
	// statement yet. Zero means that it looks once.
	Wait time.Duration
	// Logger gets a line for each update, and for each look at debug level. Nil
	// discards. It never sees a secret.
	Logger *slog.Logger
	// Now gives the time that statements are held to. Nil means time.Now.
	Now func() time.Time
}

// Place is the TXT record set of a source and a service. If its name is an
// alias (CNAME), the set is the one the alias leads to, and the zone the one
// that is in.
func (d *DNS) Place(source, service string) *Records { return &Records{d, source, service} }

// Records is a [Place] in DNS.
type Records struct {
	dns             *DNS
	source, service string
}

// Plan is what Publish would send now. Nothing is sent, and no key is needed.
func (r *Records) Plan(ctx context.Context, statement []byte) (*Update, error) {
	return nil, errors.ErrUnsupported
}

// Publish implements [Place] by one DNS update. Its prerequisite is the record
// set that was read (RFC 2136, Section 2.4.2); if another was faster, it reads
// again and tries again, a few times.
func (r *Records) Publish(ctx context.Context, statement []byte) (Change, error) {
	return Change{}, errors.ErrUnsupported
}

// Check implements [Place] at every authoritative server.
func (r *Records) Check(ctx context.Context, statement []byte) error {
	return errors.ErrUnsupported
}

// Current implements [Place] at every authoritative server.
func (r *Records) Current(ctx context.Context) ([]View, error) {
	return nil, errors.ErrUnsupported
}

// An Update is a DNS update that is ready to be sent. Records are in the form
// of a zone file.
type Update struct {
	Server  string        `json:"server"` // address and port
	Zone    string        `json:"zone"`   // with the trailing dot
	Name    string        `json:"name"`   // of the records, with the trailing dot
	TTL     time.Duration `json:"ttl"`
	Present []string      `json:"present"` // the record set must still be this; empty: must not be there
	Remove  []string      `json:"remove"`
	Add     []string      `json:"add"` // empty if nothing is to be done
}
