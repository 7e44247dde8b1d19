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
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery/verifier"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/hints"
	"github.com/dnasign/dnasign/internal/text"
)

// A connection is the report of one while it grows.
type connection struct{ cli.Connection }

// newConnection begins a report.
func newConnection(q delegation.Query, before []delegation.Check) *connection {
	return &connection{cli.Connection{
		Version: cli.ConnectionVersion, Outcome: reasons.OutcomeRefused, Source: q.Source, Service: delegation.RoleOf(q.Service).Service,
		Checks: append([]delegation.Check{}, before...), Methods: []association.Proof{}, Targets: []cli.ConnectionTarget{},
	}}
}

func (c *connection) decided(d *verifier.Decision) error {
	evidence, err := d.Evidence()
	if err != nil {
		return err
	}
	refreshAt := d.Association.RefreshAt()
	c.RefreshAt, c.Required, c.Methods = &refreshAt, d.Required, d.Association.Proofs()
	records := map[string]int{}
	for _, a := range evidence.SRV {
		c.Checks = append(c.Checks, srvLine(a))
		records[a.Name] = len(a.Records)
	}
	for _, check := range d.Association.Checks() {
		// Of SRV only what the statement leaves out is not said yet.
		if check.Name != "srv" || check.Outcome == delegation.CheckInfo && records[check.Origin] > 0 {
			c.Checks = append(c.Checks, check)
		}
	}
	return nil
}

// srvLine tells what an SRV answer says, and whether it is secure.
func srvLine(a delegation.SRVAnswer) delegation.Check {
	line := delegation.Check{Name: "srv", Outcome: delegation.CheckOK, Origin: a.Name}
	if a.Failure != nil {
		line.Outcome, line.Reason, line.Detail = delegation.CheckFail, a.Failure.Reason, a.Failure.Detail
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
	if cause, ok := errors.AsType[*delegation.Error](err); ok {
		c.Outcome, c.Reason, c.Detail, c.Hint = cause.Outcome, cause.Reason, cause.Detail, hints.For(cause.Reason)
	}
	return c
}

// add reports a target, with the attempt if it was tried.
func (c *connection) add(to association.Dial, attempt *verifier.Attempt) {
	t := cli.ConnectionTarget{
		Target: to.Target,
		Start:  to.Start, ServerName: to.ServerName, Checks: []delegation.Check{},
	}
	if attempt != nil {
		fill(&t, attempt)
		if attempt.DNS != nil {
			t.Checks = append(t.Checks, daneLine(attempt))
		}
		if attempt.Err == nil && c.Accepted == nil {
			c.Outcome, c.Reason, c.Accepted = reasons.OutcomeVerified, reasons.Verified, attempt.Acceptance
		}
	}
	c.Targets = append(c.Targets, t)
}

// fill writes a line for each step that an attempt came to.
func fill(t *cli.ConnectionTarget, a *verifier.Attempt) {
	t.Tried, t.Address, t.Reason = true, a.Address, delegation.ReasonOf(a.Err)
	t.ServerName, t.DNS = a.To.ServerName, a.DNS
	ok := func(name, format string, args ...any) {
		t.Checks = append(t.Checks, delegation.Check{Name: name, Outcome: delegation.CheckOK, Detail: fmt.Sprintf(format, args...)})
	}
	failed := func(name string) {
		t.Checks = append(t.Checks, delegation.Check{Name: name, Outcome: delegation.CheckFail, Reason: t.Reason, Detail: detailOf(a.Err)})
	}
	switch {
	case t.Reason == reasons.NoTLSStart:
		failed("tls")
		return
	case a.DNS != nil && a.Address == "" && daneLine(a).Reason != "":
		return // that line says it
	case a.Address == "":
		failed("connect")
		return
	}
	ok("connect", "%s", a.Address)
	if a.STARTTLS {
		ok("starttls", "the peer offers it and proceeds")
	} else if a.To.Start == delegation.STARTTLS {
		failed("starttls")
		return
	}
	// What the peer showed is not its own before the handshake has ended.
	before := []reasons.Reason{reasons.TLSFailed, reasons.ConnectFailed, reasons.ConnectTimeout, reasons.STARTTLSInjection}
	if a.State == nil || slices.Contains(before, t.Reason) {
		failed("tls")
		return
	}
	t.TLS = connectionTLS(a.State)
	protocol := ""
	if t.TLS.ALPN != "" {
		protocol = ", protocol " + t.TLS.ALPN
	}
	ok("tls", "%s, %s%s", t.TLS.Version, t.TLS.Cipher, protocol)
	leaf := a.State.PeerCertificates[0]
	detail := fmt.Sprintf("for %s, issued by %s, until %s", namesOf(leaf), t.TLS.Issuer, text.Stamp(t.TLS.NotAfter))
	t.Checks = append(t.Checks, delegation.Check{Name: "shows", Outcome: delegation.CheckInfo, Detail: detail})
	if t.Reason == reasons.DANEMismatch {
		return // the line about DANE says it
	}
	if a.Err != nil {
		failed("peer")
		return
	}
	t.Reason, t.Accepted = reasons.Verified, &a.Acceptance.Reference
	ok("peer", "%s counts by %s", a.Acceptance.Reference.Name, a.Acceptance.Reference.Method)
}

// daneLine says what the TLSA records of a target said of its peer.
func daneLine(a *verifier.Attempt) delegation.Check {
	line := delegation.Check{Name: "dane", Outcome: delegation.CheckInfo}
	dane, err := a.DNS.DANE("")
	tlsa := a.DNS.TLSA
	switch {
	case err != nil:
		line.Outcome, line.Reason, line.Detail = delegation.CheckFail, delegation.ReasonOf(err), detailOf(err)
	case a.DNS.Address.DNSSEC != delegation.Secure:
		line.Detail = fmt.Sprintf("not asked for TLSA records: the addresses of %s are %s", a.DNS.Host, a.DNS.Address.DNSSEC)
	case tlsa.DNSSEC != delegation.Secure:
		line.Detail = fmt.Sprintf("the TLSA answer of %s is %s, so it has no say", tlsa.Name, tlsa.DNSSEC)
	case dane == nil:
		line.Detail = fmt.Sprintf("%s has no usable TLSA record (of %d)", tlsa.Name, len(tlsa.Records))
	case a.Acceptance != nil && a.Acceptance.TLSA != nil:
		line.Outcome, line.Detail = delegation.CheckOK, "matches TLSA "+shortTLSA(*a.Acceptance.TLSA)
	case delegation.ReasonOf(a.Err) == reasons.DANEMismatch:
		line.Outcome, line.Reason, line.Detail = delegation.CheckFail, reasons.DANEMismatch, detailOf(a.Err)
	default:
		line.Detail = fmt.Sprintf("%s has %d usable TLSA records, such as %s", tlsa.Name, len(dane.Records), shortTLSA(dane.Records[0]))
		if a.Acceptance != nil {
			line.Detail += "; they are not about the name that counts"
		}
	}
	return line
}

// shortTLSA is a record within a line. Its data can be a whole certificate.
func shortTLSA(r delegation.TLSARecord) string { return text.Short(r.String(), 80) }

// detailOf is what an error says besides its reason.
func detailOf(err error) string {
	if e, ok := errors.AsType[*delegation.Error](err); ok {
		return e.Detail
	}
	return err.Error()
}

func connectionTLS(state *tls.ConnectionState) *cli.ConnectionTLS {
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
