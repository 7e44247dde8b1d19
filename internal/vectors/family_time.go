package vectors

import (
	"bytes"
	"crypto/x509"
	"time"
)

var timeNotes = map[string]Note{
	"valid":       {[]string{"V8"}, "A statement within its time.", "A verifier that refuses it locks out an honest owner."},
	"begin":       {[]string{"W6"}, "A statement is valid from 5 minutes before it was issued. There is no post-dating.", "A statement for the future is kept until its owner has forgotten it."},
	"end":         {[]string{"V8"}, "A statement ends before the second of exp.", "A former provider stays in."},
	"life":        {[]string{"V1", "S4"}, "A statement lives no longer than the policy accepts, 31 days or up to 90.", "A key that was stolen once signs for ever."},
	"certificate": {[]string{"W6"}, "The signer's certificate is valid now, the second of notAfter included.", "A key outlives the right to use it."},
	"issued":      {[]string{"W6"}, "A statement is not older than its certificate, by more than 5 minutes.", "iat could be anything, and so the order of statements."},
	"proof-ends":  {[]string{"V8", "W7"}, "The proof ends with the first of statement and certificates.", "A proof is used after a certificate in it has ended."},
	"refresh":     {[]string{"V8"}, "It is looked up again after the TTL or max-age, between 5 minutes and 6 hours.", "A long TTL keeps a revocation from being seen."},
	"order":       {[]string{"O1", "O4"}, "Statements are ordered by the issuance of the signer's certificate, then by iat.", "A thief with an old key issues a statement of a later iat."},
	"issuance":    {[]string{"W6", "O1"}, "A certificate was issued at the latest timestamp of its version 1 SCTs, in milliseconds; at notBefore if it has none.", "Authorities backdate notBefore and let applicants choose it: a stolen certificate outranks its replacement."},
	"self-issued": {[]string{"W6", "W7", "O1"}, "A signer whose certificate has its subject as issuer is ordered by iat, and is not trusted.", "Anybody can make a certificate that says when it was issued."},
	"floor":       {[]string{"O2"}, "A statement below the floor is refused, and so is another statement at the floor.", "An older statement is shown again."},
	"remembered":  {[]string{"O3"}, "The answer holds the floor to remember, also with a refusal after verification, and only then.", "A revocation that was seen is forgotten; or a statement that was refused raises the floor and locks out the owner."},
	"conflict":    {[]string{"O3", "O4", "V4"}, "Statements of the same, highest order must have equal targets. If they do not, the floor rises to that order, and no statement of it is accepted again.", "Who can sign twice shows different targets to different verifiers, or shows one of them again after the conflict was seen."},
	"equal":       {[]string{"O4"}, "Equal statements are one; the one whose proof ends last counts.", "An owner who publishes in two places contradicts itself."},
	"revocation":  {[]string{"O5"}, "The newest statement revokes the role if it has no targets.", "A former provider stays in."},
	"one-role":    {[]string{"O5", "V2"}, "A statement for the second SRV label of a role changes nothing.", "A former provider, or a thief with an old key, shows a statement for the other label beside the new one, or instead of it; or replays an old revocation."},
	"rollover":    {[]string{"O1", "O4"}, "Old and new certificate, old and new statement, during a change.", "A change of certificates locks out the owner."},
}

func timeFamily(w *world) *book {
	b := newBook(w, "time-and-order", timeNotes)
	b.both(place(inTXT), timeEntries()...)
	b.verify(place(inTXT), lifeEntries()...)
	b.verify(place(inTXT), endEntries()...)
	b.verify(place(inTXT), floorEntries()...)
	b.both(place(inTXT), orderEntries()...)
	b.both(place(inTXT), oneRoleEntries()...)
	b.both(place(inTXT), issuanceEntries()...)
	b.both(place(inTXT), issuanceOrderEntries()...)
	b.verify(place(inTXT), selfIssuedEntries()...)
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

		good("certificate-begins", "certificate", "in the second of notBefore of the certificate", all(leaf(lives(issued, ends)), at(issued))),
		good("certificate-skew", "certificate", "5 minutes before notBefore of the certificate", all(leaf(lives(issued.Add(skew), ends)), at(issued))),
		bad("certificate-future", "certificate", "signer-not-yet-valid", "5 minutes and a second before notBefore of the certificate", at(issued.Add(-time.Second)), leaf(lives(issued.Add(skew), ends))),
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
			if most > 0 {
				t.policy.MaxLife = new(int64(most / time.Second))
			}
		}
	}
	const long = "life-too-long"
	most := func(seconds int64) step { return func(t *trial) { t.policy.MaxLife = &seconds } }
	return []entry{
		good("life-31", "life", "a life of 31 days", lived(31*day, 0)),
		bad("life-31-more", "life", long, "a life of 31 days and a second", lived(31*day+time.Second, 0)),
		good("life-90", "life", "a life of 90 days, which the policy accepts", all(leaf(lives(begins, now.Add(100*day))), lived(90*day, 90*day))),
		bad("life-90-more", "life", long, "a life of 90 days and a second, where the policy accepts 90 days", lived(90*day+time.Second, 90*day), leaf(lives(begins, now.Add(100*day))), most(90*86400)),
		good("life-1", "life", "a life of a day, which is the most that the policy accepts", lived(day, day)),
		bad("life-1-more", "life", long, "a life of a day and a second, where the policy accepts a day", lived(day+time.Second, day)),
		good("life-policy-0", "life", "a life of 31 days, where the policy's longest life is 0, which means 31 days", all(lived(31*day, 0), most(0))),
		bad("life-policy-0-more", "life", long, "a life of 31 days and a second, where the policy's longest life is 0", all(lived(31*day+time.Second, 0), most(0))),
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
func remembered(floor Floor) step { return func(t *trial) { t.policy.Floor = &floor } }

// floorAt is a floor that stands so far from the usual case.
func floorAt(issuance, iat time.Duration, targets []target) Floor {
	return Floor{
		Order:   Order{Issuance: begins.Add(issuance), Issued: issued.Add(iat)},
		Targets: digest(targets), ValidUntil: expires, SignerUntil: ends.Add(time.Second),
	}
}

func floorEntries() []entry {
	same := goodStatement().targets
	other := []target{{host: elsewhere, port: port}}
	const superseded, conflict = "superseded", "conflict"
	var nobody []target
	older := leaf(lives(begins.Add(-10*day), ends))
	return []entry{
		good("floor-below", "floor", "the floor is a second below", remembered(floorAt(0, -time.Second, other))),
		good("floor-older-certificate", "floor order", "the floor is of an older certificate, issued a day later", remembered(floorAt(-time.Second, day, other))),
		good("floor-equal", "floor", "the floor is this very statement", remembered(floorAt(0, 0, same))),
		bad("floor-equal-other", "floor", conflict, "the floor is of the same order, with other targets", remembered(floorAt(0, 0, other))),
		bad("floor-equal-priority", "floor", conflict, "the floor is of the same order, with another priority", remembered(floorAt(0, 0,
			[]target{{host: host, port: port, priority: 11, weight: 5}}))),
		bad("floor-equal-revoked", "floor", conflict, "the floor is of the same order, and a revocation", remembered(floorAt(0, 0, nobody))),
		bad("floor-above", "floor", superseded, "the floor is a second above, with the same targets", remembered(floorAt(0, time.Second, same))),
		bad("floor-newer-certificate", "floor order", superseded, "the floor is of a newer certificate, issued a day earlier", remembered(floorAt(time.Second, -day, same))),
		bad("floor-stolen-key", "floor order", superseded, "a stolen key of an older certificate signs now, after a new certificate was seen", all(
			older, says(func(s *statement) { s.issued = now })), remembered(floorAt(0, 0, same))),
		good("floor-revoked-below", "floor revocation", "a revocation a second below", remembered(floorAt(0, -time.Second, nobody))),
		bad("floor-revoked-above", "floor revocation", superseded, "a revocation a second above", remembered(floorAt(0, time.Second, nobody))),
		good("floor-ended", "floor", "a floor below whose proof has ended", remembered(ended(floorAt(0, -time.Second, other)))),
		bad("floor-ended-above", "floor", superseded, "a floor above whose proof has ended: it still counts", remembered(ended(floorAt(0, time.Second, same)))),
		bad("floor-replay", "floor rollover", superseded, "the statement of the day before is shown again after today's was seen", says(func(s *statement) { s.issued = s.issued.Add(-day) }),
			remembered(floorAt(0, 0, same))),
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

// forSecond is one for the second label, which has no statement of its own.
var forSecond = says(func(s *statement) { s.service = second })

// certified is one by a certificate that begins so much later.
func certified(by time.Duration) step { return leaf(lives(begins.Add(by), ends)) }

// counts: the statement so changed is the one that counts.
func counts(steps ...step) expectation {
	return func(t *trial, e *Expect) {
		other := t.world.trial(steps...)
		other.policy.Time = t.policy.Time
		*e = *other.verified()
	}
}

// gives: the refusal says to remember the floor of a statement so changed.
func (e entry) gives(statement ...step) entry {
	e.expect = append(e.expect, func(t *trial, expect *Expect) {
		expect.Floor = Remembered{true, t.world.trial(statement...).floor()}
	})
	return e
}

// givesNone: the refusal leaves nothing to remember.
func (e entry) givesNone() entry {
	e.expect = append(e.expect, func(_ *trial, expect *Expect) { expect.Floor = Remembered{Said: true} })
	return e
}

// contradicts: the refusal says to remember that statements of the order of one
// so changed contradict each other.
func (e entry) contradicts(statement ...step) entry {
	e = e.gives(statement...)
	e.expect = append(e.expect, func(_ *trial, expect *Expect) { expect.Floor.Floor.Targets = contradiction })
	return e
}

// orderEntries are about statements side by side, in both encodings.
func orderEntries() []entry {
	revoked := says(revokes)
	two := []target{{host: host, port: port, priority: 10, weight: 5}, {host: elsewhere, port: port}}
	return []entry{
		bad("revoked", "revocation remembered", "revoked", "the statement delegates to nobody", revoked).gives(revoked),
		bad("revoked-later", "revocation remembered", "revoked", "a second later it was revoked", beside(revoked, later(time.Second))).gives(all(revoked, later(time.Second))),
		good("revoked-earlier", "revocation order", "a second earlier it was revoked", beside(revoked, later(-time.Second))),
		bad("revoked-same-time", "conflict revocation", "conflict", "it was revoked in the same second", beside(revoked)).contradicts(),
		bad("revoked-newer-certificate", "revocation order", "revoked", "a revocation by a newer certificate, issued earlier", beside(revoked, certified(day), later(-time.Minute))).
			gives(all(revoked, certified(day), later(-time.Minute))),
		good("revoked-older-certificate", "revocation order", "a revocation by an older certificate, issued later: whoever stole an old key cannot revoke", beside(revoked, certified(-day), later(time.Minute))),
		good("newer", "order", "a newer statement for another provider", beside(elsewhereTo, later(time.Second)), counts(elsewhereTo, later(time.Second))),
		good("older", "order", "an older statement for another provider", beside(elsewhereTo, later(-time.Second))),
		good("newer-by-older-certificate", "order", "a statement for another provider, issued later, by an older certificate", beside(elsewhereTo, later(time.Second), certified(-day))),
		good("older-by-newer-certificate", "order rollover", "a statement for another provider, issued earlier, by a newer certificate", beside(elsewhereTo, later(-time.Second), certified(day)),
			counts(elsewhereTo, later(-time.Second), certified(day))),
		good("rollover", "rollover", "old and new certificate, both with a statement for the same provider", beside(certified(5*day), later(time.Minute)), counts(certified(5*day), later(time.Minute))),
		bad("conflict", "conflict", "conflict", "the same order, another host", beside(elsewhereTo)).contradicts(),
		bad("conflict-port", "conflict", "conflict", "the same order, another port", beside(delegatesTo(target{host: host, port: 5270, priority: 10, weight: 5}))).contradicts(),
		bad("conflict-priority", "conflict", "conflict", "the same order, another priority", beside(delegatesTo(target{host: host, port: port, priority: 11, weight: 5}))).contradicts(),
		bad("conflict-weight", "conflict", "conflict", "the same order, another weight", beside(delegatesTo(target{host: host, port: port, priority: 10, weight: 6}))).contradicts(),
		bad("conflict-pin", "conflict", "conflict", "the same order, with a pin", beside(pinned(1))).contradicts(),
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
	failed := has(func(e *evidence) {
		e.Documents = append(e.Documents, documentFailed(documentURL(service, jwsEncoding), "https-timeout"))
	})
	longer := leaf(lives(begins, ends.Add(day)))
	endless := time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)
	signerUntil := func(end time.Time) expectation {
		return func(_ *trial, e *Expect) { e.Floor.Floor.SignerUntil = end }
	}
	stranger := beside(signedBy(func(*world) *signer { return newRoot("P-256", "Nobody's Root").issue("P-256") }))
	return []entry{
		good("equal-longer", "equal", "the same order and targets, for a day longer", beside(exp(day)), counts(exp(day))),
		good("equal-shorter", "equal", "the same order and targets, for a day less", beside(exp(-day))),
		good("equal-later-certificate", "equal remembered", "the same order and targets, by a certificate that ends a day later: the later end is remembered", beside(longer), signerUntil(ends.Add(day+time.Second))),
		good("equal-both-ends", "equal remembered", "the same order and targets, one for a day longer, the other by a certificate that ends a day later: both later ends are remembered", all(exp(day), beside(longer)), signerUntil(ends.Add(day+time.Second))),
		good("signer-endless", "remembered", "a certificate with a notAfter of 99991231235959Z, which means no end: that is remembered", leaf(lives(begins, endless)), signerUntil(endless)),
		good("conflict-below", "conflict order", "a conflict below the highest order", all(beside(later(-time.Second)), beside(later(-time.Second), elsewhereTo))),
		bad("conflict-and-expired", "conflict", "conflict", "a conflict, and an expired statement besides: the conflict counts", beside(elsewhereTo),
			beside(says(func(s *statement) { s.issued, s.expires = now.Add(-2*day), now.Add(-day) }))).contradicts(),
		bad("conflict-and-untrusted", "conflict", "conflict", "a conflict, and a statement below nobody's anchor, whose reason stands later in the list: the conflict decides", all(beside(elsewhereTo), stranger)).contradicts(),
		bad("conflict-and-rejected", "conflict", "conflict", "a conflict of two signers, and a statement with a wrong signature", all(beside(elsewhereTo), beside(func(t *trial) { t.key = newKey("P-256", "other") }))).contradicts(),
		bad("conflict-and-failed", "conflict", "https-timeout", "a conflict, and a document that could not be fetched, which may be newer", all(beside(elsewhereTo), failed)).contradicts(),
		bad("revoked-and-failed", "revocation", "revoked", "a revocation, and a document that could not be fetched", revoked, failed).gives(revoked),
		bad("conflict-longer", "conflict remembered", "conflict", "a conflict, one of both for a day longer: the later end is remembered", beside(elsewhereTo, exp(day))).contradicts(exp(day)),
		bad("conflict-longer-first", "conflict remembered", "conflict", "a conflict, the first one for a day longer: the later end is remembered", beside(elsewhereTo), exp(day)).contradicts(exp(day)),
		bad("conflict-three", "conflict", "conflict", "a conflict of three", all(beside(elsewhereTo), beside(revoked))).contradicts(),
		bad("conflict-and-older", "conflict remembered", "conflict", "a conflict, and an older statement: the floor is that of the conflict", all(beside(elsewhereTo), beside(later(-time.Minute)))).contradicts(),
		good("conflict-and-newer", "conflict order", "a conflict, and a newer statement, which decides", all(beside(elsewhereTo), beside(later(time.Minute))), counts(later(time.Minute))),
		bad("contradiction-again", "conflict floor", "conflict", "one of two statements that contradicted each other is shown again", remembered(contradicted(0))).givesNone(),
		bad("contradiction-below", "conflict floor", "superseded", "a statement a second below statements that contradicted each other", remembered(contradicted(time.Second))).givesNone(),
		good("contradiction-above", "conflict floor", "a statement a second above statements that contradicted each other", remembered(contradicted(-time.Second))),
		good("equal-pins", "equal", "the same order and targets, their pins in another sequence", all(says(pinsOf(1, 2)), beside(says(pinsOf(2, 1))))),
		good("another-role-revoked", "revocation", "the statement of another role among the records is a revocation", beside(revoked, says(func(s *statement) { s.service = client }))),
		bad("remembered-target", "remembered", "target-mismatch", "verified, but for another target than was asked about: the floor is handed out", asked(evil, port)).gives(),
		bad("remembered-expired", "remembered", "expired", "refused: no floor is handed out", at(expires)).givesNone(),
		bad("remembered-superseded", "remembered floor", "superseded", "superseded: no floor is handed out", remembered(floorAt(0, time.Second, nil))).givesNone(),
		bad("remembered-rejected", "remembered", "signer-rejected", "refused by the policy's own check: no floor is handed out", func(t *trial) { t.policy.SignerCheck = "refuse" }).givesNone(),
		bad("remembered-srv", "remembered", "target-mismatch", "verified, but SRV names another host: the floor is handed out", hasSRV(srvAt(service, insecure, to(evil, port)))).gives(),
		bad("revoked-remembered", "revocation", "revoked", "revoked, and an earlier revocation is remembered", revoked, remembered(floorAt(0, -time.Second, nil))).gives(revoked),
	}
}

// oneRoleEntries are four attacks with the second label of the role. Each of
// them worked while both labels had statements of their own.
func oneRoleEntries() []entry {
	revoked := says(revokes)
	former := all(elsewhereTo, forSecond)
	const mismatch = "service-mismatch"
	// The owner's newest statement is remembered and hidden.
	hidden := remembered(floorAt(0, 0, goodStatement().targets))
	older := leaf(lives(begins.Add(-10*day), ends))
	return []entry{
		good("former-provider-beside", "one-role", "a former provider shows its statement for the second label beside the new statement", beside(former, later(-day))),
		good("former-provider-beside-later", "one-role", "a statement for the second label is shown beside the new statement, and is newer", beside(former, later(time.Minute))),
		bad("former-provider-instead", "one-role", mismatch, "a former provider shows its statement for the second label instead of the new statement, which is remembered", all(former, later(-day), hidden)).givesNone(),
		good("old-revocation-beside", "one-role revocation", "an old revocation for the second label is shown again", beside(revoked, forSecond, later(-day))),
		good("new-revocation-beside", "one-role revocation", "a newer revocation for the second label changes nothing", beside(revoked, forSecond, later(time.Minute))),
		bad("old-revocation-instead", "one-role revocation", mismatch, "an old revocation for the second label is shown, and the new statement is hidden", all(revoked, forSecond, later(-day), hidden)).givesNone(),
		good("stolen-key-beside", "one-role order", "a thief with the key of an older certificate signs for the second label, beside the new statement", beside(older, former, later(time.Minute))),
		bad("stolen-key-instead", "one-role order", mismatch, "a thief with the key of an older certificate signs for the second label, and the new statement is hidden", all(older, former, later(time.Minute), hidden)).givesNone(),
	}
}

// contradicted is a floor of statements that contradict each other.
func contradicted(iat time.Duration) Floor {
	f := floorAt(0, iat, nil)
	f.Targets = contradiction
	return f
}

// pinsOf gives the target pins, by numbers.
func pinsOf(numbers ...byte) func(s *statement) {
	return func(s *statement) {
		for _, n := range numbers {
			s.targets[0].pins = append(s.targets[0].pins, bytes.Repeat([]byte{n}, 32))
		}
	}
}
