package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/discovery/dial"
	"github.com/dnasign/dnasign/internal/cli"
)

// A connection is the report of one while it grows.
type connection struct{ cli.Connection }

// newConnection reports a decision, nil if it did not come to one.
func newConnection(q delegation.Query, before []delegation.Check, d *dial.Decision) *connection {
	c := &connection{cli.Connection{
		Version: cli.ConnectionVersion, Outcome: delegation.OutcomeRefused, Source: q.Source, Service: q.Service,
		Checks: append([]delegation.Check{}, before...), Methods: []association.Proof{}, Targets: []cli.ConnectionTarget{},
	}}
	if d == nil {
		return c
	}
	refreshAt := d.Association.RefreshAt()
	c.RefreshAt, c.Required, c.Methods = &refreshAt, d.Association.Required(), d.Association.Proofs()
	records := map[string]int{}
	for _, a := range d.Evidence.SRV {
		c.Checks = append(c.Checks, srvLine(a))
		records[a.Name] = len(a.Records)
	}
	for _, check := range d.Association.Checks() {
		// Of SRV only what the statement leaves out is not said yet.
		if check.Name != "srv" || check.Outcome == delegation.CheckInfo && records[check.Origin] > 0 {
			c.Checks = append(c.Checks, check)
		}
	}
	return c
}

// srvLine tells what an SRV answer says, and whether it is secure.
func srvLine(a delegation.SRVAnswer) delegation.Check {
	line := delegation.Check{Name: "srv", Outcome: delegation.CheckOK, Origin: a.Name}
	if a.Failure != nil {
		line.Outcome, line.Reason, line.Detail = delegation.CheckFail, a.Failure.Reason, a.Failure.Detail
		line.Hint = a.Failure.Reason.Hint()
		return line
	}
	var records []string
	for _, r := range a.Records {
		records = append(records, fmt.Sprintf("%d %d %d %s", r.Priority, r.Weight, r.Port, r.Target))
	}
	if len(records) == 0 {
		line.Outcome, records = delegation.CheckInfo, []string{"no SRV records"}
	}
	line.Detail = fmt.Sprintf("%s (%s, TTL %d s, from %s)", strings.Join(records, ", "), a.DNSSEC, a.TTL, a.Resolver)
	return line
}

// ended notes why there is no connection.
func (c *connection) ended(err error) *connection {
	var cause *delegation.Error
	if errors.As(err, &cause) {
		c.Outcome, c.Reason, c.Detail, c.Hint = cause.Outcome, cause.Reason, cause.Detail, cause.Reason.Hint()
	}
	return c
}

// add reports a target, with the attempt if it was tried.
func (c *connection) add(to association.Dial, attempt *dial.Attempt) {
	t := cli.ConnectionTarget{
		ReportTarget: delegation.ReportTargets([]delegation.Target{to.Target})[0],
		Label:        to.Service, ServerName: to.ServerName, DirectTLS: to.Direct, Checks: []delegation.Check{},
	}
	if attempt != nil {
		fill(&t, attempt)
		if attempt.Err == nil && c.Accepted == nil {
			c.Outcome, c.Reason, c.Accepted = delegation.OutcomeVerified, delegation.Verified, attempt.Acceptance
		}
	}
	c.Targets = append(c.Targets, t)
}

// fill writes a line for each step that an attempt came to.
func fill(t *cli.ConnectionTarget, a *dial.Attempt) {
	t.Tried, t.Address, t.Reason = true, a.Address, delegation.ReasonOf(a.Err)
	ok := func(name, format string, args ...any) {
		t.Checks = append(t.Checks, delegation.Check{Name: name, Outcome: delegation.CheckOK, Detail: fmt.Sprintf(format, args...)})
	}
	failed := func(name string) {
		line := delegation.Check{Name: name, Outcome: delegation.CheckFail, Reason: t.Reason, Detail: a.Err.Error(), Hint: t.Reason.Hint()}
		var e *delegation.Error
		if errors.As(a.Err, &e) {
			line.Detail = e.Detail
		}
		t.Checks = append(t.Checks, line)
	}
	if a.Address == "" {
		failed("connect")
		return
	}
	ok("connect", "%s", a.Address)
	if a.STARTTLS {
		ok("starttls", "the peer offers it and proceeds")
	} else if !a.To.Direct {
		failed("starttls")
		return
	}
	// What the peer showed is not its own before the handshake has ended.
	switch delegation.ReasonOf(a.Err) {
	case delegation.TLSFailed, delegation.ConnectFailed, delegation.ConnectTimeout, delegation.STARTTLSInjection:
		failed("tls")
		return
	}
	if a.State == nil {
		failed("tls")
		return
	}
	t.TLS = describe(a.State)
	protocol := ""
	if t.TLS.ALPN != "" {
		protocol = ", protocol " + t.TLS.ALPN
	}
	ok("tls", "%s, %s%s", t.TLS.Version, t.TLS.Cipher, protocol)
	leaf := a.State.PeerCertificates[0]
	detail := fmt.Sprintf("for %s, issued by %s, until %s", namesOf(leaf), t.TLS.Issuer, t.TLS.NotAfter.Format("2006-01-02 15:04:05 MST"))
	t.Checks = append(t.Checks, delegation.Check{Name: "shows", Outcome: delegation.CheckInfo, Detail: detail})
	if a.Err != nil {
		failed("peer")
		return
	}
	t.Reason, t.Accepted = delegation.Verified, &a.Acceptance.Reference
	ok("peer", "%s counts by %s", a.Acceptance.Reference.Name, a.Acceptance.Reference.Method)
}

func describe(state *tls.ConnectionState) *cli.ConnectionTLS {
	leaf := state.PeerCertificates[0]
	return &cli.ConnectionTLS{
		Version: tls.VersionName(state.Version), Cipher: tls.CipherSuiteName(state.CipherSuite), ALPN: state.NegotiatedProtocol,
		Names: append([]string{}, leaf.DNSNames...), Issuer: leaf.Issuer.String(), NotAfter: leaf.NotAfter.UTC(),
	}
}

// maxNames bounds the names of a certificate that a person is shown; JSON has
// them all.
const maxNames = 10

func namesOf(leaf *x509.Certificate) string {
	names := slices.Clone(leaf.DNSNames)
	if len(names) == 0 {
		return "no DNS name"
	}
	if more := len(names) - maxNames; more > 0 {
		names = append(names[:maxNames], fmt.Sprintf("%d more", more))
	}
	return strings.Join(names, ", ")
}
