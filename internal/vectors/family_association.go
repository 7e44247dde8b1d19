package vectors

import (
	"crypto/sha256"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"
)

var associationNotes = map[string]Note{
	"srv":       {[]string{"V7"}, "SRV records choose among the targets, and add none.", "Whoever answers first sends everybody to a host of his own."},
	"label":     {[]string{"V7", "V5"}, "SRV records and statements of both labels of a role.", "The other label is a way round the statement."},
	"pins":      {[]string{"S3", "V7", "P1"}, "Pins restrict the keys of a peer.", "A pin that is lost on the way restricts nothing."},
	"table":     {[]string{"C1", "C2"}, "The state of the SRV records decides which methods count.", "A statement overrules secure records, or insecure records count as secure ones."},
	"dial":      {[]string{"C3"}, "Where to connect.", "An attacker breaks a look-up in order to choose the target."},
	"endpoint":  {[]string{"C4"}, "A name counts only at the endpoint that it was proven for.", "Another program on the provider's host passes for the service."},
	"direction": {[]string{"C5"}, "Only who is delegated the service between servers speaks for the source.", "A provider of clients, or of mail, sends messages between servers."},
	"times":     {[]string{"C6"}, "Names count until their proofs end.", "A proof is used after its end."},
	"required":  {[]string{"C7"}, "A source with a statement is marked, so that nobody falls back to something weaker.", "Whoever can hide the statement gets the weaker way."},
	"tls":       {[]string{"C8"}, "Server name, and whether TLS begins at once.", "The peer shows a certificate for something else."},
	"attempts":  {[]string{"C9"}, "How several attempts end.", "A network failure is told as a refusal, or a refusal as a passing failure, which somebody then passes over."},
	"peer":      {[]string{"P1"}, "The peer's certificate leads to a trust anchor, is for servers, and carries one of the names.", "Somebody else's certificate is accepted."},
	"order":     {[]string{"P1"}, "The checks of the peer have an order, and with it the reason.", "The reason told is not the one to mend."},
	"reuse":     {[]string{"R1"}, "What lets a further source use a connection that exists.", "A connection that was opened for one domain speaks for another."},
	"wildcard":  {[]string{"R1", "P1"}, "A wildcard names the target of the connection that was opened for it, and serves no further source.", "Whoever has a wildcard certificate speaks for everybody who delegated to a host under it."},
	"tenant":    {[]string{"P1", "R1"}, "A tenant of a shared provider does not pass for another.", "Everybody at the provider speaks for everybody else there."},
	"dnssec":    {[]string{"D1"}, "Only the resolver that the operator named as validating tells secure from insecure.", "An attacker on the path sets one bit."},
	"replayed":  {[]string{"D2"}, "DNSSEC states that were read from a file do not count, unless the policy says so.", "Whoever writes the file says what is secure."},
	"self-test": {[]string{"D1"}, "A resolver that is said to validate tells a secure name from a bogus one.", "A resolver that does not validate is believed."},
	"inputs":    {[]string{"V1"}, "What is missing or malformed is refused.", "A missing part is taken for permission."},
}

func associationFamily(w *world) *book {
	b := newBook(w, "association", associationNotes)
	b.verify(place(inTXT), srvEntries()...)
	b.decisionTable()
	b.associate(dialCases()...)
	b.associate(inputCases()...)
	b.associate(timesCases()...)
	b.associate(peerCases()...)
	b.associate(tenantCases()...)
	b.reuses()
	b.dnssec()
	b.selfTests()
	b.attempts()
	return b
}

// A deal is a trial that goes on to a decision, and perhaps to a peer. The
// usual one is outgoing.
type deal struct {
	*trial
	question Question
	peer     *Peer
}

// A move is a change of the usual deal.
type move func(d *deal)

func moves(list ...move) move {
	return func(d *deal) {
		for _, m := range list {
			if m != nil {
				m(d)
			}
		}
	}
}

// on makes a move of steps.
func on(steps ...step) move { return func(d *deal) { all(steps...)(d.trial) } }

// A dealing is a case of associate.
type dealing struct {
	id, flags, comment string
	change             move
	expect             *Expect
}

func (b *book) deal(list ...move) *deal {
	d := &deal{trial: b.trial(place(inTXT)), question: Question{Source: source, Service: service, Direction: "outgoing"}}
	moves(list...)(d)
	return d
}

func (d *deal) build() Case {
	c := d.trial.build()
	question := d.question
	c.Operation, c.Query, c.Question, c.Peer = "associate", nil, &question, d.peer
	return c
}

func (b *book) associate(list ...dealing) {
	for _, c := range list {
		b.add(b.file.Family+"-"+c.id, c.flags, c.comment, b.deal(c.change).build(), c.expect)
	}
}

// Moves.

func incoming(d *deal) {
	d.question.Direction = "incoming"
	if d.peer != nil {
		d.peer.Endpoint = nil
	}
}

func first(d *deal) { d.question.StatementFirst = true }

// about asks about another service.
func about(service string) move {
	return func(d *deal) {
		d.question.Service = service
		d.query.Service = service
		d.trial.place = nowhere
		d.evidence = append(d.evidence, func(e *evidence) {
			if len(e.TXT) == 0 {
				e.TXT = append(e.TXT, txtAt(service))
			}
		})
	}
}

// signedFor has a statement for a label, at the name of the label asked about.
func signedFor(label string, targets ...target) move {
	return func(d *deal) {
		d.statement.service, d.statement.targets = label, targets
		d.trial.place = nowhere
		d.evidence = append(d.evidence, func(e *evidence) {
			e.TXT = []txtAnswer{txtAt(d.question.Service, d.record())}
		})
	}
}

// silent has no statement.
var silent = on(place(nowhere), has(func(e *evidence) { e.TXT = append(e.TXT, txtAt(service)) }))

func targetAt(host string, port int64) target { return target{host: host, port: port, priority: 10} }

// srvEntries are about V7: the comparison of SRV records with a statement.
func srvEntries() []entry {
	good1, evil1, dot := to(host, port), to(evil, port), to(".", 0)
	srv := func(state string, records ...srvRecord) step { return hasSRV(srvAt(service, state, records...)) }
	both := func(mine, other srvAnswer) step { return hasSRV(mine, other) }
	mine := func(records ...srvRecord) srvAnswer { return srvAt(service, insecure, records...) }
	other := func(records ...srvRecord) srvAnswer { return srvAt(direct, insecure, records...) }
	many := func(n int) []srvRecord {
		list := make([]srvRecord, n)
		for i := range list {
			list[i] = to(evil, uint16(i+1))
		}
		list[n-1] = good1
		return list
	}
	const targetMismatch, portMismatch, unavailable = "target-mismatch", "port-mismatch", "service-not-available"
	const x, y = host + ":5269", host + ":5270"
	secondLabel := func(port int64) step {
		return beside(forDirect, delegatesTo(target{host: host, port: port, priority: 10, weight: 5}))
	}
	secondFloor := func(port int64) expectation {
		return also(all(forDirect, delegatesTo(target{host: host, port: port, priority: 10, weight: 5})))
	}
	return []entry{
		good("srv-not-asked", "srv", "SRV was not asked", nil),
		good("srv-absent", "srv", "there are no SRV records", srv(insecure)),
		good("srv-absent-securely", "srv", "there are no SRV records, securely", all(believes, srv(secure))),
		good("srv-matched", "srv", "one SRV record, and it is delegated to", srv(insecure, good1)),
		good("srv-matched-securely", "srv", "one secure SRV record, and it is delegated to", all(believes, srv(secure, good1))),
		good("srv-indeterminate", "srv", "the state of the SRV records is not known", srv(indeterminate, good1)),
		good("srv-partly", "srv", "one of two SRV records is delegated to: only that one is connected to", srv(insecure, evil1, good1)),
		good("srv-partly-securely", "srv", "one of two secure SRV records is delegated to", all(believes, srv(secure, evil1, good1))),
		bad("srv-evil", "srv", targetMismatch, "the SRV record names another host", srv(insecure, evil1)),
		bad("srv-evil-securely", "srv", "conflict", "the secure SRV record names another host", all(believes, srv(secure, evil1))),
		bad("srv-evil-replayed", "srv replayed", targetMismatch, "an SRV record that the evidence calls secure, which the policy does not believe, names another host", srv(secure, evil1)),
		bad("srv-port", "srv", portMismatch, "the SRV record names another port", srv(insecure, to(host, 5270))),
		bad("srv-port-0", "srv", portMismatch, "the SRV record names port 0", srv(insecure, to(host, 0))),
		bad("srv-port-securely", "srv", "conflict", "the secure SRV record names another port", all(believes, srv(secure, to(host, 5270)))),
		bad("srv-port-after-host", "srv", portMismatch, "one names another host, one another port", srv(insecure, evil1, to(host, 1))),
		bad("srv-port-before-host", "srv", portMismatch, "one names another port, one another host", srv(insecure, to(host, 1), evil1)),
		bad("srv-upper-case", "srv", targetMismatch, "the SRV record names the host in upper case, which is not the form of evidence", srv(insecure, to("XMPP.hosting.example", port))),
		bad("srv-dot", "srv", targetMismatch, "the SRV record names the host with a trailing dot", srv(insecure, to(host+".", port))),
		bad("srv-source", "srv", targetMismatch, "the SRV record names the source", srv(insecure, to(source, port))),
		bad("srv-unavailable", "srv", unavailable, "the SRV target is .", srv(insecure, dot)),
		bad("srv-unavailable-securely", "srv", unavailable, "the secure SRV target is .", all(believes, srv(secure, dot))),
		bad("srv-unavailable-twice", "srv", targetMismatch, "two SRV targets are ., which says nothing", srv(insecure, dot, dot)),
		good("srv-unavailable-beside", "srv", "one SRV target is ., one is delegated to", srv(insecure, dot, good1)),
		bad("srv-bogus", "srv", "dns-bogus", "the SRV records are bogus", srv(bogus, good1)),
		bad("srv-bogus-absent", "srv", "dns-bogus", "that there are no SRV records is bogus", srv(bogus)),
		bad("srv-timeout", "srv", "dns-timeout", "the SRV look-up timed out", hasSRV(srvFailed(service, "dns-timeout"))),
		bad("srv-failure", "srv", "dns-failure", "the SRV look-up failed", hasSRV(srvFailed(service, "dns-failure"))),
		bad("srv-alias-loop", "srv", "alias-loop", "the aliases of the SRV name loop", hasSRV(srvFailed(service, "alias-loop"))),
		bad("srv-unanswered", "srv", "unanswered", "the collection ended before the SRV answer came", hasSRV(srvFailed(service, "unanswered"))),
		good("srv-32", "srv", "32 SRV records, the last one delegated to", srv(insecure, many(32)...), dials(x)),
		bad("srv-33", "srv", "too-many-records", "33 SRV records, the last one delegated to", srv(insecure, many(33)...)),
		good("srv-twice", "srv", "an endpoint twice in the SRV records: once in where to connect", srv(insecure, good1, srvRecord{9, 9, port, host})),

		good("label-any-port", "label", "a record of the other label, which is not signed: any port of a verified host", both(mine(), other(to(host, 5270))), dials(y)),
		bad("label-port-0", "label", portMismatch, "a record of the other label with port 0", both(mine(), other(to(host, 0)))),
		bad("label-evil", "label", targetMismatch, "a record of the other label names another host", both(mine(), other(evil1))),
		bad("label-evil-securely", "label", "conflict", "a secure record of the other label names another host", all(believes, both(mine(), srvAt(direct, secure, evil1)))),
		good("label-fails", "label", "the look-up of the other label failed, and there are no records of the label asked about", both(mine(), srvFailed(direct, "dns-timeout"))),
		good("label-fails-good", "label", "the look-up of the other label failed, and the record of the label asked about is delegated to", both(mine(good1), srvFailed(direct, "dns-timeout"))),
		good("label-bogus", "label", "the records of the other label are bogus", both(mine(good1), srvAt(direct, bogus, evil1))),
		good("label-33", "label", "33 records of the other label are passed over", both(mine(good1), other(many(33)...))),
		good("label-both", "label", "a record of each label", both(mine(good1), other(to(host, 5270))), dials(x+" "+y)),
		good("label-order", "label", "a record of each label; the evidence has the other one first", both(other(to(host, 5270)), mine(good1)), dials(x+" "+y)),
		good("label-evil-beside", "label", "the other label names another host, the label asked about is right", both(mine(good1), other(evil1))),
		good("label-good-evil-asked", "label", "the label asked about names another host, the other one is right", both(mine(evil1), other(to(host, 5270))), dials(y)),
		bad("label-asked-fails", "label", "dns-timeout", "the look-up of the label asked about failed, the other one is right", both(srvFailed(service, "dns-timeout"), other(to(host, 5270)))),
		good("label-asked-unavailable", "label", "the label asked about is not available, the other one is right", both(mine(dot), other(to(host, 5270))), dials(y)),
		bad("label-unavailable-both", "label", unavailable, "neither label is available", both(mine(dot), other(dot))),
		bad("label-unavailable-evil", "label", unavailable, "the label asked about is not available, the other one names another host", both(mine(dot), other(evil1))),
		bad("label-evil-unavailable", "label", targetMismatch, "the label asked about names another host, the other one is not available", both(mine(evil1), other(dot))),
		bad("label-evil-both", "label", portMismatch, "the label asked about names another port, the other one securely another host", all(believes, both(srvAt(direct, secure, evil1), mine(to(host, 1))))),
		good("label-signed", "label", "both labels are signed: a record of the other label with its port", all(secondLabel(5270), both(mine(), other(to(host, 5270)))),
			targetsAre(x+" "+y), dials(y), secondFloor(5270)),
		bad("label-signed-port", "label", portMismatch, "both labels are signed: a record of the other label with another port", both(mine(), other(to(host, 5271))), secondLabel(5270)).gives(usual, all(forDirect, delegatesTo(target{host: host, port: 5270, priority: 10, weight: 5}))),
		bad("label-signed-mixed", "label", portMismatch, "both labels are signed: a record of the other label with the port of the first", both(mine(), other(good1)), secondLabel(5270)),
		good("label-signed-no-srv", "label", "both labels are signed, SRV was not asked: all targets", secondLabel(5270), targetsAre(x+" "+y), dials(x+" "+y), secondFloor(5270)),
	}
}

// dialCases are about where to connect, and how TLS begins there.
func dialCases() []dealing {
	at := func(service, host string, port uint16) srvAnswer { return srvAt(service, insecure, to(host, port)) }
	srv := func(list ...srvAnswer) move { return on(hasSRV(list...)) }
	here := func(host string, port uint16, name string, direct bool) Dial {
		return Dial{Endpoint{host, port}, name, direct}
	}
	dials := func(list ...Dial) *Expect { return dialled(list...) }
	const imaps, other = "_imaps._tcp", "other.example"
	return []dealing{
		{"dial-usual", "dial tls", "delegated, SRV was not asked", nil, dials(here(host, 5269, host, false))},
		{"dial-both-labels", "dial tls label", "delegated, with SRV records of both labels", srv(at(service, host, 5269), at(direct, host, 5270)),
			dials(here(host, 5269, host, false), here(host, 5270, host, true))},
		{"dial-direct-asked", "dial tls label", "asked about _xmpps-server._tcp, with a statement for the other label", moves(about(direct), signedFor(service, targetAt(host, port)),
			srv(at(service, host, 5269), at(direct, host, 5270))), dials(here(host, 5269, host, false), here(host, 5270, host, true))},
		{"dial-direct-signed", "dial tls label", "delegated for _xmpps-server._tcp only", signedFor(direct, targetAt(host, 5270)), dials(here(host, 5270, host, true))},
		{"dial-first", "dial", "the statement first, with other SRV records", moves(first, srv(at(service, other, 5269))), dials(here(host, 5269, host, false))},
		{"dial-first-none", "dial", "the statement first, and there is none", moves(first, silent, srv(at(service, other, 5269))), dials(here(other, 5269, source, false))},
		{"dial-insecure", "dial tls", "insecure SRV records of both labels, and no statement", moves(silent, srv(at(service, other, 5269), at(direct, host, 5270))),
			dials(here(other, 5269, source, false), here(host, 5270, source, true))},
		{"dial-secure-other", "dial tls", "secure SRV records, insecure ones of the other label: these do not join", moves(silent, on(believes), srv(srvAt(service, secure, to(host, 5269)), at(direct, host, 5270))),
			dials(here(host, 5269, source, false))},
		{"dial-secure-both", "dial tls", "secure SRV records of both labels", moves(silent, on(believes), srv(srvAt(service, secure, to(host, 5269)), srvAt(direct, secure, to(host, 5270)))),
			dials(here(host, 5269, source, false), here(host, 5270, source, true))},
		{"dial-unavailable", "dial", "the SRV target is ., and the other label has a record", moves(silent, srv(srvAt(service, insecure, to(".", 0)), at(direct, host, 5270))), dials(here(host, 5270, source, true))},
		{"dial-unavailable-both", "dial", "the SRV target is . for both labels", moves(silent, srv(srvAt(service, insecure, to(".", 0)), srvAt(direct, insecure, to(".", 0)))), ending("service-not-available")},
		{"dial-useless", "dial", "SRV records without a legal host and a port: they are not none", moves(silent, srv(srvAt(service, insecure, to("printer.local", 5269), to(host, 0)))), ending("service-not-available")},
		{"dial-nothing", "dial", "neither SRV records nor a statement: the source itself at the default port", silent, dials(here(source, 5269, source, false))},
		{"dial-nothing-client", "dial", "neither SRV records nor a statement, for clients", moves(about(client)), dials(here(source, 5222, source, false))},
		{"dial-nothing-direct", "dial", "neither SRV records nor a statement, for a service without a default port", moves(about(direct)), ending("no-statement")},
		{"dial-nothing-imaps", "dial", "neither SRV records nor a statement, for another service", moves(about(imaps)), ending("no-statement")},
		{"dial-imaps", "dial tls", "another service, delegated: TLS at once", moves(about(imaps), signedFor(imaps, targetAt(host, 993))), dials(here(host, 993, host, true))},
		{"dial-client", "dial tls", "clients, delegated", moves(about(client), signedFor(client, targetAt(host, 5222))), dials(here(host, 5222, host, false))},
		{"dial-revoked", "dial", "revoked, and no SRV records: the source itself", on(says(revokes)), dials(here(source, 5269, source, false))},
		{"dial-failed", "dial", "the look-up of the statement failed, no SRV records: the source itself, by PKIX", on(has(func(e *evidence) {
			e.TXT[0] = txtAnswer{Name: txtName(service), DNSSEC: indeterminate, Failure: &failure{"dns-timeout", "silence"}}
		})), dials(here(source, 5269, source, false))},
		{"dial-bogus", "dial", "bogus SRV records: nowhere", on(hasSRV(srvAt(service, bogus, to(host, port)))), ending("dns-bogus")},
		{"dial-bogus-first", "dial", "bogus SRV records, the statement first", moves(first, on(hasSRV(srvAt(service, bogus, to(evil, port))))), dials(here(host, 5269, host, false))},
		{"dial-33", "dial table", "33 SRV records count as a look-up that failed", on(hasSRV(srvAt(service, insecure, slices.Repeat([]srvRecord{to(host, port)}, 33)...))), ending("too-many-records")},
	}
}

// dialled is what is expected where there is somewhere to connect to.
func dialled(list ...Dial) *Expect {
	e := ending("verified")
	slices.SortFunc(list, func(a, b Dial) int {
		return strings.Compare(fmt.Sprintf("%s %05d", a.Host, a.Port), fmt.Sprintf("%s %05d", b.Host, b.Port))
	})
	e.Dial = list
	return e
}

func inputCases() []dealing {
	const missing = "missing-input"
	q := func(edit func(q *Question)) move { return func(d *deal) { edit(&d.question) } }
	return []dealing{
		{"input-direction", "inputs", "no direction", q(func(q *Question) { q.Direction = "" }), ending(missing)},
		{"input-source", "inputs", "no source", q(func(q *Question) { q.Source = "" }), ending(missing)},
		{"input-service", "inputs", "no service", q(func(q *Question) { q.Service = "" }), ending(missing)},
		{"input-source-case", "inputs", "the source in upper case", q(func(q *Question) { q.Source = "B.example" }), ending("bad-query")},
		{"input-service-typed", "inputs", "the service as a person types it", moves(incoming, q(func(q *Question) { q.Service = "xmpp-server" })), ending("bad-query")},
		{"input-roots", "inputs", "no trust anchors", on(func(t *trial) { t.policy.Roots = nil }), ending(missing)},
		{"input-time", "inputs", "no time", moves(incoming, on(func(t *trial) { t.policy.Time = "" })), ending(missing)},
		{"input-evidence", "inputs", "evidence about another source", on(has(func(e *evidence) { e.Source = "c.example" })), ending("bad-evidence")},
		{"input-nothing", "inputs", "no place was looked at", moves(incoming, on(place(nowhere))), ending(missing)},
	}
}

func timesCases() []dealing {
	secureSRV := func(ttl uint32) step {
		return all(believes, has(func(e *evidence) {
			a := srvAt(service, secure, to(host, port))
			a.TTL = ttl
			e.SRV = []srvAnswer{a}
		}))
	}
	collected := func(age time.Duration) step { return has(func(e *evidence) { e.Collected = now.Add(-age) }) }
	statementTTL := func(ttl uint32) step { return has(func(e *evidence) { e.TXT[0].TTL = ttl }) }
	decided := func(wait time.Duration) *Expect {
		e := ending("verified")
		at := now.Add(wait)
		e.RefreshAt = &at
		return e
	}
	expired := ending("verified")
	expired.Methods = map[string]string{"pkix": "verified", "dnssec": "proof-expired", "delegation": "not-used"}
	expired.References = []string{source}
	counts := ending("verified")
	counts.Methods = map[string]string{"pkix": "verified", "dnssec": "verified", "delegation": "not-used"}
	counts.References = []string{source, host}
	floor := func(service string, end time.Time) step {
		return func(t *trial) {
			f := floorAt(service, 0, -time.Hour, t.statement.targets)
			f.ValidUntil = end
			t.policy.Floor = []Floor{f}
		}
	}
	required := func(yes bool) *Expect {
		e := ending("verified")
		e.Required = &yes
		return e
	}
	return []dealing{
		{"refresh-secure-0", "times", "secure SRV records with a TTL of 0 count for 5 minutes", moves(silent, on(secureSRV(0))), decided(5 * time.Minute)},
		{"refresh-secure-301", "times", "secure SRV records with a TTL of 301 seconds", moves(silent, on(secureSRV(301))), decided(301 * time.Second)},
		{"refresh-secure-day", "times", "secure SRV records with a TTL of a day", moves(silent, on(secureSRV(86400))), decided(6 * hour)},
		{"refresh-sooner", "times", "secure SRV records, and a statement that is looked up sooner", on(secureSRV(3600), statementTTL(600)), decided(10 * time.Minute)},
		{"refresh-later", "times", "secure SRV records, and a statement that is looked up later", on(secureSRV(3600), statementTTL(7200)), decided(hour)},
		{"refresh-statement", "times", "a statement", nil, decided(hour)},
		{"refresh-nothing", "times", "nothing verified", silent, decided(5 * time.Minute)},
		{"old-59", "times", "secure SRV records with a TTL of an hour, collected a second less than an hour ago", moves(incoming, on(secureSRV(3600), collected(hour-time.Second))), counts},
		{"old-60", "times", "secure SRV records with a TTL of an hour, collected an hour ago", moves(incoming, on(secureSRV(3600), collected(hour))), expired},
		{"old-future", "times", "secure SRV records, collected in an hour by somebody's clock", moves(incoming, on(secureSRV(3600), collected(-hour))), counts},

		{"required-remembered", "required", "no statement, and one is remembered whose proof has not ended", moves(silent, on(floor(service, expires))), required(true)},
		{"required-ended", "required", "no statement, and one is remembered whose proof ends now", moves(silent, on(floor(service, now))), required(false)},
		{"required-last", "required", "no statement, and one is remembered whose proof ends in a second", moves(silent, on(floor(service, now.Add(time.Second)))), required(true)},
		{"required-other-label", "required", "no statement, and one for the other label is remembered", moves(silent, on(floor(direct, expires))), required(true)},
		{"required-other-service", "required", "no statement, and one for clients is remembered", moves(silent, on(floor(client, expires))), required(false)},
		{"required-revocation", "required", "the statement is a revocation", moves(incoming, on(says(revokes))), required(true)},
		{"required-remembered-revocation", "required", "no statement, and a revocation is remembered", moves(silent, on(says(revokes), floor(service, expires))), required(true)},
		{"required-refused", "required", "the statement has expired", moves(incoming, on(says(func(s *statement) { s.expires = now }))), required(false)},
		{"required-none", "required", "no statement, and none remembered", moves(incoming, silent), required(false)},
	}
}

// spki is the pin of a certificate's key.
func spki(c *x509.Certificate) []byte {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return sum[:]
}
