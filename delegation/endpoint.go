package delegation

import (
	"net/netip"
	"strconv"
	"time"
)

// An EndpointAnswer is what DNS says of an endpoint: the addresses of its host,
// and the TLSA records of its port (RFC 6698). It is evidence about a peer, found
// when somebody dials the endpoint or a peer shows a certificate. So it is no part
// of [Evidence], which is about a source.
type EndpointAnswer struct {
	Endpoint
	// Collected is when the questions were asked, for the TTLs.
	Collected time.Time     `json:"collected"`
	Address   AddressAnswer `json:"address"`
	// TLSA is nil if it was not asked for. It is asked for only if the addresses
	// are secure.
	TLSA *TLSAAnswer `json:"tlsa,omitempty"`
}

// An AddressAnswer is what A and AAAA questions came to, together, CNAME records
// followed. It is secure if all answers that came are.
type AddressAnswer struct {
	Answer
	Addresses []netip.Addr `json:"addresses"` // in the order to try them
	// Partly says that one of the two questions failed, so that there may be more.
	Partly bool `json:"partly,omitempty"`
}

// TLSAName is where the TLSA records of an endpoint are (RFC 6698, Section 3),
// without a trailing dot.
func (e Endpoint) TLSAName() string { return "_" + strconv.Itoa(int(e.Port)) + "._tcp." + e.Host }
