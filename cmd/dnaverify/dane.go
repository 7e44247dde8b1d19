package main

import (
	"fmt"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery/verifier"
	"github.com/dnasign/dnasign/internal/text"
)

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
