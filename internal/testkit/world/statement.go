package world

import (
	"crypto/rand"
	"fmt"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/keys"
)

// Statement delegates the service to port 5269 of the hosts, for 14 days.
func Statement(source, service string, issued time.Time, hosts ...string) delegation.Statement {
	issued = issued.Truncate(time.Second)
	s := delegation.Statement{
		Source: source, Service: service, Targets: []delegation.Target{},
		Issued: issued, Expires: issued.Add(14 * Day),
	}
	rand.Read(s.ID[1:])
	for _, h := range hosts {
		s.Targets = append(s.Targets, delegation.Target{Endpoint: delegation.Endpoint{Host: h, Port: 5269}})
	}
	return s
}

// Statement is one of the source about the service, issued so long before now.
func (w *World) Statement(ago time.Duration, hosts ...string) delegation.Statement {
	return Statement(Source, Service, w.Now.Add(-ago), hosts...)
}

// Sign makes a statement in an encoding.
func Sign(s delegation.Statement, e delegation.Encoding, signer *keys.Signer) []byte {
	return localca.Must(delegation.Sign(s, e, signer))
}

// Record is the text of a statement's TXT record.
func Record(s delegation.Statement, signer *keys.Signer) string {
	return delegation.JWS.TXTRecord(Sign(s, delegation.JWS, signer))
}

// Line is the zone line that publishes a statement.
func Line(s delegation.Statement, signer *keys.Signer) string {
	return TextLine(s.Source, s.Service, Record(s, signer))
}

// TextLine is the zone line of a TXT record for a service.
func TextLine(source, service, text string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s. 300 IN TXT", delegation.TXTName(source, service))
	for ; len(text) > 255; text = text[255:] {
		fmt.Fprintf(&b, ` "%s"`, text[:255])
	}
	fmt.Fprintf(&b, ` "%s"`, text)
	return b.String()
}

// Nothing is evidence of an orderly look at every place, in a DNSSEC state. Nothing is
// there.
func Nothing(source, service string, state delegation.DNSSEC, collected time.Time) *delegation.Evidence {
	answer := func(name string) delegation.Answer { return delegation.Answer{Name: name, DNSSEC: state, TTL: 3600} }
	e := &delegation.Evidence{
		Version: delegation.EvidenceVersion, Source: source, Service: service, Collected: collected,
		TXT: []delegation.TXTAnswer{{Answer: answer(delegation.TXTName(source, service)), Records: []string{}}},
	}
	for _, label := range delegation.RoleOf(service).Labels() {
		e.SRV = append(e.SRV, delegation.SRVAnswer{Answer: answer(delegation.SRVName(source, label)), Records: []delegation.SRVRecord{}})
	}
	for _, encoding := range delegation.Encodings() {
		e.Documents = append(e.Documents, delegation.Document{URL: delegation.DocumentURL(source, service, encoding), Status: 404, MaxAge: -1})
	}
	return e
}
