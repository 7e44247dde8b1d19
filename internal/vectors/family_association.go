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
	"label":     {[]string{"V7", "D4"}, "SRV records of both labels of a role make one row. Endpoints are compared by host and port.", "The second label is a way round the statement, or round secure records."},
	"row":       {[]string{"D4", "C3"}, "The table of two labels, line by line, without a statement.", "An attacker who can break the look-up of one label chooses among the records of the other."},
	"pins":      {[]string{"S3", "V7", "P1"}, "Pins restrict the keys of a peer.", "A pin that is lost on the way restricts nothing."},
	"table":     {[]string{"C1", "C2"}, "The state of the SRV records decides which methods count.", "A statement overrules secure records, or insecure records count as secure ones."},
	"dial":      {[]string{"C3"}, "Where to connect.", "An attacker breaks a look-up in order to choose the target."},
	"endpoint":  {[]string{"C4"}, "A name counts only at the endpoint that it was proven for.", "Another program on the provider's host passes for the service."},
	"direction": {[]string{"C5"}, "Only who is delegated the service between servers speaks for the source.", "A provider of clients, or of mail, sends messages between servers."},
	"times":     {[]string{"C6"}, "Names count until their proofs end.", "A proof is used after its end."},
	"required":  {[]string{"C7"}, "A source with a statement is marked, so that nobody falls back to something weaker.", "Whoever can hide the statement gets the weaker way."},
	"keeps":     {[]string{"O3", "C7"}, "What is to be remembered of the source and role after a decision.", "A revocation or a contradiction that was seen is forgotten."},
	"tls":       {[]string{"C8"}, "Server name, and whether TLS begins at once.", "The peer shows a certificate for something else."},
	"attempts":  {[]string{"C9"}, "How several attempts end.", "A network failure is told as a refusal, or a refusal as a passing failure, which somebody then passes over."},
	"peer":      {[]string{"P1"}, "The peer's certificate leads to a trust anchor, is for servers, and carries one of the names.", "Somebody else's certificate is accepted."},
	"path":      {[]string{"P1", "W2", "W7"}, "A peer's path is held to what a signer's path is held to. Only the signer's certificate has 5 minutes of tolerance.", "A certificate that allows nothing is taken for one that allows everything; or an authority goes beyond what it is held to."},
	"floor":     {[]string{"P1", "C7"}, "At the moment of the connection a name that a statement proves is accepted only if the statement passes the floor of that moment.", "A former provider gets in by a decision that was made before the owner's newest statement was seen."},
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
	b.rowTable()
	b.associate(clientCases()...)
	b.associate(dialCases()...)
	b.associate(inputCases()...)
	b.associate(timesCases(w)...)
	b.associate(peerCases()...)
	b.associate(peerKeyCases()...)
	b.associate(peerFloorCases()...)
	b.peerPathCases()
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
				e.TXT = append(e.TXT, txtAt(roleOf(service)))
			}
		})
	}
}

// signedFor has a statement for a service, at the name of the role asked about.
func signedFor(label string, targets ...target) move {
	return func(d *deal) {
		d.statement.service, d.statement.targets = label, targets
		d.trial.place = nowhere
		d.evidence = append(d.evidence, func(e *evidence) {
			e.TXT = []txtAnswer{txtAt(roleOf(d.question.Service), d.record())}
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
	other := func(records ...srvRecord) srvAnswer { return srvAt(second, insecure, records...) }
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
	soon := refreshed(now.Add(5 * time.Minute))
	twoPorts := delegatesTo(target{host: host, port: 5269, priority: 1, weight: 2}, target{host: host, port: 5270, priority: 1, weight: 2})
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
		bad("srv-port-0", "srv", unavailable, "the SRV record names port 0: no record has a host and a port", srv(insecure, to(host, 0))),
		bad("srv-port-securely", "srv", "conflict", "the secure SRV record names another port", all(believes, srv(secure, to(host, 5270)))),
		bad("srv-port-after-host", "srv", portMismatch, "one names another host, one another port", srv(insecure, evil1, to(host, 1))),
		bad("srv-port-before-host", "srv", portMismatch, "one names another port, one another host", srv(insecure, to(host, 1), evil1)),
		bad("srv-upper-case", "srv", unavailable, "the SRV record names the host in upper case: no record has a legal host", srv(insecure, to("XMPP.hosting.example", port))),
		bad("srv-dot", "srv", unavailable, "the SRV record names the host with a trailing dot: no record has a legal host", srv(insecure, to(host+".", port))),
		bad("srv-source", "srv", targetMismatch, "the SRV record names the source", srv(insecure, to(source, port))),
		bad("srv-unavailable", "srv", unavailable, "the SRV target is .", srv(insecure, dot)),
		bad("srv-unavailable-securely", "srv", unavailable, "the secure SRV target is .", all(believes, srv(secure, dot))),
		bad("srv-unavailable-twice", "srv", unavailable, "two SRV targets are .", srv(insecure, dot, dot)),
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

		bad("label-port", "label", portMismatch, "a record of the second label names another port of a verified host", both(mine(), other(to(host, 5270)))),
		good("label-second", "label", "a record of the second label, and it is delegated to", both(mine(), other(good1))),
		bad("label-port-0", "label", unavailable, "a record of the second label with port 0, and no other", both(mine(), other(to(host, 0)))),
		bad("label-evil", "label", targetMismatch, "a record of the second label names another host", both(mine(), other(evil1))),
		bad("label-evil-securely", "label", "conflict", "a secure record of the second label names another host", all(believes, both(mine(), srvAt(second, secure, evil1)))),
		bad("label-evil-securely-good", "label", "conflict", "a secure record of the second label names another host, and an insecure one of the role's label is right: it is not used", all(believes, both(mine(good1), srvAt(second, secure, evil1)))),
		good("label-good-securely-evil", "label", "a secure record of the second label is right, and an insecure one of the role's label names another host: it is not used", all(believes, both(mine(evil1), srvAt(second, secure, good1)))),
		good("label-securely-evil", "label", "a secure record of the role's label is right, and an insecure one of the second label names another host: it is not used", all(believes, both(srvAt(service, secure, good1), other(evil1)))),
		bad("label-fails", "label", "dns-timeout", "the look-up of the second label failed, and the role's label has no records", both(mine(), srvFailed(second, "dns-timeout"))),
		bad("label-fails-unasked", "label", "dns-timeout", "the look-up of the second label failed, and the role's label was not asked about", hasSRV(srvFailed(second, "dns-timeout"))),
		good("label-only-second", "label", "only the second label was answered, and its record is delegated to", hasSRV(other(good1))),
		bad("label-only-second-evil", "label", targetMismatch, "only the second label was answered, and its record names another host", hasSRV(other(evil1))),
		good("label-only-second-absent", "label", "only the second label was answered, and it has no records", hasSRV(other())),
		bad("label-fails-unavailable", "label", "dns-timeout", "the look-up of the second label failed, and the role's label is not available", both(mine(dot), srvFailed(second, "dns-timeout"))),
		good("label-fails-good", "label", "the look-up of the second label failed, and the record of the role's label is delegated to: look again after 5 minutes", both(mine(good1), srvFailed(second, "dns-timeout")), soon),
		good("label-bogus", "label", "the records of the second label are bogus: look again after 5 minutes", both(mine(good1), srvAt(second, bogus, evil1)), soon),
		good("label-33", "label", "33 records of the second label: look again after 5 minutes", both(mine(good1), other(many(33)...)), soon),
		good("label-fails-securely", "label", "the look-up of the second label failed, and the secure record of the role's label is delegated to: look again after 5 minutes", all(believes, both(srvAt(service, secure, good1), srvFailed(second, "dns-timeout"))), soon),
		good("label-own-fails-securely", "label", "the look-up of the role's label failed, and the secure record of the second label is delegated to: look again after 5 minutes", all(believes, both(srvFailed(service, "dns-timeout"), srvAt(second, secure, good1))), soon),
		good("label-both", "label", "a record of each label, both delegated to", all(twoPorts, both(mine(good1), other(to(host, 5270)))), dials(x+" "+y)),
		good("label-order", "label", "a record of each label; the evidence has the second one first", all(twoPorts, both(other(to(host, 5270)), mine(good1))), dials(x+" "+y)),
		good("label-same", "label", "the same endpoint in the records of both labels: once in where to connect", both(mine(good1), other(good1))),
		good("label-evil-beside", "label", "the second label names another host, the role's label is right", both(mine(good1), other(evil1))),
		good("label-good-evil-own", "label", "the role's label names another host, the second one is right", both(mine(evil1), other(good1))),
		bad("label-own-fails", "label", "dns-timeout", "the look-up of the role's label failed, the second one is right", both(srvFailed(service, "dns-timeout"), other(good1))),
		bad("label-own-bogus", "label", "dns-bogus", "the records of the role's label are bogus, the second one is right", both(srvAt(service, bogus, evil1), other(good1))),
		bad("label-own-33", "label", "too-many-records", "33 records of the role's label, the second one is right", both(mine(many(33)...), other(good1))),
		good("label-own-unavailable", "label", "the role's label is not available, the second one is right", both(mine(dot), other(good1))),
		good("label-second-unavailable", "label", "the role's label is right, the second one is not available", both(mine(good1), other(dot))),
		bad("label-unavailable-both", "label", unavailable, "neither label is available", both(mine(dot), other(dot))),
		bad("label-unavailable-securely", "label", unavailable, "the second label is securely not available, and an insecure record of the role's label is right: it is not used", all(believes, both(mine(good1), srvAt(second, secure, dot)))),
		bad("label-unavailable-evil", "label", targetMismatch, "the role's label is not available, the second one names another host", both(mine(dot), other(evil1))),
		bad("label-evil-unavailable", "label", targetMismatch, "the role's label names another host, the second one is not available", both(mine(evil1), other(dot))),
		bad("label-port-and-host", "label", portMismatch, "the role's label names another host, the second one another port", both(mine(evil1), other(to(host, 1)))),
		bad("label-replayed", "label replayed", targetMismatch, "the evidence calls a record of the second label secure, which the policy does not believe", both(mine(evil1), srvAt(second, secure, to(evil, 5270)))),
	}
}

// dialCases are about where to connect, and how TLS begins there.
func dialCases() []dealing {
	at := func(label, host string, port uint16) srvAnswer { return srvAt(label, insecure, to(host, port)) }
	securely := func(label, host string, port uint16) srvAnswer { return srvAt(label, secure, to(host, port)) }
	srv := func(list ...srvAnswer) move { return on(hasSRV(list...)) }
	starting := func(start string) func(host string, port uint16, name string) Dial {
		return func(host string, port uint16, name string) Dial { return Dial{Endpoint{host, port}, name, start} }
	}
	starttls, tls, unknown := starting("starttls"), starting("direct"), starting("")
	dials := func(list ...Dial) *Expect { return dialled(list...) }
	direct := func(host string, port int64) target {
		return target{host: host, port: port, priority: 10, tls: "direct"}
	}
	delegates := func(list ...target) move { return on(delegatesTo(list...)) }
	const imap, imaps, sips, sip, other = "_imap._tcp", "_imaps._tcp", "_sips._tcp", "_sip._udp", "other.example"
	secondService := func(label string) move {
		return moves(silent, on(func(t *trial) { t.query.Service = label }), func(d *deal) { d.question.Service = label })
	}
	return []dealing{
		{"dial-usual", "dial tls", "delegated, SRV was not asked", nil, dials(starttls(host, 5269, host))},
		{"dial-direct", "dial tls", "delegated, with TLS from the first byte", delegates(direct(host, 5223)), dials(tls(host, 5223, host))},
		{"dial-two-starts", "dial tls", "delegated to two targets, one of them with TLS from the first byte", delegates(targetAt(host, 5269), direct(host, 5270)),
			dials(starttls(host, 5269, host), tls(host, 5270, host))},
		{"dial-both-labels", "dial tls label", "delegated, with SRV records of both labels", moves(delegates(targetAt(host, 5269), direct(host, 5270)), srv(at(service, host, 5269), at(second, host, 5270))),
			dials(starttls(host, 5269, host), tls(host, 5270, host))},
		{"dial-direct-own-label", "dial tls label", "the statement says direct, and the SRV record is of the role's label: the statement is right", moves(delegates(direct(host, 5269)), srv(at(service, host, 5269))),
			dials(tls(host, 5269, host))},
		{"dial-negotiated-second-label", "dial tls label", "the statement does not say direct, and the SRV record is of the second label: the statement is right", srv(srvAt(service, insecure), at(second, host, 5269)),
			dials(starttls(host, 5269, host))},
		{"dial-secure-direct", "dial tls label", "secure SRV records of the role's label, and the statement says direct: the label is right", moves(delegates(direct(host, 5269)), on(believes), srv(securely(service, host, 5269))),
			dials(starttls(host, 5269, source))},
		{"dial-secure-second", "dial tls label", "secure SRV records of the second label, and the statement does not say direct: the label is right", moves(on(believes), srv(srvAt(service, insecure), securely(second, host, 5269))),
			dials(tls(host, 5269, source))},
		{"dial-second-asked", "dial tls label", "asked about _xmpps-server._tcp, which is the same role", moves(about(second), signedFor(service, targetAt(host, port)),
			srv(at(service, host, 5269), at(second, host, 5270))), dials(starttls(host, 5269, host))},
		{"dial-first", "dial", "the statement first, with other SRV records", moves(first, srv(at(service, other, 5269))), dials(starttls(host, 5269, host))},
		{"dial-first-none", "dial", "the statement first, and there is none", moves(first, silent, srv(at(service, other, 5269))), dials(starttls(other, 5269, source))},
		{"dial-insecure", "dial tls", "insecure SRV records of both labels, and no statement", moves(silent, srv(at(service, other, 5269), at(second, host, 5270))),
			dials(starttls(other, 5269, source), tls(host, 5270, source))},
		{"dial-insecure-same", "dial tls", "the same endpoint in the insecure SRV records of both labels, and no statement: the role's label comes first", moves(silent, srv(at(second, host, 5269), at(service, host, 5269))),
			dials(starttls(host, 5269, source))},
		{"dial-secure-other", "dial tls", "secure SRV records, insecure ones of the second label: these are not used", moves(silent, on(believes), srv(securely(service, host, 5269), at(second, host, 5270))),
			dials(starttls(host, 5269, source))},
		{"dial-secure-both", "dial tls", "secure SRV records of both labels", moves(silent, on(believes), srv(securely(service, host, 5269), securely(second, host, 5270))),
			dials(starttls(host, 5269, source), tls(host, 5270, source))},
		{"dial-unavailable", "dial", "the SRV target is ., and the second label has a record", moves(silent, srv(srvAt(service, insecure, to(".", 0)), at(second, host, 5270))), dials(tls(host, 5270, source))},
		{"dial-unavailable-both", "dial", "the SRV target is . for both labels", moves(silent, srv(srvAt(service, insecure, to(".", 0)), srvAt(second, insecure, to(".", 0)))), ending("service-not-available")},
		{"dial-useless", "dial", "SRV records without a legal host and a port: they are not none", moves(silent, srv(srvAt(service, insecure, to("printer.local", 5269), to(host, 0)))), ending("service-not-available")},
		{"dial-useless-securely", "dial", "secure SRV records, one of them with an illegal host", moves(silent, on(believes), srv(srvAt(service, secure, to("printer.local", 5269), to(host, 5269)))), dials(starttls(host, 5269, source))},
		{"dial-nothing", "dial", "neither SRV records nor a statement: the source itself at the default port", silent, dials(starttls(source, 5269, source))},
		{"dial-nothing-client", "dial", "neither SRV records nor a statement, for clients", moves(about(client)), dials(starttls(source, 5222, source))},
		{"dial-nothing-second", "dial label", "neither SRV records nor a statement, asked about the second label: the default port of the role", secondService(second), dials(starttls(source, 5269, source))},
		{"dial-nothing-imap", "dial", "neither SRV records nor a statement, for a role without a default port", moves(about(imap)), ending("no-statement")},
		{"dial-nothing-sips", "dial", "neither SRV records nor a statement, for another service", moves(about(sips)), ending("no-statement")},
		{"dial-imap", "dial tls", "mail, delegated with both ways of TLS", moves(about(imap), signedFor(imap, targetAt(host, 143), direct(host, 993))), dials(starttls(host, 143, host), tls(host, 993, host))},
		{"dial-imap-srv", "dial tls label", "mail, insecure SRV records of both labels", moves(about(imap), srv(at(imap, host, 143), at(imaps, host, 993))), dials(starttls(host, 143, source), tls(host, 993, source))},
		{"dial-imaps-asked", "dial tls label", "mail, asked about by the second label", moves(about(imaps), signedFor(imap, direct(host, 993))), dials(tls(host, 993, host))},
		{"dial-sips", "dial tls", "a service outside of the table, delegated: nobody knows how TLS begins", moves(about(sips), signedFor(sips, targetAt(host, 5061))), dials(unknown(host, 5061, host))},
		{"dial-sips-direct", "dial tls", "a service outside of the table, delegated with TLS from the first byte", moves(about(sips), signedFor(sips, direct(host, 5061))), dials(tls(host, 5061, host))},
		{"dial-sips-srv", "dial tls", "a service outside of the table, insecure SRV records, and no statement", moves(about(sips), srv(at(sips, host, 5061))), dials(unknown(host, 5061, source))},
		{"dial-udp", "dial tls", "a service over UDP, delegated with TLS from the first byte: nobody connects", moves(about(sip), signedFor(sip, direct(host, 5061))), dials(unknown(host, 5061, host))},
		{"dial-client", "dial tls", "clients, delegated", moves(about(client), signedFor(client, targetAt(host, 5222))), dials(starttls(host, 5222, host))},
		{"dial-revoked", "dial", "revoked, and no SRV records: the source itself", on(says(revokes)), dials(starttls(source, 5269, source))},
		{"dial-failed", "dial", "the look-up of the statement failed, no SRV records: the source itself, by PKIX", on(has(func(e *evidence) {
			e.TXT[0] = txtAnswer{Name: txtName(service), DNSSEC: indeterminate, Failure: &failure{"dns-timeout", "silence"}}
		})), dials(starttls(source, 5269, source))},
		{"dial-bogus", "dial", "bogus SRV records: nowhere", on(hasSRV(srvAt(service, bogus, to(host, port)))), ending("dns-bogus")},
		{"dial-bogus-first", "dial", "bogus SRV records, the statement first", moves(first, on(hasSRV(srvAt(service, bogus, to(evil, port))))), dials(starttls(host, 5269, host))},
		{"dial-bogus-first-direct", "dial tls", "bogus SRV records, the statement first, with TLS from the first byte", moves(first, delegates(direct(host, 5269)), on(hasSRV(srvAt(service, bogus, to(evil, port))))), dials(tls(host, 5269, host))},
		{"dial-33", "dial table", "33 SRV records are a look-up that failed", on(hasSRV(srvAt(service, insecure, slices.Repeat([]srvRecord{to(host, port)}, 33)...))), ending("too-many-records")},
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
		{"input-direction-unknown", "inputs", "a direction that nobody knows", q(func(q *Question) { q.Direction = "sideways" }), ending(missing)},
		{"input-direction-case", "inputs", "a direction in upper case", q(func(q *Question) { q.Direction = "Outgoing" }), ending(missing)},
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

func timesCases(w *world) []dealing {
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
	soon := srvAt(second, secure, to(host, 5270))
	soon.TTL = 600
	denied := srvAt(second, secure)
	denied.TTL = 600
	secureBoth, secureAbsent := hasSRV(srvAt(service, secure, to(host, port)), soon), hasSRV(srvAt(service, secure, to(host, port)), denied)
	keeps := func(floor *Floor) *Expect {
		e := ending("verified")
		e.Floor = Remembered{true, floor}
		return e
	}
	floorOf := func(steps ...step) *Floor { return w.trial(steps...).floor() }
	contradictory := floorOf()
	contradictory.Targets = contradiction
	expired := ending("verified")
	expired.Methods = map[string]string{"pkix": "verified", "dnssec": "proof-expired", "delegation": "not-used"}
	expired.References = []string{source}
	counts := ending("verified")
	counts.Methods = map[string]string{"pkix": "verified", "dnssec": "verified", "delegation": "not-used"}
	counts.References = []string{source, host}
	counts2 := ending("verified")
	counts2.References = counts.References
	floor := func(end time.Time) step {
		return func(t *trial) {
			f := floorAt(0, -time.Hour, t.statement.targets)
			f.ValidUntil = end
			t.policy.Floor = &f
		}
	}
	contradicts := func(t *trial) { t.policy.Floor.Targets = contradiction }
	secondAsked := moves(silent, func(d *deal) { d.question.Service, d.query.Service = second, second })
	required := func(yes bool) *Expect {
		e := ending("verified")
		e.Required = &yes
		return e
	}
	return []dealing{
		{"refresh-secure-0", "times", "secure SRV records with a TTL of 0 count for 5 minutes", moves(silent, on(secureSRV(0))), decided(5 * time.Minute)},
		{"refresh-secure-301", "times", "secure SRV records with a TTL of 301 seconds", moves(silent, on(secureSRV(301))), decided(301 * time.Second)},
		{"refresh-secure-day", "times", "secure SRV records with a TTL of a day", moves(silent, on(secureSRV(86400))), decided(6 * hour)},
		{"refresh-secure-299", "times", "secure SRV records with a TTL of 299 seconds count for 5 minutes", moves(silent, on(secureSRV(299))), decided(5 * time.Minute)},
		{"refresh-secure-both", "times label", "secure SRV records of both labels, the second one with a TTL of 10 minutes", moves(silent, on(believes, secureBoth)), decided(10 * time.Minute)},
		{"refresh-secure-client-in", "times direction", "secure SRV records for clients, incoming, which prove no name", moves(about(client), incoming, on(believes, hasSRV(srvAt(client, secure, to(host, port))))), decided(hour)},
		{"refresh-secure-absent", "times label", "secure SRV records, and of the second label securely none, with a TTL of 10 minutes: a denial has none", moves(silent, on(believes, secureAbsent)), decided(hour)},
		{"refresh-passed-over", "times label", "a failed look-up of the second label was passed over, and a statement verifies", on(hasSRV(srvAt(service, insecure, to(host, port)), srvFailed(second, "dns-timeout"))), decided(5 * time.Minute)},
		{"refresh-passed-over-in", "times label", "a failed look-up of the second label, incoming, and a statement verifies", moves(incoming, on(hasSRV(srvAt(service, insecure, to(host, port)), srvFailed(second, "dns-timeout")))), decided(5 * time.Minute)},
		{"old-ttl-60", "times", "secure SRV records with a TTL of a minute, collected a second less than 5 minutes ago", moves(silent, on(secureSRV(60), collected(5*time.Minute-time.Second))), counts2},
		{"old-ttl-60-passed", "times", "secure SRV records with a TTL of a minute, collected 5 minutes ago", moves(silent, on(secureSRV(60), collected(5*time.Minute))), expired},
		{"secure-second", "label table", "secure SRV records of the second label, and a statement", on(believes, hasSRV(srvAt(second, secure, to(host, port)))), counts},
		{"secure-second-in", "label table direction", "secure SRV records of the second label, and a statement, incoming", moves(incoming, on(believes, hasSRV(srvAt(second, secure, to(host, port))))), counts},
		{"secure-illegal-host", "srv", "secure SRV records, one of them with a host that is no name: it is left out", moves(on(believes, hasSRV(srvAt(service, secure, to("printer.local", 5269), to(host, port))))), counts},
		{"secure-illegal-host-in", "srv direction", "secure SRV records, one of them with a host that is no name, incoming: it is left out", moves(incoming, on(believes, hasSRV(srvAt(service, secure, to("printer.local", 5269), to(host, port))))), counts},
		{"refresh-sooner", "times", "secure SRV records, and a statement that is looked up sooner", on(secureSRV(3600), statementTTL(600)), decided(10 * time.Minute)},
		{"refresh-later", "times", "secure SRV records, and a statement that is looked up later", on(secureSRV(3600), statementTTL(7200)), decided(hour)},
		{"refresh-statement", "times", "a statement", nil, decided(hour)},
		{"refresh-nothing", "times", "nothing verified", silent, decided(5 * time.Minute)},
		{"old-59", "times", "secure SRV records with a TTL of an hour, collected a second less than an hour ago", moves(incoming, on(secureSRV(3600), collected(hour-time.Second))), counts},
		{"old-60", "times", "secure SRV records with a TTL of an hour, collected an hour ago", moves(incoming, on(secureSRV(3600), collected(hour))), expired},
		{"old-future", "times", "secure SRV records, collected in an hour by somebody's clock", moves(incoming, on(secureSRV(3600), collected(-hour))), counts},

		{"keeps-statement", "keeps", "a statement: its floor is to be remembered", nil, keeps(floorOf())},
		{"keeps-in", "keeps direction", "a statement, incoming: its floor is to be remembered", incoming, keeps(floorOf())},
		{"keeps-secure", "keeps table", "a statement, and secure SRV records, which come first: its floor is to be remembered", on(secureSRV(3600)), keeps(floorOf())},
		{"keeps-revocation", "keeps", "a revocation: its floor is to be remembered", on(says(revokes)), keeps(floorOf(says(revokes)))},
		{"keeps-contradiction", "keeps", "statements that contradict each other: that is to be remembered", on(beside(elsewhereTo)), keeps(contradictory)},
		{"keeps-mismatch", "keeps srv", "a statement for another host than the SRV record names: its floor is to be remembered", on(hasSRV(srvAt(service, insecure, to(evil, port)))), keeps(floorOf())},
		{"keeps-nothing", "keeps", "no statement: nothing to remember", silent, keeps(nil)},
		{"keeps-expired", "keeps", "the statement has expired: nothing to remember", on(says(func(s *statement) { s.expires = now })), keeps(nil)},

		{"required-remembered", "required", "no statement, and one is remembered whose proof has not ended", moves(silent, on(floor(expires))), required(true)},
		{"required-ended", "required", "no statement, and one is remembered whose proof ends now: 31 days are left", moves(silent, on(floor(now))), required(true)},
		{"required-30-days", "required", "no statement, and one is remembered whose proof ended 30 days ago", moves(silent, on(floor(now.Add(-30*day)))), required(true)},
		{"required-last", "required", "no statement, and one is remembered whose proof ended 31 days ago but for a second", moves(silent, on(floor(now.Add(-31*day+time.Second)))), required(true)},
		{"required-31-days", "required", "no statement, and one is remembered whose proof ended 31 days ago", moves(silent, on(floor(now.Add(-31*day)))), required(false)},
		{"required-32-days", "required", "no statement, and one is remembered whose proof ended 32 days ago", moves(silent, on(floor(now.Add(-32*day)))), required(false)},
		{"required-contradiction", "required", "no statement, and a contradiction is remembered whose proof ended 30 days ago", moves(silent, on(floor(now.Add(-30*day)), contradicts)), required(true)},
		{"required-contradiction-now", "required", "statements that contradict each other", on(beside(elsewhereTo)), required(true)},
		{"required-revocation-ended", "required", "no statement, and a revocation is remembered whose proof ends now: the source is free", moves(silent, on(says(revokes), floor(now))), required(false)},
		{"required-revocation-last", "required", "no statement, and a revocation is remembered whose proof ends in a second", moves(silent, on(says(revokes), floor(now.Add(time.Second)))), required(true)},
		{"required-second-label", "required label", "no statement, asked about by the second label, and one is remembered for the role", moves(secondAsked, on(floor(expires))), required(true)},
		{"required-revocation", "required", "the statement is a revocation", moves(incoming, on(says(revokes))), required(true)},
		{"required-remembered-revocation", "required", "no statement, and a revocation is remembered", moves(silent, on(says(revokes), floor(expires))), required(true)},
		{"required-refused", "required", "the statement has expired", moves(incoming, on(says(func(s *statement) { s.expires = now }))), required(false)},
		{"required-none", "required", "no statement, and none remembered", moves(incoming, silent), required(false)},
	}
}

// clientCases are about a peer that says it speaks for the source, where the role is
// the one of clients. It does not, whatever the records and the statement say.
func clientCases() []dealing {
	ends := ending("verified")
	ends.Methods = map[string]string{"pkix": "verified", "dnssec": "service-mismatch", "delegation": "service-mismatch"}
	ends.References = []string{source}
	speaks := func(steps ...step) move {
		return moves(about(client), signedFor(client, targetAt(host, port)), incoming, on(append([]step{believes}, steps...)...))
	}
	return []dealing{
		{"clients-in-secure", "direction table", "secure SRV records, about clients, incoming", speaks(hasSRV(srvAt(client, secure, to(host, port)))), ends},
		{"clients-in-conflict", "direction table", "secure SRV records and statements that contradict each other, about clients, incoming",
			speaks(hasSRV(srvAt(client, secure, to(host, port))), beside(says(func(s *statement) { s.service = client }), delegatesTo(targetAt(elsewhere, port)))), ends},
		{"clients-in-unavailable", "direction table", "SRV records that say securely that there is no service, about clients, incoming", speaks(hasSRV(srvAt(client, secure, to(".", 0)))), ends},
		{"clients-in-insecure", "direction table", "insecure SRV records, about clients, incoming", speaks(hasSRV(srvAt(client, insecure, to(host, port)))), ends},
		{"clients-in-absent", "direction table", "no SRV records, about clients, incoming", speaks(hasSRV(srvAt(client, insecure))), ends},
		{"clients-in-bogus", "direction table", "bogus SRV records, about clients, incoming", speaks(hasSRV(srvAt(client, bogus))), ends},
		{"clients-in-revoked", "direction table", "a revocation, about clients, incoming", speaks(says(revokes), hasSRV(srvAt(client, insecure))), ends},
	}
}

// spki is the pin of a certificate's key.
func spki(c *x509.Certificate) []byte {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return sum[:]
}
