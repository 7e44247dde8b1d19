package vectors

import (
	"crypto/x509"
	"time"
)

var timeNotes = map[string]Note{
	"valid":       {[]string{"V8"}, "A statement within its time.", "A verifier that refuses it locks out an honest owner."},
	"begin":       {[]string{"W6"}, "A statement counts from 5 minutes before it was issued; there is no post-dating.", "A statement for the future is kept until its owner has forgotten it."},
	"end":         {[]string{"V8"}, "A statement ends before the second of exp.", "A former provider stays in."},
	"life":        {[]string{"V1", "S4"}, "A statement lives no longer than the policy accepts, 31 days or up to 90.", "A key that was stolen once signs for ever."},
	"certificate": {[]string{"W6"}, "The signer's certificate is valid now, the second of notAfter included.", "A key outlives the right to use it."},
	"issued":      {[]string{"W6"}, "A statement is not older than its certificate, by more than 5 minutes.", "iat could be anything, and so the order of statements."},
	"proof-ends":  {[]string{"V8", "W7"}, "The proof ends with the first of statement and certificates.", "A proof is used after a certificate in it has ended."},
	"refresh":     {[]string{"V8"}, "It is looked up again after the TTL or max-age, between 5 minutes and 6 hours.", "A long TTL keeps a revocation from being seen."},
	"order":       {[]string{"O1", "O4"}, "Statements are ordered by the beginning of the signer's certificate, then by iat.", "A thief with an old key issues a statement of a later iat."},
	"floor":       {[]string{"O2"}, "Nothing below the floor counts, and nothing else at it.", "An older statement is shown again."},
	"remembered":  {[]string{"O3"}, "Floors are handed out, also with a refusal after verification, and only then.", "A revocation that was seen is forgotten; or a statement that was refused raises the floor and locks out the owner."},
	"conflict":    {[]string{"O4", "V4"}, "Statements of the same, highest order must have equal targets.", "Who can sign twice shows different targets to different verifiers."},
	"equal":       {[]string{"O4"}, "Equal statements are one; the one whose proof ends last counts.", "An owner who publishes in two places contradicts itself."},
	"revocation":  {[]string{"O5"}, "A statement without targets, if it counts, revokes the whole role.", "A former provider goes on by the other label."},
	"hidden":      {[]string{"O5", "O2"}, "A revocation that is remembered for the other label stays.", "Who can hide the revocation brings back what it revoked."},
	"rollover":    {[]string{"O1", "O4"}, "Old and new certificate, old and new statement, during a change.", "A change of certificates locks out the owner."},
}

func timeFamily(w *world) *book {
	b := newBook(w, "time-and-order", timeNotes)
	b.both(place(inTXT), timeEntries()...)
	b.verify(place(inTXT), lifeEntries()...)
	b.verify(place(inTXT), endEntries()...)
	b.verify(place(inTXT), floorEntries()...)
	b.both(place(inTXT), orderEntries()...)
	b.verify(place(inTXT), moreOrderEntries()...)
	return b
}

const skew = 5 * time.Minute

// timeEntries are about the time of the policy, in both encodings.
func timeEntries() []entry {
	return []entry{
		good("at-iat", "begin valid", "in the second of iat", at(issued)),
		good("skew", "begin", "5 minutes before iat", at(issued.Add(-skew))),
		bad("skew-more", "begin", "not-yet-valid", "5 minutes and a second before iat", at(issued.Add(-skew-time.Second))),
		bad("skew-fraction", "begin", "not-yet-valid", "5 minutes and a thousandth of a second before iat: fractions are cut off", at(issued.Add(-skew-time.Millisecond))),
		good("before-exp", "end", "a second before exp", at(expires.Add(-time.Second))),
		good("before-exp-fraction", "end", "a thousandth of a second before exp", at(expires.Add(-time.Millisecond))),
		bad("at-exp", "end", "expired", "in the second of exp", at(expires)),
		bad("after-exp", "end", "expired", "a day after exp", at(expires.Add(day))),
		bad("far-past", "begin", "not-yet-valid", "in 1970", at(time.Unix(1, 0))),
		bad("far-future", "end", "expired", "in 9998", at(time.Date(9998, 1, 1, 0, 0, 0, 0, time.UTC))),

		bad("certificate-future", "certificate", "signer-not-yet-valid", "a second before notBefore of the certificate", at(issued), leaf(lives(issued.Add(time.Second), ends))),
		good("certificate-last", "certificate", "in the second of notAfter of the certificate", all(leaf(lives(begins, now.Add(10*day))), at(now.Add(10*day))),
			until(now.Add(10*day+time.Second)), refreshed(now.Add(10*day+time.Second))),
		good("certificate-last-fraction", "certificate", "in the middle of the second of notAfter", all(leaf(lives(begins, now.Add(10*day))), at(now.Add(10*day+time.Second/2))),
			until(now.Add(10*day+time.Second)), refreshed(now.Add(10*day+time.Second))),
		bad("certificate-ended", "certificate", "signer-expired", "a second after notAfter of the certificate", at(now.Add(10*day+time.Second)), leaf(lives(begins, now.Add(10*day)))),
		good("issued-before", "issued", "issued 5 minutes before its certificate begins", leaf(lives(issued.Add(skew), ends))),
		bad("issued-long-before", "issued", "issued-before-signer", "issued 5 minutes and a second before its certificate begins", leaf(lives(issued.Add(skew+time.Second), ends))),
	}
}

func lifeEntries() []entry {
	lived := func(life, most time.Duration) step {
		return func(t *trial) {
			t.statement.expires = t.statement.issued.Add(life)
			t.policy.MaxLife = int64(most / time.Second)
		}
	}
	const long = "life-too-long"
	most := func(seconds int64) step { return func(t *trial) { t.policy.MaxLife = seconds } }
	return []entry{
		good("life-31", "life", "a life of 31 days", lived(31*day, 0)),
		bad("life-31-more", "life", long, "a life of 31 days and a second", lived(31*day+time.Second, 0)),
		good("life-90", "life", "a life of 90 days, which the policy accepts", all(leaf(lives(begins, now.Add(100*day))), lived(90*day, 90*day))),
		bad("life-90-more", "life", long, "a life of 90 days and a second, where the policy accepts 90 days", lived(90*day+time.Second, 90*day), leaf(lives(begins, now.Add(100*day))), most(90*86400)),
		good("life-1", "life", "a life of a day, which is the most that the policy accepts", lived(day, day)),
		bad("life-1-more", "life", long, "a life of a day and a second, where the policy accepts a day", lived(day+time.Second, day)),
		bad("policy-91", "life", "missing-input", "a policy that accepts 90 days and a second", most(90*86400+1)),
		bad("policy-negative", "life", "missing-input", "a policy that accepts a negative life", most(-1)),
	}
}

func endEntries() []entry {
	early := now.Add(3 * day)
	under := func(edit func(c *x509.Certificate)) step {
		return signedBy(func(w *world) *signer { return w.root.under("P-256", "Another Intermediate", edit).issue("P-256") })
	}
	ttls := func(seconds uint32) step { return has(func(e *evidence) { e.TXT[0].TTL = seconds }) }
	age := func(seconds int64) step {
		return all(place(inDocument), onDocument(func(d *document) { d.MaxAge = &seconds }))
	}
	in := func(wait time.Duration) expectation { return refreshed(now.Add(wait)) }
	return []entry{
		good("ends-leaf", "proof-ends", "the signer's certificate ends before the statement", leaf(lives(begins, early)), until(early.Add(time.Second))),
		good("ends-intermediate", "proof-ends", "the intermediate certificate ends first", under(func(c *x509.Certificate) { c.NotAfter = early }), until(early.Add(time.Second))),
		good("ends-anchor", "proof-ends", "the trust anchor ends first", func(t *trial) {
			root := newRoot("P-256", "Short Root", func(c *x509.Certificate) { c.NotAfter = early })
			t.signer = root.under("P-256", "Intermediate of that").issue("P-256")
			roots := [][]byte{root.certificate.Raw}
			t.policy.Roots = &roots
		}, until(early.Add(time.Second))),
		good("ends-equal", "proof-ends", "the certificate's notAfter is exp: its second still counts, the statement's does not", leaf(lives(begins, expires))),
		good("ttl-0", "refresh", "a TTL of 0", ttls(0), in(5*time.Minute)),
		good("ttl-300", "refresh", "a TTL of 5 minutes", ttls(300), in(5*time.Minute)),
		good("ttl-301", "refresh", "a TTL of 5 minutes and a second", ttls(301), in(301*time.Second)),
		good("ttl-21600", "refresh", "a TTL of 6 hours", ttls(21600), in(6*hour)),
		good("ttl-21601", "refresh", "a TTL of 6 hours and a second", ttls(21601), in(6*hour)),
		good("ttl-most", "refresh", "the longest TTL there is", ttls(1<<32-1), in(6*hour)),
		good("max-age-unknown", "refresh", "no max-age", age(-1), in(6*hour)),
		good("max-age-0", "refresh", "max-age 0", age(0), in(5*time.Minute)),
		good("max-age-7200", "refresh", "max-age of 2 hours", age(7200), in(2*hour)),
		good("max-age-most", "refresh", "a max-age of 68 years", age(1<<31-1), in(6*hour)),
		good("refresh-end", "refresh proof-ends", "the proof ends before the TTL has passed", at(expires.Add(-time.Minute)), refreshed(expires)),
		good("refresh-end-5", "refresh proof-ends", "the proof ends within 5 minutes, and the TTL is 0", all(ttls(0), at(expires.Add(-time.Minute))), refreshed(expires)),
	}
}

// remembered sets the floor.
func remembered(floors ...Floor) step { return func(t *trial) { t.policy.Floor = floors } }

// floorAt is a floor that stands so far from the usual case.
func floorAt(service string, signer, iat time.Duration, targets []target) Floor {
	return Floor{Service: service, Order: Order{SignerNotBefore: begins.Add(signer), Issued: issued.Add(iat)}, Targets: digest(targets), ValidUntil: expires}
}

func floorEntries() []entry {
	same := goodStatement().targets
	other := []target{{host: elsewhere, port: port}}
	const superseded, conflict = "superseded", "conflict"
	var nobody []target
	older := leaf(lives(begins.Add(-10*day), ends))
	return []entry{
		good("floor-below", "floor", "the floor is a second below", remembered(floorAt(service, 0, -time.Second, other))),
		good("floor-older-certificate", "floor order", "the floor is of an older certificate, issued a day later", remembered(floorAt(service, -time.Second, day, other))),
		good("floor-equal", "floor", "the floor is this very statement", remembered(floorAt(service, 0, 0, same))),
		bad("floor-equal-other", "floor", conflict, "the floor is of the same order, with other targets", remembered(floorAt(service, 0, 0, other))),
		bad("floor-equal-priority", "floor", conflict, "the floor is of the same order, with another priority", remembered(floorAt(service, 0, 0,
			[]target{{host: host, port: port, priority: 11, weight: 5}}))),
		bad("floor-equal-revoked", "floor", conflict, "the floor is of the same order, and a revocation", remembered(floorAt(service, 0, 0, nobody))),
		bad("floor-above", "floor", superseded, "the floor is a second above, with the same targets", remembered(floorAt(service, 0, time.Second, same))),
		bad("floor-newer-certificate", "floor order", superseded, "the floor is of a newer certificate, issued a day earlier", remembered(floorAt(service, time.Second, -day, same))),
		bad("floor-stolen-key", "floor order", superseded, "a stolen key of an older certificate signs now, after a new certificate was seen", all(
			older, says(func(s *statement) { s.issued = now })), remembered(floorAt(service, 0, 0, same))),
		good("floor-revoked-below", "floor revocation", "a revocation a second below", remembered(floorAt(service, 0, -time.Second, nobody))),
		bad("floor-revoked-above", "floor revocation", superseded, "a revocation a second above", remembered(floorAt(service, 0, time.Second, nobody))),
		good("floor-other-service", "floor", "a floor of another role, far above", remembered(floorAt(client, 0, day, nobody))),
		good("floor-other-label", "floor", "a floor of the other label, far above", remembered(floorAt(direct, 0, day, same))),
		bad("floor-other-label-revoked", "hidden", superseded, "a revocation of the other label, a second above", remembered(floorAt(direct, 0, time.Second, nobody))),
		bad("floor-other-label-revoked-equal", "hidden", superseded, "a revocation of the other label, of the same order", remembered(floorAt(direct, 0, 0, nobody))),
		good("floor-other-label-revoked-below", "hidden", "a revocation of the other label, a second below", remembered(floorAt(direct, 0, -time.Second, nobody))),
		bad("floor-two", "floor", superseded, "two floors, the second one above", remembered(floorAt(direct, 0, 0, same), floorAt(service, 0, time.Second, same))),
		good("floor-ended", "floor", "a floor below whose proof has ended", remembered(ended(floorAt(service, 0, -time.Second, other)))),
		bad("floor-ended-above", "floor", superseded, "a floor above whose proof has ended: it still counts", remembered(ended(floorAt(service, 0, time.Second, same)))),
		bad("floor-replay", "floor rollover", superseded, "the statement of the day before is shown again after today's was seen", says(func(s *statement) { s.issued = s.issued.Add(-day) }),
			remembered(floorAt(service, 0, 0, same))),
	}
}

// ended is a floor whose proof has ended.
func ended(f Floor) Floor {
	f.ValidUntil = now.Add(-day)
	return f
}

// later is a statement issued by so much later.
func later(by time.Duration) step { return says(func(s *statement) { s.issued = s.issued.Add(by) }) }

// elsewhereTo is one to another provider.
var elsewhereTo = delegatesTo(target{host: elsewhere, port: port, priority: 10, weight: 5})

// forDirect is one for the other label.
var forDirect = says(func(s *statement) { s.service = direct })

// certified is one by a certificate that begins so much later.
func certified(by time.Duration) step { return leaf(lives(begins.Add(by), ends)) }

// floorOf is the floor of a statement so changed.
func floorOf(w *world, steps ...step) Floor {
	t := w.trial(steps...)
	return t.statement.floor(t.signer.leaf.NotBefore, t.statement.expires)
}

// counts: the statement so changed is the one that counts.
func counts(steps ...step) expectation {
	return func(t *trial, e *Expect) {
		other := t.world.trial(steps...)
		other.policy.Time = t.policy.Time
		*e = *other.verified()
	}
}

// gives: a refusal hands out the floors of statements so changed.
func (e entry) gives(statements ...step) entry {
	e.expect = append(e.expect, func(t *trial, expect *Expect) {
		list := []Floor{}
		for _, s := range statements {
			list = append(list, floorOf(t.world, s))
		}
		expect.Floors = &list
	})
	return e
}

// also: floors of further statements are handed out.
func also(statements ...step) expectation {
	return func(t *trial, e *Expect) {
		list := *e.Floors
		for _, s := range statements {
			list = append(list, floorOf(t.world, s))
		}
		e.Floors = &list
	}
}

var usual step

// orderEntries are about statements side by side, in both encodings.
func orderEntries() []entry {
	revoked := says(revokes)
	two := []target{{host: host, port: port, priority: 10, weight: 5}, {host: elsewhere, port: port}}
	return []entry{
		bad("revoked", "revocation remembered", "revoked", "the statement delegates to nobody", revoked).gives(revoked),
		bad("revoked-later", "revocation remembered", "revoked", "a second later it was revoked", beside(revoked, later(time.Second))).gives(all(revoked, later(time.Second))),
		good("revoked-earlier", "revocation order", "a second earlier it was revoked", beside(revoked, later(-time.Second))),
		bad("revoked-same-time", "conflict revocation", "conflict", "it was revoked in the same second", beside(revoked)).gives(),
		bad("revoked-newer-certificate", "revocation order", "revoked", "a revocation by a newer certificate, issued earlier", beside(revoked, certified(day), later(-time.Minute))).
			gives(all(revoked, certified(day), later(-time.Minute))),
		good("revoked-older-certificate", "revocation order", "a revocation by an older certificate, issued later: whoever stole an old key cannot revoke", beside(revoked, certified(-day), later(time.Minute))),
		bad("revoked-other-label", "revocation", "revoked", "the other label was revoked", beside(revoked, forDirect)).gives(usual, all(revoked, forDirect)),
		bad("revoked-other-label-earlier", "revocation", "revoked", "the other label was revoked a minute earlier", beside(revoked, forDirect, later(-time.Minute))).
			gives(usual, all(revoked, forDirect, later(-time.Minute))),
		good("newer", "order", "a newer statement for another provider", beside(elsewhereTo, later(time.Second)), counts(elsewhereTo, later(time.Second))),
		good("older", "order", "an older statement for another provider", beside(elsewhereTo, later(-time.Second))),
		good("newer-by-older-certificate", "order", "a statement for another provider, issued later, by an older certificate", beside(elsewhereTo, later(time.Second), certified(-day))),
		good("older-by-newer-certificate", "order rollover", "a statement for another provider, issued earlier, by a newer certificate", beside(elsewhereTo, later(-time.Second), certified(day)),
			counts(elsewhereTo, later(-time.Second), certified(day))),
		good("rollover", "rollover", "old and new certificate, both with a statement for the same provider", beside(certified(5*day), later(time.Minute)), counts(certified(5*day), later(time.Minute))),
		bad("conflict", "conflict", "conflict", "the same order, another host", beside(elsewhereTo)).gives(),
		bad("conflict-port", "conflict", "conflict", "the same order, another port", beside(delegatesTo(target{host: host, port: 5270, priority: 10, weight: 5}))).gives(),
		bad("conflict-priority", "conflict", "conflict", "the same order, another priority", beside(delegatesTo(target{host: host, port: port, priority: 11, weight: 5}))).gives(),
		bad("conflict-weight", "conflict", "conflict", "the same order, another weight", beside(delegatesTo(target{host: host, port: port, priority: 10, weight: 6}))).gives(),
		bad("conflict-pin", "conflict", "conflict", "the same order, with a pin", beside(pinned(1))).gives(),
		good("equal-sequence", "equal", "the same order, the same targets in another sequence", all(delegatesTo(two[0], two[1]), beside(delegatesTo(two[1], two[0])))),
		good("equal-id", "equal", "the same order and targets, another jti", beside(says(func(s *statement) { s.id[1]++ }))),
	}
}

func moreOrderEntries() []entry {
	revoked := says(revokes)
	exp := func(by time.Duration) step { return says(func(s *statement) { s.expires = s.expires.Add(by) }) }
	asked := func(host string, port uint16) step {
		return func(t *trial) { t.query.Target = &Endpoint{host, port} }
	}
	return []entry{
		good("equal-longer", "equal", "the same order and targets, for a day longer", beside(exp(day)), counts(exp(day))),
		good("equal-shorter", "equal", "the same order and targets, for a day less", beside(exp(-day))),
		good("conflict-below", "conflict order", "a conflict below the highest order", all(beside(later(-time.Second)), beside(later(-time.Second), elsewhereTo))),
		good("conflict-other-label", "conflict", "a conflict for the label asked about; the statement of the other label stands", all(beside(elsewhereTo), beside(forDirect)), counts(forDirect)),
		bad("conflict-and-expired", "conflict", "conflict", "a conflict, and an expired statement besides: the conflict counts", beside(elsewhereTo),
			beside(says(func(s *statement) { s.issued, s.expires = now.Add(-2*day), now.Add(-day) }))).gives(),
		good("both-labels", "remembered", "a statement for each label, with the same target", beside(forDirect), also(forDirect)),
		good("same-order-other-label", "conflict", "the same order, another host, for the other label: no conflict", beside(elsewhereTo, forDirect),
			also(all(elsewhereTo, forDirect)), targetsAre(host+":5269 "+elsewhere+":5269"), dials(host+":5269 "+elsewhere+":5269")),
		good("another-role-revoked", "revocation", "the statement of another role among the records is a revocation", beside(revoked, says(func(s *statement) { s.service = client }))),
		bad("remembered-target", "remembered", "target-mismatch", "verified, but for another target than was asked about: the floor is handed out", asked(evil, port)).gives(usual),
		bad("remembered-expired", "remembered", "expired", "refused: no floor is handed out", at(expires)).gives(),
		bad("remembered-superseded", "remembered floor", "superseded", "superseded: no floor is handed out", remembered(floorAt(service, 0, time.Second, nil))).gives(),
		bad("remembered-rejected", "remembered", "signer-rejected", "refused by the policy's own check: no floor is handed out", func(t *trial) { t.policy.SignerCheck = "refuse" }).gives(),
		bad("remembered-srv", "remembered", "target-mismatch", "verified, but SRV names another host: the floor is handed out", hasSRV(srvAt(service, insecure, to(evil, port)))).gives(usual),
		bad("revoked-remembered", "revocation hidden", "revoked", "revoked, and both labels are remembered as revoked", revoked,
			remembered(floorAt(service, 0, -time.Second, nil), floorAt(direct, 0, -time.Second, nil))).gives(revoked),
	}
}
