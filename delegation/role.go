package delegation

import (
	"slices"
	"strings"
)

// A Role is a service that an owner delegates as a whole. It has one statement,
// one name in DNS, one order and one floor, and one or two SRV labels.
type Role struct {
	Service     string // the claim, and the first SRV label: _xmpp-server._tcp
	Second      string // the SRV label for TLS from the first byte, or "": _xmpps-server._tcp
	Start       Start  // how a connection to an endpoint of the first label begins
	DefaultPort uint16 // of the source itself, where there are no SRV records; 0: none
	SendsToo    bool   // the delegate also connects to others and sends for the source
	ALPN        string // the application protocol of direct TLS (XEP-0368, Section 3), or ""
}

// A Start is how a connection to an endpoint begins.
type Start string

// The starts. A program does not connect to an endpoint with an UnknownStart.
const (
	STARTTLS     Start = "starttls" // in clear text, as the protocol says
	DirectTLS    Start = "direct"   // with TLS
	UnknownStart Start = ""
)

// roles is the table of docs/spec.md, Section 1. It is part of version 1: a new
// pair of labels would make published statements malformed.
// RFC 6120 and XEP-0368 (xmpp), RFC 8314 (imap, pop3, submission), RFC 4513
// (ldap).
var roles = []Role{
	{"_xmpp-server._tcp", "_xmpps-server._tcp", STARTTLS, 5269, true, "xmpp-server"},
	{"_xmpp-client._tcp", "_xmpps-client._tcp", STARTTLS, 5222, false, "xmpp-client"},
	{"_imap._tcp", "_imaps._tcp", STARTTLS, 0, false, ""},
	{"_pop3._tcp", "_pop3s._tcp", STARTTLS, 0, false, ""},
	{"_submission._tcp", "_submissions._tcp", STARTTLS, 0, false, ""},
	{"_ldap._tcp", "_ldaps._tcp", STARTTLS, 0, false, ""},
}

// Roles are the roles of the table, in its order.
func Roles() []Role { return slices.Clone(roles) }

// RoleOf finds the role of an SRV label, the first or the second one. Every
// other service is a role of its own.
func RoleOf(label string) Role {
	for _, r := range roles {
		if label == r.Service || label == r.Second {
			return r
		}
	}
	return Role{Service: label}
}

// Labels are the SRV labels of the role, one or two, the one of the claim first.
func (r Role) Labels() []string {
	if r.Second == "" {
		return []string{r.Service}
	}
	return []string{r.Service, r.Second}
}

// StartAt is how a connection to an endpoint begins that the SRV records of a
// label name.
func (r Role) StartAt(label string) Start {
	if label == r.Second {
		return DirectTLS
	}
	return r.Start
}

// StartOf is how a connection to a target of a statement begins.
func (r Role) StartOf(t Target) Start {
	if t.TLS == Direct && !strings.HasSuffix(r.Service, "._udp") {
		return DirectTLS
	}
	return r.Start
}
