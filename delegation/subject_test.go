package delegation

import (
	"testing"

	"github.com/dnasign/dnasign/delegation/reasons"
)

// about is a spoiler that signs for another source, with a certificate of it,
// and asks about the base source or one given.
func about(signed, queried string) func(*trial) {
	return func(tr *trial) {
		tr.statement.Source = signed
		names(signed)(tr)
		tr.query.Source = queried
		tr.evidence = evidenceOf(Document{File: "statement.jws", Body: tr.sign()})
		tr.evidence.Source = queried
	}
}

// serving is a spoiler that signs for one service and asks about another.
func serving(signed, queried string) func(*trial) {
	return func(tr *trial) {
		tr.statement.Service = signed
		tr.query.Service = queried
		tr.evidence = evidenceOf(Document{File: "statement.jws", Body: tr.sign()})
		tr.evidence.Service = RoleOf(queried).Service
	}
}

func subjectCases() []verifyCase {
	return []verifyCase{
		{"another source", about("c.example", source), reasons.SourceMismatch},
		{"source below", about("a.b.example", source), reasons.SourceMismatch},
		{"parent", about(source, "a.b.example"), reasons.ParentSource},
		{"grandparent", about(source, "x.a.b.example"), reasons.ParentSource},
		{"a name that ends alike without a dot", about(source, "ab.example"), reasons.SourceMismatch},
		{"source of the target", about(host, source), reasons.SourceMismatch},

		{"second label signed", serving(direct, service), reasons.ServiceMismatch},
		{"second label signed and asked about", serving(direct, direct), reasons.ServiceMismatch},
		{"second label asked about", serving(service, direct), reasons.Verified},
		{"second label of the client role asked about", serving("_xmpp-client._tcp", "_xmpps-client._tcp"), reasons.Verified},
		{"another role", serving("_xmpp-client._tcp", service), reasons.ServiceMismatch},
		{"second label of another role", serving("_xmpps-client._tcp", service), reasons.ServiceMismatch},
		{"another service", serving("_imap._tcp", service), reasons.ServiceMismatch},
		{"the other protocol", serving("_xmpp-server._udp", service), reasons.ServiceMismatch},
		{"second label of another service", serving("_imaps._tcp", "_imap._tcp"), reasons.ServiceMismatch},
		{"a service of its own that ends in s", serving("_sips._tcp", "_sip._tcp"), reasons.ServiceMismatch},
	}
}

func TestSubject(t *testing.T) { runCases(t, 14, subjectCases()) }

// nameClaimCases put illegal names into signed claims.
func nameClaimCases() []verifyCase {
	return []verifyCase{
		{"source with a trailing dot", payload(`"iss":"b.example"`, `"iss":"b.example."`), reasons.BadName},
		{"source in upper case", payload(`"iss":"b.example"`, `"iss":"B.example"`), reasons.BadName},
		{"source that is a wildcard", payload(`"iss":"b.example"`, `"iss":"*.example"`), reasons.BadName},
		{"source of one label", payload(`"iss":"b.example"`, `"iss":"example"`), reasons.BadName},
		{"source empty", payload(`"iss":"b.example"`, `"iss":""`), reasons.BadName},
		{"source as URL", payload(`"iss":"b.example"`, `"iss":"https://b.example"`), reasons.BadName},
		{"source that is no A-label", payload(`"iss":"b.example"`, `"iss":"xn--bcher-2pa.example"`), reasons.BadName},
		{"owner name too long", payload(`"iss":"b.example"`, `"iss":"`+longName(253)+`"`), reasons.BadName},
		{"service without underscore", payload(`"service":"_xmpp-server._tcp"`, `"service":"xmpp-server"`), reasons.BadName},
		{"service in upper case", payload(`"service":"_xmpp-server._tcp"`, `"service":"_XMPP-server._tcp"`), reasons.BadName},
		{"service empty", payload(`"service":"_xmpp-server._tcp"`, `"service":""`), reasons.BadName},
		{"host that is an address", targets(targetJSON("192.0.2.1", 5269, 0, 0)), reasons.BadName},
		{"host that is an address of version 6", targets(targetJSON("::1", 5269, 0, 0)), reasons.BadName},
		{"host localhost", targets(targetJSON("a.localhost", 5269, 0, 0)), reasons.BadName},
		{"host under internal", targets(targetJSON("db.internal", 5269, 0, 0)), reasons.BadName},
		{"host with a trailing dot", targets(targetJSON(host+".", 5269, 0, 0)), reasons.BadName},
		{"host that is a wildcard", targets(targetJSON("*.hosting.example", 5269, 0, 0)), reasons.BadName},
		{"host of 254 octets", targets(targetJSON(longName(254), 5269, 0, 0)), reasons.BadName},
		{"host of 253 octets", targets(targetJSON(longName(253), 5269, 0, 0)), reasons.Verified},
		{"host that is the root", targets(targetJSON(".", 5269, 0, 0)), reasons.BadName},
	}
}

func TestNameClaims(t *testing.T) { runCases(t, 20, nameClaimCases()) }
