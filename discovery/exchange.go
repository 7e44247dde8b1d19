package discovery

import (
	"context"
	"net/netip"
	"time"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/internal/dnsexchange"
)

// exchange asks one server once, within a limit.
func exchange(ctx context.Context, server netip.AddrPort, q question, limit time.Duration) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return dnsexchange.Exchange(ctx, server, q.message())
}
