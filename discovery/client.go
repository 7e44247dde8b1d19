package discovery

import (
	"cmp"
	"crypto/x509"
	"log/slog"
	"net/netip"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/dnsexchange"
)

// Via chooses where statements are looked for. SRV records are asked for
// always.
type Via string

// The choices. The empty Via is ViaAuto.
const (
	ViaAuto  Via = "auto"  // DNS and HTTPS together, until there is enough
	ViaDNS   Via = "dns"   // DNS, until there is enough
	ViaHTTPS Via = "https" // HTTPS, until there is enough
	ViaBoth  Via = "both"  // DNS and HTTPS, all of it
)

// A Client is how the network is asked. The zero Client is of use only for
// [ViaDNS]; everything else needs HTTPSRoots. A Client is not changed by its
// methods, which may be called by several goroutines at once.
type Client struct {
	// Resolver is the recursive resolver, an IP address with a port (IPv6 in
	// brackets) or without one for port 53. Empty means those of the system,
	// /etc/resolv.conf, at most three of them. It is not subject to the
	// address filter.
	Resolver string
	// Validating says that the operator vouches for Resolver: it validates
	// DNSSEC, and nobody on the path to it can change its replies. Only then is
	// an answer ever marked secure or bogus. It cannot be set without a
	// Resolver.
	Validating bool
	// Via is where to look.
	Via Via
	// HTTPSRoots are the trust anchors for web servers. Required unless Via is
	// ViaDNS; nil never means those of the system.
	HTTPSRoots *x509.CertPool
	// ConnectTo replaces addresses of web servers, and of the hosts given to
	// DialContext. The first match is used.
	ConnectTo []ConnectTo
	// AllowPrivateAddresses lets connections go to loopback, private and other
	// special addresses. For laboratories: outside them, any domain asked
	// about could make this machine connect inside its own network.
	AllowPrivateAddresses bool
	// Logger gets a line for each lookup at the debug level. Nil discards.
	Logger *slog.Logger
	// Now gives the time that is noted in the evidence. Nil means time.Now.
	Now func() time.Time

	timeouts   *timeouts // nil: defaultTimeouts
	resolvConf string    // empty: the system's
}

func (c *Client) via() Via { return cmp.Or(c.Via, ViaAuto) }

func (c *Client) logger() *slog.Logger {
	if c.Logger == nil {
		return slog.New(slog.DiscardHandler)
	}
	return c.Logger
}

func (c *Client) limits() timeouts {
	if c.timeouts == nil {
		return defaultTimeouts
	}
	return *c.timeouts
}

func (c *Client) now() time.Time {
	if c.Now == nil {
		return time.Now()
	}
	return c.Now()
}

// Check finds mistakes in a Client before it is used. Every Gather would return
// them as an error, whatever it is asked. Nothing is asked of anybody.
func (c *Client) Check() error {
	if err := c.check("b.example", "_xmpp-server._tcp"); err != nil {
		return err
	}
	_, err := c.connector()
	return err
}

// check finds the mistakes of the caller's before anything is asked.
func (c *Client) check(source, service string) error {
	if err := delegation.CheckName(source); err != nil {
		return configError("the source domain: %w", err)
	}
	if err := delegation.CheckService(service); err != nil {
		return configError("%w", err)
	}
	switch c.via() {
	case ViaDNS:
	case ViaAuto, ViaHTTPS, ViaBoth:
		if c.HTTPSRoots == nil {
			return configError("there are no trust anchors for HTTPS (HTTPSRoots)")
		}
	default:
		return configError("unknown via %q (want auto, dns, https or both)", c.Via)
	}
	return nil
}

func (c *Client) resolver() (*resolver, error) {
	r := &resolver{validating: c.Validating, timeouts: c.limits(), log: c.logger()}
	if c.Resolver != "" {
		server, err := dnsexchange.ParseServer(c.Resolver)
		if err != nil {
			return nil, configError("the resolver %w", err)
		}
		r.servers = []netip.AddrPort{server}
		return r, nil
	}
	if c.Validating {
		return nil, configError("a resolver can be said to validate only if it is named (Resolver)")
	}
	var err error
	if r.servers, err = dnsexchange.SystemResolvers(c.resolvConf); err != nil {
		return nil, configError("%w; name one", err)
	}
	return r, nil
}
