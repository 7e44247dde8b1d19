package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/text"
)

// ConnectionVersion is the Version of a [Connection].
const ConnectionVersion = 1

// A Connection is what became of connecting to a domain's service, for a
// person or for another program. Its JSON form is described in docs/reports.md.
type Connection struct {
	Version  int                     `json:"version"`
	Outcome  reasons.Outcome         `json:"outcome"`
	Reason   reasons.Reason          `json:"reason"`
	Detail   string                  `json:"detail,omitempty"`
	Hint     string                  `json:"hint,omitempty"`
	Source   string                  `json:"source"`
	Service  string                  `json:"service"`
	Required bool                    `json:"required"` // there is a statement: no way back to something weaker
	Accepted *association.Acceptance `json:"accepted"` // null unless verified
	// RefreshAt is when to decide again; null if there was no decision.
	RefreshAt *time.Time          `json:"refresh_at"`
	Checks    Checks              `json:"checks"`
	Methods   []association.Proof `json:"methods"`
	Targets   []ConnectionTarget  `json:"targets"`
	// Brought is what the server said about our own statement, nil if none was brought.
	Brought *ConnectionBrought `json:"brought,omitempty"`
}

// A ConnectionBrought is what a server said about a statement that was brought in the
// XMPP stream.
type ConnectionBrought struct {
	From string `json:"from"` // the domain of the statement
	// Outcome and Reason are the server's words, empty if it said nothing.
	Outcome  string `json:"outcome"`
	Reason   string `json:"reason"`
	External bool   `json:"external"`         // it then offers SASL EXTERNAL
	Detail   string `json:"detail,omitempty"` // why it said nothing
}

// line tells it to a person.
func (b *ConnectionBrought) line() string {
	if b.Outcome == "" {
		return fmt.Sprintf("the statement of %s was not judged: %s", b.From, b.Detail)
	}
	offer := "it does not offer EXTERNAL"
	if b.External {
		offer = "it offers EXTERNAL"
	}
	return fmt.Sprintf("the server says about %s and its statement: %s, %s; %s", b.From, b.Outcome, b.Reason, offer)
}

// A ConnectionTarget is one target and what happened there.
type ConnectionTarget struct {
	delegation.Target
	Start      delegation.Start       `json:"start"` // "starttls", "direct", or "" if it is not known
	ServerName string                 `json:"server_name"`
	Tried      bool                   `json:"tried"`
	Address    string                 `json:"address,omitempty"`
	TLS        *ConnectionTLS         `json:"tls,omitempty"`
	Reason     reasons.Reason         `json:"reason,omitempty"` // verified if accepted
	Checks     Checks                 `json:"checks"`
	Accepted   *association.Reference `json:"accepted,omitempty"`
	// DNS is what DNS says of the endpoint, if TLSA records might have had a say.
	DNS *delegation.EndpointAnswer `json:"dns,omitempty"`
}

// ConnectionTLS is what TLS and the peer's certificate said.
type ConnectionTLS struct {
	Version  string    `json:"version"`
	Cipher   string    `json:"cipher"`
	ALPN     string    `json:"alpn,omitempty"`
	Names    []string  `json:"names"` // DNS names of the certificate
	Issuer   string    `json:"issuer"`
	NotAfter time.Time `json:"not_after"`
}

// WriteConnection tells a person what became of a connection: the verdict and
// what failed. With details it also tells what was found, which names are
// accepted and why others are not, and each target step by step.
func WriteConnection(out io.Writer, c Connection, color, details bool) {
	w := newWriter(out, color)
	if c.Accepted != nil {
		r, dane := c.Accepted.Reference, ""
		if tlsa := c.Accepted.TLSA; tlsa != nil {
			dane = ", with the key of a TLSA record (" + tlsa.Numbers() + ")"
		}
		w.printf("%s until %s: the peer counts as %s by %s, as %s%s\n", w.verdict(c.Outcome, 0),
			text.Stamp(c.Accepted.Until), c.Source, r.Method, r.Name, dane)
	} else {
		w.end(c.Outcome, c.Reason, c.Detail, c.Hint)
	}
	if c.Required && c.Accepted == nil {
		w.printf("note: the domain has a statement; do not fall back to anything weaker\n")
	}
	if c.Brought != nil {
		w.printf("%s\n", c.Brought.line())
	}
	if !details {
		if c.Accepted == nil {
			checks := slices.Clone(c.Checks)
			for _, t := range c.Targets {
				for _, check := range t.Checks {
					check.Origin = t.Endpoint.String()
					checks = append(checks, check)
				}
			}
			w.failures(checks, c.Reason, c.Detail)
		}
		return
	}
	w.printf("%s of %s\n", c.Service, c.Source)
	w.checks(c.Checks)
	if len(c.Methods) > 0 {
		w.printf("names that count for %s\n", c.Source)
		w.checks(methodLines(c.Methods))
	}
	for i, t := range c.Targets {
		w.printf("target %d: %s, priority %d, weight %d\n", i+1, t.Endpoint, t.Priority, t.Weight)
		w.printf("  %s, asking for %s\n", starts[t.Start], t.ServerName)
		if !t.Tried {
			w.printf("    --    not tried\n")
		}
		w.checks(t.Checks)
	}
}

// methodLines tells of each method which names it gives, or why none.
func methodLines(methods []association.Proof) []delegation.Check {
	var lines []delegation.Check
	for _, m := range methods {
		line := delegation.Check{Name: string(m.Method), Outcome: delegation.CheckInfo, Reason: m.Reason, Detail: m.Detail}
		if m.Reason == reasons.Verified {
			line.Outcome, line.Reason, line.Detail = delegation.CheckOK, "", ""
			var names []string
			for _, r := range m.References {
				name := r.Name
				if r.Endpoint.Port != 0 {
					name = fmt.Sprintf("%s at port %d", r.Name, r.Endpoint.Port)
				}
				if len(r.SPKI) > 0 {
					name += ", with a key that is pinned"
				}
				if !r.Until.IsZero() {
					name += ", until " + text.Stamp(r.Until)
				}
				names = append(names, name)
			}
			line.Detail = strings.Join(names, "; ")
		}
		lines = append(lines, line)
	}
	return lines
}

var starts = map[delegation.Start]string{
	delegation.STARTTLS:     "STARTTLS",
	delegation.DirectTLS:    "direct TLS",
	delegation.UnknownStart: "it is not known how TLS begins",
}
