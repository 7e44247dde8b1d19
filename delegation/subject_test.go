package delegation

import "testing"

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
		tr.evidence.Service = queried
	}
}

func subjectCases() []verifyCase {
	return []verifyCase{
		{"another source", about("c.example", source), SourceMismatch},
		{"source below", about("a.b.example", source), SourceMismatch},
		{"parent", about(source, "a.b.example"), ParentSource},
		{"grandparent", about(source, "x.a.b.example"), ParentSource},
		{"a name that ends alike without a dot", about(source, "ab.example"), SourceMismatch},
		{"source of the target", about(host, source), SourceMismatch},

		{"other label of the role", serving(direct, service), Verified},
		{"first label of the role", serving(service, direct), Verified},
		{"labels of the client role", serving("_xmpp-client._tcp", "_xmpps-client._tcp"), Verified},
		{"another role", serving("_xmpp-client._tcp", service), ServiceMismatch},
		{"other label of another role", serving("_xmpps-client._tcp", service), ServiceMismatch},
		{"another service", serving("_imap._tcp", service), ServiceMismatch},
		{"the other protocol", serving("_xmpp-server._udp", service), ServiceMismatch},
		{"a service like it with an s", serving("_imaps._tcp", "_imap._tcp"), ServiceMismatch},
	}
}

func TestSubject(t *testing.T) { runCases(t, 14, subjectCases()) }

// nameClaimCases put illegal names into signed claims.
func nameClaimCases() []verifyCase {
	return []verifyCase{
		{"source with a trailing dot", payload(`"iss":"b.example"`, `"iss":"b.example."`), BadName},
		{"source in upper case", payload(`"iss":"b.example"`, `"iss":"B.example"`), BadName},
		{"source that is a wildcard", payload(`"iss":"b.example"`, `"iss":"*.example"`), BadName},
		{"source of one label", payload(`"iss":"b.example"`, `"iss":"example"`), BadName},
		{"source empty", payload(`"iss":"b.example"`, `"iss":""`), BadName},
		{"source as URL", payload(`"iss":"b.example"`, `"iss":"https://b.example"`), BadName},
		{"source that is no A-label", payload(`"iss":"b.example"`, `"iss":"xn--bcher-2pa.example"`), BadName},
		{"owner name too long", payload(`"iss":"b.example"`, `"iss":"`+longName(253)+`"`), BadName},
		{"service without underscore", payload(`"service":"_xmpp-server._tcp"`, `"service":"xmpp-server"`), BadName},
		{"service in upper case", payload(`"service":"_xmpp-server._tcp"`, `"service":"_XMPP-server._tcp"`), BadName},
		{"service empty", payload(`"service":"_xmpp-server._tcp"`, `"service":""`), BadName},
		{"host that is an address", targets(targetJSON("192.0.2.1", 5269, 0, 0)), BadName},
		{"host that is an address of version 6", targets(targetJSON("::1", 5269, 0, 0)), BadName},
		{"host localhost", targets(targetJSON("a.localhost", 5269, 0, 0)), BadName},
		{"host under internal", targets(targetJSON("db.internal", 5269, 0, 0)), BadName},
		{"host with a trailing dot", targets(targetJSON(host+".", 5269, 0, 0)), BadName},
		{"host that is a wildcard", targets(targetJSON("*.hosting.example", 5269, 0, 0)), BadName},
		{"host of 254 octets", targets(targetJSON(longName(254), 5269, 0, 0)), BadName},
		{"host of 253 octets", targets(targetJSON(longName(253), 5269, 0, 0)), Verified},
		{"host that is the root", targets(targetJSON(".", 5269, 0, 0)), BadName},
	}
}

func TestNameClaims(t *testing.T) { runCases(t, 20, nameClaimCases()) }
