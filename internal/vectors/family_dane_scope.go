package vectors

import (
	"crypto/x509"
	"slices"
	"time"
)

// scopeCases are about whom a match accepts, and whom a mismatch refuses.
func scopeCases(w *world) []dealing {
	self := selfSigned("own")
	key := tlsaFor(3, 1, 1, self)
	secureSRV := moves(silent, on(believes, hasSRV(srvAt(service, secure, to(host, port)))))
	insecureSRV := on(hasSRV(srvAt(service, insecure, to(host, port))))
	provider, owner, both := shows(named(host)), shows(named(source)), shows(named(host, source))
	own := accepted(source, "pkix", peerEnds.Add(time.Second))
	pinned := func(c *x509.Certificate) move {
		return func(d *deal) {
			t := targetAt(host, port)
			t.pins = [][]byte{make([]byte, 32)}
			if c != nil {
				t.pins = [][]byte{spki(c)}
			}
			d.statement.targets = []target{t}
		}
	}
	knows := func(after time.Duration, list []target) move {
		return func(d *deal) { d.peer.Floor = new(floorAt(0, after, list)) }
	}
	others := []target{targetAt(elsewhere, port)}
	renewed := func(d *deal) { d.peer.Floor = new(floorAt(0, time.Second, d.statement.targets)) }
	return []dealing{
		{"scope-secure", "scope", "a record matches, where secure SRV records name the endpoint", moves(secureSRV, offers(self), records(key)), byTLSA("dnssec", daneEnds, "3 1 1")},
		{"scope-secure-other", "scope", "no record matches a good certificate of the target, where secure SRV records name the endpoint", moves(secureSRV, provider, records(key)), ending(mismatch)},
		{"scope-secure-source", "scope", "no record matches a good certificate of the source, where secure SRV records name the endpoint", moves(secureSRV, owner, records(key)), ending(mismatch)},
		{"scope-secure-statement", "scope", "no record matches a good certificate of the source, where secure SRV records name the endpoint, and a statement too", moves(on(believes, hasSRV(srvAt(service, secure, to(host, port)))), owner, records(key)), ending(mismatch)},
		{"scope-secure-source-key", "scope", "a record of usage 3 matches a certificate of the source, where secure SRV records name the endpoint", moves(secureSRV, owner, records(tlsaFor(3, 1, 1, w.certificateOf(named(source)).leaf))), byTLSA("dnssec", daneEnds, "3 1 1")},
		{"scope-secure-none", "scope", "no TLSA records, and a certificate of the source, where secure SRV records name the endpoint", moves(secureSRV, owner, records()), own},
		{"scope-secure-unusable", "scope usable", "no usable record, and a certificate of the source, where secure SRV records name the endpoint", moves(secureSRV, owner, records(tlsaRecord{4, 1, 1, key.Data})), own},
		{"scope-secure-unusable-host", "scope usable", "no usable record, and a certificate of the target, where secure SRV records name the endpoint", moves(secureSRV, provider, records(tlsaRecord{4, 1, 1, key.Data})), accepted(host, "dnssec", now.Add(hour))},
		{"scope-secure-elsewhere", "scope endpoint", "records at an endpoint that the secure SRV records do not name, and a certificate of the source", moves(secureSRV, owner, reaches(elsewhere, port), asked(saysDNS(elsewhere, port, key))), own},
		{"scope-source", "scope", "no record matches a good certificate of the source, where a statement names the endpoint", moves(owner, records(key)), own},
		{"scope-both", "scope", "no record matches a good certificate of target and source, where a statement names the endpoint", moves(both, records(key)), own},
		{"scope-insecure-srv", "scope", "a record matches, where a statement and insecure SRV records name the endpoint", moves(insecureSRV, offers(self), records(key)), byTLSA("delegation", daneEnds, "3 1 1")},
		{"scope-only-insecure-srv", "scope", "a record matches, where only insecure SRV records name the endpoint", moves(silent, insecureSRV, offers(self), records(key)), ending("peer-untrusted")},
		{"scope-only-insecure-srv-source", "scope", "no record matches a certificate of the source, where only insecure SRV records name the endpoint", moves(silent, insecureSRV, owner, records(key)), own},
		{"scope-replayed", "scope", "no record matches a certificate of the source, where SRV records name the endpoint that are not believed to be secure", moves(silent, on(hasSRV(srvAt(service, secure, to(host, port)))), owner, records(key)), own},
		{"scope-first", "scope", "a record matches, where a statement names the endpoint and comes before failed SRV records", moves(first, on(hasSRV(srvFailed(service, "dns-timeout"))), offers(self), records(key)), byTLSA("delegation", daneEnds, "3 1 1")},

		{"pins-right", "pins", "a record matches, and the pin is right", moves(pinned(self), offers(self), records(key)), byTLSA("delegation", daneEnds, "3 1 1")},
		{"pins-wrong", "pins", "a record matches, and the pin is wrong", moves(pinned(nil), offers(self), records(key)), ending("peer-key-mismatch")},
		{"pins-mismatch", "pins", "no record matches, and the pin is right", moves(pinned(self), offers(self), records(tlsaRecord{3, 1, 1, make([]byte, 32)})), ending(mismatch)},

		{"floor-above", "floor", "a record matches, and a newer statement is known at the connection", moves(offers(self), records(key), knows(time.Second, others)), ending("superseded")},
		{"floor-conflict", "floor", "a record matches, and a statement of the same order with other targets is known at the connection", moves(offers(self), records(key), knows(0, others)), ending("conflict")},
		{"floor-above-in", "floor incoming", "a record matches, and a newer statement is known at the connection, incoming", moves(offers(self), records(key), incoming, knows(time.Second, others)), ending("superseded")},
		{"floor-above-other", "floor", "no record matches, and a newer statement is known at the connection", moves(offers(selfSigned("other")), records(key), knows(time.Second, others)), ending("superseded")},
		{"floor-above-unusable", "floor usable", "no usable record, and a newer statement is known at the connection", moves(offers(self), records(tlsaRecord{4, 1, 1, key.Data}), knows(time.Second, others)), ending("peer-untrusted")},
		{"floor-above-source", "floor", "no record matches a certificate of the source, and a newer statement is known at the connection", moves(owner, records(key), knows(time.Second, others)), own},
		{"floor-above-lookup", "floor lookup", "the lookup of TLSA failed, and a newer statement is known at the connection", moves(provider, asked(saysDNS(host, port, key), tlsaFails("dns-failure", indeterminate)), knows(time.Second, others)), ending("superseded")},
		{"floor-renewed", "floor", "a record matches, and a newer statement with the same targets is known at the connection", moves(offers(self), records(key), renewed), byTLSA("delegation", daneEnds, "3 1 1")},
	}
}

func daneTimeCases(w *world) []dealing {
	self := selfSigned("own")
	key := tlsaFor(3, 1, 1, self)
	ttls := func(address, tlsa uint32) func(*EndpointAnswer) {
		return func(a *EndpointAnswer) { a.Address.TTL, a.TLSA.TTL = address, tlsa }
	}
	collected := func(at time.Time) func(*EndpointAnswer) {
		return func(a *EndpointAnswer) { a.Collected = stamp(at) }
	}
	says := func(edits ...func(*EndpointAnswer)) move { return asked(saysDNS(host, port, key), edits...) }
	until := func(at time.Time) *Expect { return byTLSA("delegation", at, "3 1 1") }
	least := 5 * time.Minute
	other := offers(selfSigned("other"))
	return []dealing{
		{"until-short", "until", "a TTL of a minute: 5 minutes", moves(offers(self), says(ttls(60, 60))), until(now.Add(least))},
		{"until-zero", "until", "a TTL of 0: 5 minutes", moves(offers(self), says(ttls(0, 0))), until(now.Add(least))},
		{"until-tlsa", "until", "the TTL of the TLSA answer is the smaller one", moves(offers(self), says(ttls(3600, 1200))), until(now.Add(20 * time.Minute))},
		{"until-address", "until", "the TTL of the addresses is the smaller one", moves(offers(self), says(ttls(1200, 3600))), until(now.Add(20 * time.Minute))},
		{"until-proof", "until", "the proof ends before the TTL has passed", moves(offers(self), says(ttls(2592000, 2592000))), until(expires)},
		{"until-collected", "until", "the answers are of half an hour ago", moves(offers(self), says(collected(now.Add(-30*time.Minute)))), until(now.Add(30 * time.Minute))},
		{"until-fraction", "until", "the answers are of a moment between two seconds", moves(offers(self), says(collected(now.Add(-500*time.Millisecond)))), until(now.Add(hour - time.Second))},
		{"until-ahead", "until", "the answers were collected later than now: they count from now", moves(offers(self), says(collected(now.Add(hour)))), until(now.Add(hour))},
		{"until-last-second", "until", "a second before the TTL has passed", moves(offers(self), says(), meets(daneEnds.Add(-time.Second))), until(daneEnds)},
		{"until-ended", "until", "the TTL has passed", moves(offers(self), says(), meets(daneEnds)), ending("proof-expired")},
		{"until-ended-other", "until", "the TTL has passed, and no record matches", moves(other, says(), meets(daneEnds)), ending(mismatch)},
		{"until-ended-source", "until scope", "the TTL has passed, and the certificate is the source's own", moves(shows(named(source)), says(), meets(daneEnds)), accepted(source, "pkix", peerEnds.Add(time.Second))},
		{"until-least-ended", "until", "a TTL of a minute, 5 minutes ago", moves(offers(self), says(ttls(60, 60)), meets(now.Add(least))), ending("proof-expired")},
		{"until-proof-ended", "until", "a record matches, and the proof has ended", moves(offers(self), says(ttls(2592000, 2592000)), meets(expires)), ending("proof-expired")},
	}
}

func daneIncomingCases(w *world) []dealing {
	self := selfSigned("own")
	key, wrong := tlsaFor(3, 1, 1, self), tlsaRecord{3, 1, 1, make([]byte, 32)}
	provider, owner := shows(named(host)), shows(named(source))
	usual := accepted(host, "delegation", expires)
	untrusted := ending("peer-untrusted")
	match := byTLSA("delegation", daneEnds, "3 1 1")
	secureSRV := moves(silent, on(believes, hasSRV(srvAt(service, secure, to(host, port)))))
	private := newPrivateCA().issues(named(host))
	backup := targetAt("backup.hosting.example", 5270)
	two := on(delegatesTo(targetAt(host, port), backup))
	atBackup := accepted(backup.host, "delegation", daneEnds)
	atBackup.Accepted.TLSA = "3 1 1"
	pin := func(d *deal) {
		t := targetAt(host, port)
		t.pins = [][]byte{make([]byte, 32)}
		d.statement.targets = []target{t}
	}
	says := func(record tlsaRecord, edits ...func(*EndpointAnswer)) move {
		return asked(saysDNS(host, port, record), edits...)
	}
	in := func(list ...move) move { return moves(append(list, incoming)...) }
	elsewhereIn := moves(about(client), signedFor(client, targetAt(host, port)))
	return []dealing{
		{"in-match", "incoming", "a record matches a self-signed certificate", in(offers(self), records(key)), match},
		{"in-match-second", "incoming", "a record of the second target matches", in(two, offers(self), records(wrong), asked(saysDNS(backup.host, 5270, key))), atBackup},
		{"in-match-secure", "incoming", "a record matches, where secure SRV records name the endpoint", in(secureSRV, offers(self), records(key)), byTLSA("dnssec", daneEnds, "3 1 1")},
		{"in-match-authority", "incoming usage", "a record of usage 2 matches", in(offers(private...), records(tlsaFor(2, 1, 1, private[2]))), byTLSA("delegation", daneEnds, "2 1 1")},
		{"in-other", "incoming", "no record matches a self-signed certificate", in(offers(self), records(wrong)), untrusted},
		{"in-other-name", "incoming", "no record matches a certificate for another host", in(shows(named("other.example")), records(wrong)), ending("peer-name-mismatch")},
		{"in-other-issued", "incoming", "no record matches a good certificate of the target: it is accepted", in(provider, records(wrong)), usual},
		{"in-other-secure", "incoming scope", "no record matches a good certificate of the target, where secure SRV records name the endpoint: it is accepted", in(secureSRV, provider, records(wrong)), accepted(host, "dnssec", now.Add(hour))},
		{"in-other-source", "incoming scope", "no record matches a certificate of the source, where secure SRV records name the endpoint: it is accepted", in(secureSRV, owner, records(wrong)), accepted(source, "pkix", peerEnds.Add(time.Second))},
		{"in-port", "incoming endpoint", "a record of a port that the statement does not list matches", in(offers(self), asked(saysDNS(host, 443, key))), untrusted},
		{"in-host", "incoming endpoint", "a record of a host that the statement does not list matches", in(offers(self), asked(saysDNS(elsewhere, port, key))), untrusted},
		{"in-failure", "incoming lookup", "the lookup of TLSA failed, and the certificate is good", in(provider, says(key, tlsaFails("dns-timeout", indeterminate))), usual},
		{"in-failure-self", "incoming lookup", "the lookup of TLSA failed, and the certificate is self-signed", in(offers(self), says(key, tlsaFails("dns-timeout", indeterminate))), untrusted},
		{"in-bogus", "incoming lookup", "the addresses are bogus, and the certificate is good", in(provider, says(key, addressIs(bogus))), usual},
		{"in-insecure", "incoming address", "a record that is not secure matches", in(offers(self), says(key, tlsaIs(insecure))), untrusted},
		{"in-17", "incoming limits", "17 records, of which one matches", in(offers(self), records(append(slices.Repeat([]tlsaRecord{wrong}, 16), key)...)), untrusted},
		{"in-unusable", "incoming usable", "no usable record", in(offers(self), records(tlsaRecord{4, 1, 1, key.Data})), untrusted},
		{"in-usage-1", "incoming usage", "a record of usage 1 matches a self-signed certificate", in(offers(self), records(tlsaFor(1, 1, 1, self))), untrusted},
		{"in-ended", "incoming until", "a record matches, and its TTL has passed", in(offers(self), records(key), meets(daneEnds)), ending("proof-expired")},
		{"in-proof-ended", "incoming until", "a record matches, and the proof has ended", in(offers(self), says(key, func(a *EndpointAnswer) { a.Address.TTL, a.TLSA.TTL = 2592000, 2592000 }), meets(expires)), ending("proof-expired")},
		{"in-pin", "incoming pins", "a record matches, and the pin is wrong", in(pin, offers(self), records(key)), ending("peer-key-mismatch")},
		{"in-clients", "incoming scope", "a record matches, and the statement is about clients", in(elsewhereIn, offers(self), records(key)), untrusted},
		{"in-weak", "incoming limits", "11 certificates, of which the first matches", in(offers(slices.Repeat([]*x509.Certificate{self}, 11)...), records(key)), untrusted},
		{"untold-match", "incoming", "a record matches, at an endpoint that the verifier is not told", moves(offers(self), untold, records(key)), match},
		{"untold-other", "incoming", "no record matches a good certificate, at an endpoint that the verifier is not told", moves(provider, untold, records(wrong)), usual},
		{"untold-other-secure", "incoming scope", "no record matches a certificate of the source, at an endpoint that the verifier is not told, where secure SRV records name one", moves(secureSRV, owner, untold, records(wrong)), accepted(source, "pkix", peerEnds.Add(time.Second))},
	}
}

func daneDialCases(w *world) []dealing {
	self := selfSigned("own")
	key := tlsaFor(3, 1, 1, self)
	second := targetAt("backup.hosting.example", 5270)
	secureSRV := moves(silent, on(believes, hasSRV(srvAt(service, secure, to(host, port), to(second.host, 5270)))))
	statement := on(delegatesTo(targetAt(host, port), second))
	dials := func(e *Expect, list ...Dial) *Expect {
		with := *e
		with.Dial = list
		return &with
	}
	at := func(host string, port uint16, name string) Dial {
		return Dial{Endpoint{host, port}, name, "starttls"}
	}
	fails := tlsaFails("dns-failure", indeterminate)
	yes := byTLSA("dnssec", daneEnds, "3 1 1")
	own := accepted(source, "pkix", peerEnds.Add(time.Second))
	backup := second.host
	return []dealing{
		{"dial-secure", "dial", "secure SRV records, and one endpoint has TLSA records: its host is the server name", moves(secureSRV, offers(self), records(key), asked(saysDNS(backup, 5270))),
			dials(yes, at(backup, 5270, source), at(host, port, host))},
		{"dial-secure-unusable", "dial usable", "secure SRV records, and no usable record", moves(secureSRV, shows(named(source)), records(tlsaRecord{4, 1, 1, key.Data})),
			dials(own, at(backup, 5270, source), at(host, port, source))},
		{"dial-secure-insecure", "dial address", "secure SRV records, and TLSA records that are not secure", moves(secureSRV, shows(named(source)), asked(saysDNS(host, port, key), tlsaIs(insecure))),
			dials(own, at(backup, 5270, source), at(host, port, source))},
		{"dial-secure-fails", "dial lookup", "secure SRV records, and the lookup of TLSA failed for one: nobody connects to it", moves(secureSRV, offers(self), records(key), asked(saysDNS(backup, 5270), fails)),
			dials(yes, at(host, port, host))},
		{"dial-secure-17", "dial limits", "secure SRV records, and one endpoint has 17 TLSA records: nobody connects to it", moves(secureSRV, offers(self), records(key), asked(saysDNS(backup, 5270, slices.Repeat([]tlsaRecord{key}, 17)...))),
			dials(yes, at(host, port, host))},
		{"dial-statement", "dial", "a statement, and one endpoint has TLSA records: the host is the server name in any case", moves(statement, offers(self), records(key)),
			dials(byTLSA("delegation", daneEnds, "3 1 1"), at(backup, 5270, backup), at(host, port, host))},
		{"dial-statement-fails", "dial lookup", "a statement, and the addresses of one target are bogus: nobody connects to it", moves(statement, offers(self), records(key), asked(saysDNS(backup, 5270), addressIs(bogus))),
			dials(byTLSA("delegation", daneEnds, "3 1 1"), at(host, port, host))},
		{"dial-unproven", "dial", "insecure SRV records, no statement, and the lookup of TLSA failed: it does not matter", moves(silent, on(hasSRV(srvAt(service, insecure, to(host, port)))), shows(named(source)), asked(saysDNS(host, port, key), fails)),
			dials(own, at(host, port, source))},
	}
}

// daneReuses are about a connection of a.example's that b.example is to use.
func (b *book) daneReuses() {
	const opener = "a.example"
	opened := b.trial(place(nowhere), leaf(named(opener)), says(func(s *statement) { s.source = opener }), delegatesTo(targetAt(host, port)))
	found := opened.found()
	found.Source = opener
	found.TXT = []txtAnswer{{Name: service + "._dna." + opener, DNSSEC: insecure, TTL: ttl, Records: []string{opened.record()}}}
	ca := newPrivateCA()
	secureSRV := moves(silent, on(believes, hasSRV(srvAt(service, secure, to(host, port)))))
	usual := on(delegatesTo(targetAt(host, port)))
	both := func(c *x509.Certificate) []tlsaRecord {
		return []tlsaRecord{tlsaFor(3, 1, 1, c), tlsaFor(2, 1, 1, ca.root.certificate)}
	}
	nameless, wild, plain := ca.issues(named()), ca.issues(named("*.hosting.example")), ca.issues(named(host))
	for _, c := range []struct {
		id, reason, comment string
		in                  bool
		chain               []*x509.Certificate
		records             []tlsaRecord
		change              move
	}{
		{"key", "verified", "the certificate has no name, and a record of usage 3 matches", false, nameless, both(nameless[0]), usual},
		{"key-in", "verified", "the certificate has no name, and a record of usage 3 matches, incoming", true, nameless, both(nameless[0]), moves(usual, incoming)},
		{"key-secure", "verified", "the certificate has no name, and a record of usage 3 matches, by secure SRV records", false, nameless, both(nameless[0]), secureSRV},
		{"key-wildcard", "verified", "the certificate has a wildcard, and a record of usage 3 matches", false, wild, both(wild[0]), usual},
		{"authority", "verified", "the certificate has the name, and a record of usage 2 matches", false, plain, both(nameless[1]), usual},
		{"authority-in", "verified", "the certificate has the name, and a record of usage 2 matches, incoming", true, plain, both(nameless[1]), moves(usual, incoming)},
		{"authority-wildcard", "peer-untrusted", "the certificate has a wildcard, and a record of usage 2 matches", false, wild, both(nameless[1]), usual},
		{"authority-wildcard-in", "peer-untrusted", "the certificate has a wildcard, and a record of usage 2 matches, incoming", true, wild, both(nameless[1]), moves(usual, incoming)},
		{"port", "peer-untrusted", "a record of usage 3 matches at the endpoint, which is not the one delegated to", false, nameless, both(nameless[0]), on(delegatesTo(targetAt(host, 5270)))},
	} {
		kase := b.deal(c.change).build()
		kase.Operation = "reuse"
		kase.Peer = &Peer{Roots: [][]byte{b.root.certificate.Raw}, Time: stamp(now), Endpoints: []EndpointAnswer{saysDNS(host, port, c.records...)}}
		kase.Connection = &Connection{Service: service, Direction: "outgoing", Endpoint: &Endpoint{host, port}, OpenedFor: OpenedFor{Source: opener, Evidence: must(marshalRaw(found))}}
		for _, certificate := range c.chain {
			kase.Connection.Chain = append(kase.Connection.Chain, certificate.Raw)
		}
		if c.in {
			kase.Connection.Direction, kase.Connection.Endpoint = "incoming", nil
		}
		b.add("dane-reuse-"+c.id, "further", "a connection of another source of the same provider: "+c.comment, kase, ending(c.reason))
	}
}
