package main

// testFaults are mistakes where no vector can look: in what is remembered, and in
// what is spoken before TLS.
var testFaults = []fault{
	inCache("take a path after a certificate of it has ended", "TestCacheEnds|TestCacheRandom", "if !ok || at.Before(known.from) || !at.Before(known.to) {", "if !ok || at.Before(known.from) {"),
	inCache("take a path before a certificate of it begins", "TestCacheEnds|TestCacheRandom", "if !ok || at.Before(known.from) || !at.Before(known.to) {", "if !ok || !at.Before(known.to) {"),
	inCache("know a list of certificates by its first", "TestCacheAbuse|TestCacheRandom", "for _, c := range shown {", "for _, c := range shown[:1] {"),
	inCache("serve another pool", "TestCachePools", "return c == nil || c.given == roots && roots != nil", "return true"),
	inCache("remember a path beside anchors that were not looked at", "TestCacheLater|TestCacheRandom", "c.anchors[string(part.RawIssuer)] != named[string(part.RawIssuer)] {", "false {"),
	inCache("remember without end", "TestCacheBound", "c.of[u].Put(k, v, int64(weight+len(k.bytes)))", "c.of[u].Put(k, v, 0)"),
	inCache("know a token by the text of a record", "TestCacheKeys|TestCacheAbuse", "return key{aToken, string(raw)}", "return key{aRecord, string(raw)}"),
	inCache("know the certificates of a bag by the first", "TestCacheAbuse", "for _, der := range certificates {\n\t\tall.Write(der)", "for _, der := range certificates[:1] {\n\t\tall.Write(der)"),
	inTests("take any header for a known one", "encoding/jws TestParseWith", "encoding/jws/parse.go", "known.text == string(parts[0])", "len(parts[0]) > 0"),
	inTests("take a known header of another typ", "encoding/jws TestParseWith", "encoding/jws/parse.go", "known.typ == typ && ", ""),
	inTests("weigh a parsed chain as its text", "internal/daemon TestChainsWeight", "internal/daemon/memory.go", "parsedWeight = 24", "parsedWeight = 1"),
	inTests("answer as before although what the proof rests on has ended", "discovery/verifier TestStands", "discovery/verifier/mark.go", " || !now.Before(m.until) {", " {"),
	inTests("answer as before although the clock was set back", "discovery/verifier TestStands", "discovery/verifier/mark.go", " || now.Before(m.from) ||", " ||"),
	inTests("answer as before by another decision", "discovery/verifier TestStands", "discovery/verifier/mark.go", "if known != decision || !certain {", "if known == nil || !certain {"),
	inTests("answer as before although the memory tells nothing", "discovery/verifier TestMark", "discovery/verifier/mark.go", "if known != decision || !certain {", "if known != decision || !certain && false {"),
	inTests("answer about another target as before", "internal/daemon TestKnownAnswer", "internal/daemon/memory.go", "q.target, q.verified}", "delegation.Endpoint{}, q.verified}"),
	inTests("go by a clock that nobody can set", "discovery/verifier TestStands", "discovery/verifier/decide.go", "return now().Round(0)", "return now()"),
	inTests("weigh an answer as its text", "internal/daemon TestAnswersWeight", "internal/daemon/memory.go", "toldWeight, emptyWeight = 4, 2 << 10", "toldWeight, emptyWeight = 1, 1"),
	inStored("answer with a statement that no lookup found for long", "TestRestartUnused", "age >= maxStored || age", "age"),
	inStored("answer twice with a stored statement", "TestRestartOnce", "return last.Compare(stored.Floor.Order) < 0 && (ok", "return last.Compare(stored.Floor.Order) < 2 && (ok"),
	inStored("answer with a stored statement that is not the newest", "TestRestartUnused|TestRestartOtherNode", "if !m.association.Floor().Same(m.known) {", "if false {"),
	inStored("connect by a stored statement", "TestRestartUnused", "k.direction != association.Incoming || d.config", "d.config"),
	inStored("keep a statement beside secure records", "TestKeeping", "case reason == reasons.NotUsed, reason == reasons.Conflict, err == nil && result.Proven().Named:", "case reason == reasons.Conflict:"),
	inTests("believe DNSSEC in evidence that was read from a file", "discovery/verifier TestReplayed", "discovery/verifier/flight.go", "BelieveReplayedDNSSEC: base != nil && base.ours", "BelieveReplayedDNSSEC: true"),
	inTests("believe it once a peer brings a statement", "discovery/verifier TestReplayedOwn", "discovery/verifier/flight.go", "BelieveReplayedDNSSEC: base != nil && base.ours", "BelieveReplayedDNSSEC: base != nil"),
	inTests("forget DNSSEC once a peer brings a statement", "discovery/verifier TestReplayedOwn", "discovery/verifier/flight.go", "BelieveReplayedDNSSEC: base != nil && base.ours", "BelieveReplayedDNSSEC: false && base.ours"),
	inTests("do not tell TLS from clear text", "discovery/starttls TestDirect", "discovery/starttls/wire.go", "(p[0] == 0x15 || p[0] == 0x16)", "false"),
	inTests("read lines of any length", "discovery/starttls TestPeers", "discovery/starttls/wire.go", "case len(line) == maxLine:", "case len(line) == maxOctets:"),
	inTests("read more than the limit before TLS", "discovery/starttls TestPeers", "discovery/starttls/starttls.go", "left: maxOctets}", "left: 100 * maxOctets}"),
	inTests("take any answer of POP3 for a yes", "discovery/starttls TestPeers", "discovery/starttls/pop3.go", `err == nil && !begins(line, "+OK")`, "false"),
}

func inTests(name, which, file, old, with string) fault {
	return mistake(name, which, inGo(file, old, with))
}

func inCache(name, names, old, with string) fault {
	return inTests(name, "delegation "+names, "delegation/cache.go", old, with)
}

func inStored(name, names, old, with string) fault {
	return inTests(name, "discovery/verifier "+names, "discovery/verifier/stored.go", old, with)
}
