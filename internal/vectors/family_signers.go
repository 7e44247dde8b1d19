package vectors

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"slices"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/sct"
)

var signerNotes = map[string]Note{
	"asked":     {[]string{"K1"}, "The records about signers are looked at if an SRV or TXT answer is secure, and not otherwise.", "Whoever answers first names a key of his own."},
	"counts":    {[]string{"K2"}, "The records count only if they are secure, and neither an alias nor a wildcard made them.", "A provider to which a name leads, or a wildcard that is there for something else, names who may sign."},
	"failed":    {[]string{"K2", "V4"}, "While nobody knows which keys are named, no statement is judged.", "Who breaks one look-up signs with a certificate that the zone shuts out."},
	"usable":    {[]string{"K2"}, "Only records 3 1 1 with 32 octets name keys; others are skipped.", "A record that means something else names a key, or takes the place of those that do."},
	"exclusive": {[]string{"K3"}, "Where keys are named, no other key signs.", "An authority that issued a certificate by mistake makes somebody a signer."},
	"own":       {[]string{"K3", "W4", "W7"}, "A named key needs no name in its certificate and no authority.", "The owner of a signed zone must ask an authority all the same."},
	"else":      {[]string{"K3", "W3", "W5", "W6"}, "Everything else holds for a named key too.", "A certificate that is not for signing, or has ended, signs."},
	"ends":      {[]string{"K3", "V8"}, "The proof ends with the TTL of the records, after 5 minutes at least.", "A key that was taken out of the zone signs on."},
	"memory":    {[]string{"K3", "O1", "O2", "O3", "O4"}, "Statements by named keys and by certificates of authorities have one order.", "An older statement of the other kind is shown again."},
	"replayed":  {[]string{"K1", "D2"}, "What is secure in a file is not, unless the policy says so.", "Whoever writes the file names a key of his own."},
	"inputs":    {[]string{"V1", "K1"}, "An answer that is malformed, or about another name, is refused.", "Records of another role or domain name the keys of this one."},
	"decision":  {[]string{"K3", "C2", "C6", "C7"}, "What a named key proves, and what another one does not, in a decision on a connection.", "A name counts after the records that it rests on have ended."},
}

// signedZone has the statement in a TXT record that DNSSEC secures.
var signedZone = all(place(inTXT), believes, has(func(e *evidence) {
	for i := range e.TXT {
		e.TXT[i].DNSSEC = secure
	}
}))

// Keys that a zone may name: the one with a certificate of its own, the one of
// the usual case, and nobody's.
var (
	ownKey, usualKey, otherKey = keyOf("own"), keyOf("leaf"), keyOf("nobody")

	ownCertificate = signedBy(func(*world) *signer { return selfIssued("P-256") })
)

func keyOf(label string) tlsaRecord { return threeOneOne(newKey("P-256", label).Public()) }

func threeOneOne(key crypto.PublicKey) tlsaRecord {
	sum := sha256.Sum256(must(x509.MarshalPKIXPublicKey(key)))
	return tlsaRecord{3, 1, 1, sum[:]}
}

// zoneNames has the zone name keys.
func zoneNames(records ...tlsaRecord) step {
	return has(func(e *evidence) {
		e.Signers = []tlsaAnswer{{Name: signerName(service), DNSSEC: secure, TTL: ttl, Records: append([]tlsaRecord{}, records...)}}
	})
}

// onSigners changes the answer about signers.
func onSigners(edit func(a *tlsaAnswer)) step {
	return has(func(e *evidence) { edit(&e.Signers[0]) })
}

// ofOwn signs with a certificate of its own, whose key the zone names.
func ofOwn(edits ...func(*x509.Certificate)) step {
	return all(signedBy(func(*world) *signer { return selfIssued("P-256", edits...) }), zoneNames(ownKey))
}

// byName: the zone names the signer's key, and the proof ends then.
func byName(end time.Time) expectation {
	return func(_ *trial, e *Expect) {
		e.Expires = &end
		e.Floor.Floor.ValidUntil, e.Floor.Floor.SignerUntil = end, end
		if end.Before(*e.RefreshAt) {
			e.RefreshAt = &end
		}
	}
}

// anHour is how long records of the usual TTL prove something.
var anHour = byName(now.Add(ttl * time.Second))

// givesForAnHour is gives for a statement by a named key.
func (e entry) givesForAnHour(statement ...step) entry {
	e = e.gives(statement...)
	e.expect = append(e.expect, func(_ *trial, expect *Expect) {
		f := expect.Floor.Floor
		f.ValidUntil, f.SignerUntil = now.Add(ttl*time.Second), now.Add(ttl*time.Second)
	})
	return e
}

func signerFamily(w *world) *book {
	b := newBook(w, "dnssec-signer", signerNotes)
	b.both(signedZone, whoEntries()...)
	b.verify(signedZone, askedEntries()...)
	b.verify(signedZone, countsEntries()...)
	b.verify(signedZone, unknownEntries()...)
	b.verify(signedZone, manyEntries()...)
	b.verify(signedZone, usableEntries(w)...)
	b.verify(signedZone, elseEntries()...)
	b.verify(signedZone, ttlEntries()...)
	b.verify(signedZone, kindsEntries()...)
	b.verify(signedZone, signerInputEntries()...)
	b.associate(signerDecisions()...)
	return b
}

const (
	untrusted = "untrusted-signer"
	notNamed  = "signer-not-named"
)

// whoEntries are about who may sign, in both encodings.
func whoEntries() []entry {
	nobodys := func(edits ...func(*x509.Certificate)) step {
		return signedBy(func(*world) *signer { return newRoot("P-256", "Nobody's Root").issue("P-256", edits...) })
	}
	return []entry{
		good("own", "own", "the zone names the key, whose certificate is self-issued", ofOwn(), anHour),
		good("both", "own", "the zone names the key, whose certificate leads to a trust anchor", zoneNames(usualKey), anHour),
		bad("own-not-named", "exclusive", notNamed, "a self-issued certificate, and the zone names another key", zoneNames(otherKey), ofOwn()).givesNone(),
		bad("own-nothing-named", "own", untrusted, "a self-issued certificate, and the zone names no key", zoneNames(), ofOwn()).givesNone(),
		bad("authority-not-named", "exclusive", notNamed, "a certificate that leads to a trust anchor, and the zone names another key", zoneNames(otherKey)).givesNone(),
		good("authority-nothing-named", "exclusive", "a certificate that leads to a trust anchor, and the zone names no key", zoneNames()),
		good("two-named", "own", "the zone names two keys, the second of them is the signer's", all(ownCertificate, zoneNames(otherKey, ownKey)), anHour),
		good("no-name", "own", "a certificate without any name", ofOwn(named()), anHour),
		good("other-authority", "own", "the certificate of an authority that nobody trusts", all(nobodys(), zoneNames(usualKey)), anHour),
		bad("another-key-signs", "else", "bad-signature", "the certificate of a named key, and another key signs", func(t *trial) { t.key = newKey("P-256", "nobody") }, ofOwn()).givesNone(),
		bad("one-bit", "exclusive", notNamed, "one bit of the digest is wrong", onSigners(func(a *tlsaAnswer) { flipLast(&a.Records[0]) }), ofOwn()).givesNone(),
	}
}

// flipLast changes the last bit of a record.
func flipLast(r *tlsaRecord) {
	r.Data = slices.Clone(r.Data)
	r.Data[len(r.Data)-1] ^= 1
}

// insecureTXT has only the SRV answers to secure anything.
var insecureTXT = has(func(e *evidence) { e.TXT[0].DNSSEC = insecure })

// askedEntries are about whether the records are looked at.
func askedEntries() []entry {
	srvAbsent := hasSRV(srvAt(service, secure))
	notNow := has(func(e *evidence) { e.Signers = nil })
	long := longName(224)
	ofLong := func(t *trial) {
		t.query.Source, t.statement.source = long, long
		leaf(named(long))(t)
		t.evidence = append(t.evidence, func(e *evidence) { e.TXT[0].Name = service + "._dna." + long })
	}
	return []entry{
		good("srv-secure", "asked", "the SRV answer is secure, the TXT answer is not", all(ofOwn(), insecureTXT, hasSRV(srvAt(service, secure, to(host, port)))), anHour),
		good("srv-secure-absent", "asked", "the SRV answer is securely empty, the TXT answer is insecure", all(ofOwn(), insecureTXT, srvAbsent), anHour),
		good("srv-secure-second", "asked", "only the SRV answer of the second label is secure", all(ofOwn(), insecureTXT, hasSRV(srvAt(service, insecure), srvAt(second, secure))), anHour),
		bad("srv-secure-not-named", "asked exclusive", notNamed, "the SRV answer is secure, the TXT answer is not, and the zone names another key", zoneNames(otherKey), all(insecureTXT, srvAbsent)),
		bad("nothing-secure", "asked", untrusted, "no SRV or TXT answer is secure", insecureTXT, ofOwn()),
		bad("srv-insecure", "asked", untrusted, "SRV and TXT answers are insecure", all(insecureTXT, hasSRV(srvAt(service, insecure))), ofOwn()),
		bad("srv-secure-failed", "asked", untrusted, "an SRV answer that says secure and is a failure", all(insecureTXT, has(func(e *evidence) {
			e.SRV[0].Failure = &failure{"dns-timeout", "it did not work"}
		})), all(ofOwn(), srvAbsent)),
		good("nothing-secure-authority", "asked", "nothing is secure, the records name another key, and a certificate leads to a trust anchor", all(insecureTXT, zoneNames(otherKey))),
		good("nothing-secure-failed", "asked", "nothing is secure, and the look-up failed: nobody asks", all(insecureTXT, zoneNames(), onSigners(fails("dns-timeout")))),
		good("txt-bogus", "asked", "the TXT answer is bogus, and a document has a statement: nothing is secure", all(place(inDocument), zoneNames(otherKey), has(func(e *evidence) {
			e.TXT = []txtAnswer{{Name: txtName(service), DNSSEC: bogus, TTL: ttl, Records: []string{}}}
		}))),
		bad("not-asked", "asked", untrusted, "the TXT answer is secure, and nobody asked about signers", notNow, ofOwn()),
		good("not-asked-authority", "asked", "nobody asked about signers, and a certificate leads to a trust anchor", notNow),
		good("document", "asked", "the statement is in a document, and the TXT answer is securely empty", all(ofOwn(), place(inDocument), emptyTXT), anHour),
		bad("document-not-named", "asked exclusive", notNamed, "the statement is in a document, and the zone names another key", all(emptyTXT, zoneNames(otherKey)), place(inDocument)),
		good("stream", "asked own", "nothing is published but the record, and a peer brings the statement in its stream", all(place(inStream), ofOwn()), anHour),
		bad("stream-not-named", "asked exclusive", notNamed, "a peer brings a statement in its stream, and the zone names another key", zoneNames(otherKey), place(inStream)),
		bad("stream-failed", "failed", "dns-timeout", "a peer brings a statement in its stream, and the look-up of signers failed", all(zoneNames(usualKey), onSigners(fails("dns-timeout"))), place(inStream)),
		good("name-too-long", "asked", "the name of the records would be too long: no key can be named", ofLong),
		bad("replayed", "replayed", untrusted, "the policy does not believe what a file says of DNSSEC", func(t *trial) { t.policy.BelieveReplayedDNSSEC = false }, ofOwn()),
		good("replayed-authority", "replayed", "the same, the records name another key, and a certificate leads to a trust anchor", all(zoneNames(otherKey), func(t *trial) { t.policy.BelieveReplayedDNSSEC = false })),
	}
}

// emptyTXT is a TXT answer that is securely empty.
var emptyTXT = has(func(e *evidence) {
	e.TXT = []txtAnswer{{Name: txtName(service), DNSSEC: secure, TTL: ttl, Records: []string{}}}
})

// fails makes an answer a failed look-up.
func fails(reason string) func(a *tlsaAnswer) {
	return func(a *tlsaAnswer) {
		a.DNSSEC, a.TTL, a.Failure, a.Records = indeterminate, 0, &failure{reason, "it did not work"}, nil
	}
}

// inState gives the answer a state.
func inState(state string) func(a *tlsaAnswer) { return func(a *tlsaAnswer) { a.DNSSEC = state } }

// Whose records do not count.
func aliased(a *tlsaAnswer) { a.Alias = true }
func starred(a *tlsaAnswer) { a.Wildcard = true }

// countsEntries are about answers that name no key.
func countsEntries() []entry {
	var list []entry
	for _, c := range []struct {
		id, comment string
		edit        func(a *tlsaAnswer)
	}{
		{"insecure", "the answer about signers is insecure", inState(insecure)},
		{"indeterminate", "the answer about signers is indeterminate", inState(indeterminate)},
		{"alias", "the name of the records is an alias", aliased},
		{"wildcard", "a wildcard made the records", starred},
	} {
		list = append(list,
			bad(c.id, "counts", untrusted, c.comment+", and the certificate is self-issued", onSigners(c.edit), ofOwn()),
			good(c.id+"-authority", "counts", c.comment+" and would name another key, and the certificate leads to a trust anchor", all(zoneNames(otherKey), onSigners(c.edit))))
	}
	return list
}

// unknownEntries are about look-ups that failed.
func unknownEntries() []entry {
	documentFails := has(func(e *evidence) {
		e.Documents = append(e.Documents, documentFailed(documentURL(service, jwsEncoding), "https-timeout"))
	})
	text := func(record string) step { return has(func(e *evidence) { e.TXT[0].Records = []string{record} }) }
	silent := has(func(e *evidence) { e.TXT[0].Records = []string{} })
	failed := func(reason string) step { return all(zoneNames(usualKey), onSigners(fails(reason))) }
	list := []entry{
		bad("bogus", "failed", "dns-bogus", "the answer about signers is bogus", onSigners(inState(bogus)), ofOwn()).givesNone(),
		bad("bogus-authority", "failed", "dns-bogus", "the answer about signers is bogus, and the certificate leads to a trust anchor", all(zoneNames(usualKey), onSigners(inState(bogus)))).givesNone(),
		bad("bogus-alias", "failed", "dns-bogus", "the answer about signers is bogus, at an alias", all(zoneNames(usualKey), onSigners(aliased), onSigners(inState(bogus)))),
		bad("failed-own", "failed", "dns-failure", "the look-up failed, and the certificate is self-issued", onSigners(fails("dns-failure")), ofOwn()).givesNone(),
		bad("failed-with-records", "failed", "dns-failure", "an answer that is a failure and has the right record", onSigners(func(a *tlsaAnswer) { a.Failure = &failure{"dns-failure", "it did not work"} }), ofOwn()),
		bad("failed-wildcard", "failed", "dns-failure", "a failure at a wildcard", all(failed("dns-failure"), onSigners(starred))),
		bad("failed-no-statement", "failed", "no-statement", "the look-up failed, and there is no statement: nobody needs to know who may sign", all(failed("dns-timeout"), silent)),
		bad("failed-bad-record", "failed", "dns-timeout", "the look-up failed, and the record is malformed", all(failed("dns-timeout"), text("v=DNA1; e=jws"))),
		bad("failed-document-first", "failed", "https-timeout", "the look-up failed, and so did a document, which stands before", all(failed("dns-timeout"), documentFails)),
		bad("failed-txt-first", "failed", "dns-failure", "the look-up failed, and so did TXT, which stands before; a document has a statement", all(failed("dns-timeout"), has(func(e *evidence) {
			e.TXT = []txtAnswer{{Name: txtName(service), DNSSEC: indeterminate, Failure: &failure{"dns-failure", "it did not work"}}}
		})), all(place(inDocument), hasSRV(srvAt(service, secure)))),
	}
	for _, reason := range []string{"unanswered", "dns-timeout", "dns-failure", "dns-bogus", "alias-loop"} {
		list = append(list, bad("failed-"+reason, "failed", reason, "the look-up of signers failed, and the certificate leads to a trust anchor", failed(reason)))
	}
	return list
}

// manyEntries are about how many records there may be.
func manyEntries() []entry {
	const many = "too-many-records"
	unusable := tlsaRecord{0, 0, 0, []byte{1}}
	records := func(n int) step { return zoneNames(append(slices.Repeat([]tlsaRecord{unusable}, n-1), ownKey)...) }
	return []entry{
		good("records-8", "usable failed", "8 records, of which the last is the signer's", all(ownCertificate, records(8)), anHour),
		bad("records-9", "failed", many, "9 records, of which the last is the signer's", records(9), ofOwn()).givesNone(),
		bad("records-9-authority", "failed", many, "9 records, and the certificate leads to a trust anchor", records(9)).givesNone(),
		bad("records-4096", "failed", many, "4,096 records", zoneNames(slices.Repeat([]tlsaRecord{unusable}, 4096)...), ofOwn()),
		good("records-9-insecure", "counts", "9 records that are insecure, and the certificate leads to a trust anchor", all(records(9), onSigners(inState(insecure)))),
		good("records-9-alias", "counts", "9 records at an alias, and the certificate leads to a trust anchor", all(records(9), onSigners(aliased))),
		good("records-9-wildcard", "counts", "9 records of a wildcard, and the certificate leads to a trust anchor", all(records(9), onSigners(starred))),
		good("records-twice", "usable", "the same record twice", all(ownCertificate, zoneNames(ownKey, ownKey)), anHour),
	}
}

// usableEntries are about records that name no key.
func usableEntries(w *world) []entry {
	own := selfIssued("P-256").leaf
	digest, whole := ownKey.Data, sha512.Sum512(own.RawSubjectPublicKeyInfo)
	certificate := sha256.Sum256(own.Raw)
	cut := digest[:31]
	longer := append(slices.Clone(digest), 0)
	list := []entry{
		good("unusable-beside", "usable", "a record of other numbers beside the signer's", all(ownCertificate, zoneNames(tlsaRecord{2, 1, 1, otherKey.Data}, ownKey)), anHour),
		bad("unusable-and-other", "usable exclusive", notNamed, "the signer's key in a record of other numbers, beside another key", zoneNames(tlsaRecord{2, 1, 1, digest}, otherKey), ofOwn()),
		bad("certificate-as-key", "usable exclusive", notNamed, "the digest of the certificate in place of the key's", zoneNames(tlsaRecord{3, 1, 1, certificate[:]}), ofOwn()),
	}
	for _, c := range []struct {
		id, comment string
		record      tlsaRecord
	}{
		{"usage-0", "usage 0", tlsaRecord{0, 1, 1, digest}},
		{"usage-1", "usage 1", tlsaRecord{1, 1, 1, digest}},
		{"usage-2", "usage 2", tlsaRecord{2, 1, 1, digest}},
		{"usage-4", "usage 4, which nobody knows", tlsaRecord{4, 1, 1, digest}},
		{"usage-255", "usage 255", tlsaRecord{255, 1, 1, digest}},
		{"selector-0", "selector 0 with the digest of the certificate", tlsaRecord{3, 0, 1, certificate[:]}},
		{"selector-2", "selector 2, which nobody knows", tlsaRecord{3, 2, 1, digest}},
		{"matching-0", "matching type 0 with the whole key", tlsaRecord{3, 1, 0, own.RawSubjectPublicKeyInfo}},
		{"matching-0-digest", "matching type 0 with the digest", tlsaRecord{3, 1, 0, digest}},
		{"matching-2", "matching type 2 with SHA-512", tlsaRecord{3, 1, 2, whole[:]}},
		{"matching-3", "matching type 3, which nobody knows", tlsaRecord{3, 1, 3, digest}},
		{"length-0", "no data", tlsaRecord{3, 1, 1, []byte{}}},
		{"length-31", "an octet too few", tlsaRecord{3, 1, 1, cut}},
		{"length-33", "an octet too many", tlsaRecord{3, 1, 1, longer}},
	} {
		list = append(list, bad("unusable-"+c.id, "usable", untrusted, "the one record has "+c.comment, zoneNames(c.record), ofOwn()),
			good("unusable-"+c.id+"-authority", "usable", "the one record has "+c.comment+", and a certificate leads to a trust anchor", zoneNames(c.record)))
	}
	return list
}

// elseEntries are about everything else that a named key is held to.
func elseEntries() []entry {
	usage := func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }
	clients := func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} }
	ofKey := func(kind string) step {
		return func(t *trial) {
			t.signer = selfIssued(kind)
			zoneNames(threeOneOne(t.signer.key.Public()))(t)
		}
	}
	// instead is another certificate of the named key.
	instead := func(edits ...func(*x509.Certificate)) step {
		return signedBy(func(*world) *signer { return selfIssued("P-256", edits...) })
	}
	logged := func(value []byte) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.ExtraExtensions = []pkix.Extension{{Id: sct.OID, Value: value}} }
	}
	sctOf := func(at time.Time) func(*x509.Certificate) { return logged(sct.Value(sct.List(sct.V1(milli(at))))) }
	under := func(edits ...func(*x509.Certificate)) func(w *world) *signer {
		return func(w *world) *signer { return w.root.under("P-256", "Another Intermediate", edits...).issue("P-256") }
	}
	deep := func(w *world) *signer {
		ca := w.root
		for _, name := range []string{"First", "Second", "Third", "Fourth"} {
			ca = ca.under("P-256", name)
		}
		return ca.issue("P-256")
	}
	nobodys := func(edits ...func(*x509.Certificate)) step {
		return signedBy(func(*world) *signer { return newRoot("P-256", "Nobody's Root").issue("P-256", edits...) })
	}
	authority := func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, c.KeyUsage|x509.KeyUsageCertSign }
	return []entry{
		good("another-name", "own", "a certificate for another name", ofOwn(named(evil)), anHour),
		good("wildcard-name", "own", "a certificate for a wildcard", ofOwn(named("*.example")), anHour),
		good("ed25519", "own", "an Ed25519 key", ofKey("Ed25519"), anHour),
		good("rsa", "own", "an RSA key", ofKey("rsa-2048"), anHour),
		good("no-roots", "own", "the policy has an empty set of trust anchors", all(ofOwn(), func(t *trial) { t.policy.Roots = new([][]byte{}) }), anHour),
		good("anchor", "own", "the signer's certificate is among the trust anchors", all(ofOwn(), func(t *trial) {
			list := append([][]byte{t.signer.leaf.Raw}, *t.policy.Roots...)
			t.policy.Roots = &list
		}), anHour),
		good("chain-expired", "own", "the intermediate certificate has ended, which nobody asks", all(signedBy(under(lives(begins, now.Add(-day)))), zoneNames(usualKey)), anHour),
		good("chain-5", "own", "five certificates, the signer's first", all(signedBy(deep), zoneNames(usualKey)), anHour),
		bad("chain-unrelated", "else", "chain-not-linear", "a certificate besides that did not issue the signer's", chain(func(w *world, der [][]byte) [][]byte { return append(der, w.ca.certificate.Raw) }), ofOwn()),
		bad("chain-key", "else", "unsupported-key", "a certificate besides with a key that is not accepted", signedBy(func(w *world) *signer {
			return w.root.under("P-224", "Intermediate with P-224").issue("P-256")
		}), zoneNames(usualKey)),
		bad("unsupported-key", "else", "unsupported-key", "a named key of a kind that is not accepted", ofKey("P-224"), ofOwn()),
		bad("version-1", "else", "signer-version", "a certificate of version 1", chain(func(w *world, der [][]byte) [][]byte { return [][]byte{versionOne(w), der[1]} }), zoneNames(usualKey)),
		bad("is-authority", "else", "signer-is-ca", "the certificate of a named key is an authority's", instead(authority), ofOwn()),
		bad("key-usage", "else", "signer-key-usage", "keyUsage without digitalSignature", instead(usage), ofOwn()),
		bad("purpose", "else", "signer-ext-key-usage", "extKeyUsage without serverAuth", instead(clients), ofOwn()),
		good("last-second", "else ends", "in the second of notAfter: the proof ends with the certificate", ofOwn(lives(begins, now)), byName(now.Add(time.Second))),
		bad("ended", "else", "signer-expired", "a second after notAfter of the certificate", instead(lives(begins, now.Add(-time.Second))), ofOwn()),
		good("begins-soon", "else", "5 minutes before notBefore", ofOwn(lives(now.Add(skew), ends)), anHour),
		bad("begins-later", "else", "signer-not-yet-valid", "5 minutes and a second before notBefore", instead(lives(now.Add(skew+time.Second), ends)), ofOwn()),
		good("issued-before-own", "else", "issued an hour before notBefore of a self-issued certificate, which gives it no issuance", ofOwn(lives(now, ends)), anHour),
		bad("issued-before", "else", "issued-before-signer", "issued before the SCT of a certificate of an authority that nobody trusts", nobodys(sctOf(now)), all(nobodys(), zoneNames(usualKey))),
		bad("sct-later", "else", "signer-not-yet-valid", "an SCT in the future in a self-issued certificate", instead(sctOf(now.Add(skew+time.Second))), ofOwn()),
		bad("sct-malformed", "else", "malformed-certificate", "an empty list of SCTs in a self-issued certificate", instead(logged(sct.Value(sct.List()))), ofOwn()),
		bad("own-check", "else", "signer-rejected", "the policy's own check says no", func(t *trial) { t.policy.SignerCheck = "refuse" }, ofOwn()),
		bad("not-named-and-usage", "exclusive", notNamed, "another key is named, and the certificate cannot sign: that the key is not named is found first", all(instead(usage), zoneNames(otherKey)), ofOwn()),
		bad("not-named-and-ended", "exclusive", notNamed, "another key is named, and the certificate has ended", all(instead(lives(begins, now.Add(-time.Second))), zoneNames(otherKey)), ofOwn()),
		bad("not-named-and-authority", "exclusive", "signer-is-ca", "another key is named, and the certificate is an authority's, which is found first", all(instead(authority), zoneNames(otherKey)), ofOwn()),
		bad("statement-expired", "else", "expired", "the statement has expired", says(func(s *statement) { s.expires = now }), ofOwn()),
	}
}

// ttlEntries are about the end of what the records prove.
func ttlEntries() []entry {
	lasts := func(seconds uint32) step { return onSigners(func(a *tlsaAnswer) { a.TTL = seconds }) }
	collected := func(age time.Duration) step { return has(func(e *evidence) { e.Collected = now.Add(-age) }) }
	in := func(wait time.Duration) expectation { return byName(now.Add(wait)) }
	const passed = "proof-expired"
	return []entry{
		good("ttl-0", "ends", "a TTL of 0 counts for 5 minutes", all(ofOwn(), lasts(0)), in(5*time.Minute)),
		good("ttl-299", "ends", "a TTL of 299 seconds counts for 5 minutes", all(ofOwn(), lasts(299)), in(5*time.Minute)),
		good("ttl-300", "ends", "a TTL of 5 minutes", all(ofOwn(), lasts(300)), in(5*time.Minute)),
		good("ttl-301", "ends", "a TTL of 301 seconds", all(ofOwn(), lasts(301)), in(301*time.Second)),
		good("ttl-day", "ends", "a TTL of a day: looked up again with the TTL of the statement", all(ofOwn(), lasts(86400)), in(day)),
		good("ttl-most", "ends", "the longest TTL there is: the proof ends with the statement", all(ofOwn(), lasts(1<<32-1)), byName(expires)),
		good("ttl-certificate", "ends", "the certificate ends first", ofOwn(lives(begins, now.Add(10*time.Minute))), byName(now.Add(10*time.Minute+time.Second))),
		good("ttl-statement", "ends", "the statement ends first", all(ofOwn(), says(func(s *statement) { s.expires = now.Add(10 * time.Minute) })), byName(now.Add(10*time.Minute))),
		good("ttl-authority", "ends", "the certificate leads to a trust anchor, and the records have a TTL of 0: they end the proof", all(zoneNames(usualKey), lasts(0)), in(5*time.Minute)),
		good("old-299", "ends", "a TTL of a minute, collected 299 seconds ago", all(ofOwn(), lasts(60), collected(299*time.Second)), in(time.Second)),
		bad("old-300", "ends", passed, "a TTL of a minute, collected 5 minutes ago", collected(300*time.Second), all(ofOwn(), lasts(60))).givesNone(),
		good("old-3599", "ends", "a TTL of an hour, collected a second less than an hour ago", all(ofOwn(), collected(hour-time.Second)), in(time.Second)),
		bad("old-3600", "ends", passed, "a TTL of an hour, collected an hour ago", collected(hour), ofOwn()),
		bad("old-day", "ends", passed, "a TTL of an hour, collected a day ago", collected(day), ofOwn()),
		bad("old-authority", "ends exclusive", passed, "the same, and the certificate leads to a trust anchor: it does not take the place of the records", collected(day), zoneNames(usualKey)),
		bad("old-not-named", "ends exclusive", notNamed, "collected a day ago, and another key is named", all(collected(day), zoneNames(otherKey)), ofOwn()),
		bad("old-and-usage", "ends", passed, "collected a day ago, and the certificate cannot sign: that the TTL has passed is found first", all(collected(day), signedBy(func(*world) *signer {
			return selfIssued("P-256", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment })
		})), ofOwn()),
		good("old-future", "ends", "collected in an hour by somebody's clock: the TTL counts from now", all(ofOwn(), collected(-hour)), anHour),
	}
}

// kindsEntries are about statements of both kinds.
func kindsEntries() []entry {
	same := goodStatement().targets
	other := []target{{host: elsewhere, port: port}}
	bothNamed := zoneNames(ownKey, usualKey)
	floor := func(issuance, iat time.Time, targets []target) step {
		f := floorAt(0, 0, targets)
		f.Order = Order{Issuance: issuance, Issued: iat}
		return remembered(f)
	}
	revoked := says(revokes)
	usual := signedBy(func(w *world) *signer { return w.signer })
	return []entry{
		good("floor-authority-below", "memory", "the floor is of an authority's certificate that was issued before iat, and of a later iat", all(ofOwn(), floor(issued.Add(-time.Second), issued.Add(time.Hour), other)), anHour),
		bad("floor-authority-above", "memory", "superseded", "the floor is of an authority's certificate that was issued a second after iat", floor(issued.Add(time.Second), issued.Add(-time.Hour), same), ofOwn()).givesNone(),
		bad("floor-own-above", "memory", "superseded", "the floor is of a self-issued certificate of yesterday; an authority's certificate of last week signs now", floor(now.Add(-day), now.Add(-day), same), zoneNames(usualKey)).givesNone(),
		bad("floor-own-above-unsigned", "memory", "superseded", "the same floor, and the zone has lost DNSSEC", floor(now.Add(-day), now.Add(-day), same), insecureTXT).givesNone(),
		good("floor-own-below", "memory", "the floor is of a self-issued certificate of last month; an authority's certificate of last week signs", all(zoneNames(usualKey), floor(now.Add(-30*day), now.Add(-30*day), other)), anHour),
		good("floor-own-same", "memory", "the floor is this very statement", all(ofOwn(), floor(issued, issued, same)), anHour),
		bad("floor-own-other", "memory", "conflict", "the floor is of the same order, with other targets", floor(issued, issued, other), ofOwn()).givesNone(),
		good("own-and-authority", "memory", "a statement by a self-issued certificate, and a later one by an older certificate of an authority, both named", all(ownCertificate, bothNamed, beside(elsewhereTo, later(time.Minute))), anHour),
		good("authority-and-own", "memory", "a statement by an authority's certificate that was issued after the other statement", all(certified(10*day), bothNamed, says(func(s *statement) { s.issued = now }), beside(ownCertificate, elsewhereTo)), anHour),
		good("newer-not-named", "memory exclusive", "a newer statement by a certificate that leads to a trust anchor and is not named, beside one by a named key", all(ofOwn(), beside(certified(10*day-time.Minute), elsewhereTo, says(func(s *statement) { s.issued = now }))), anHour),
		bad("revoked", "memory", "revoked", "a revocation by a named key", revoked, ofOwn()).givesForAnHour(ownCertificate, revoked),
		bad("revoked-by-authority", "memory exclusive", notNamed, "a revocation by a certificate that leads to a trust anchor and is not named", all(usual, revoked), ofOwn()).givesNone(),
		bad("conflict", "memory", "conflict", "two statements by a named key in one second, with other targets", beside(ownCertificate, elsewhereTo), ofOwn()).contradictsForAnHour(ownCertificate),
		good("equal-longer", "memory", "equal statements, one of them for a day longer, both until the TTL has passed", all(ofOwn(), beside(ownCertificate, says(func(s *statement) { s.expires = s.expires.Add(day) }))), anHour),
	}
}

// contradictsForAnHour is contradicts for statements by named keys.
func (e entry) contradictsForAnHour(statement ...step) entry {
	e = e.givesForAnHour(statement...)
	e.expect = append(e.expect, func(_ *trial, expect *Expect) { expect.Floor.Floor.Targets = contradiction })
	return e
}

// signerInputEntries are answers that no verifier has to understand.
func signerInputEntries() []entry {
	const malformed = "bad-evidence"
	numbers := func(usage, selector, matching int) step {
		return onSigners(func(a *tlsaAnswer) {
			a.Records[0].Usage, a.Records[0].Selector, a.Records[0].Matching = usage, selector, matching
		})
	}
	at := func(name string) step { return onSigners(func(a *tlsaAnswer) { a.Name = name }) }
	written := func(old, with string) step {
		return func(t *trial) {
			t.raw = func(raw json.RawMessage) json.RawMessage { return json.RawMessage(replaced(old, with)(string(raw))) }
		}
	}
	long := longName(224)
	return []entry{
		bad("input-usage-256", "inputs", malformed, "a usage of 256", numbers(256, 1, 1), ofOwn()),
		bad("input-selector-256", "inputs", malformed, "a selector of 256", numbers(3, 256, 1), ofOwn()),
		bad("input-matching-negative", "inputs", malformed, "a negative matching type", numbers(3, 1, -1), ofOwn()),
		bad("input-state", "inputs", malformed, "an unknown DNSSEC state", onSigners(inState("certain")), ofOwn()),
		bad("input-reason", "inputs", malformed, "a failure with a reason that no look-up has", onSigners(fails("expired")), ofOwn()),
		bad("input-other-role", "inputs", malformed, "the answer is about another role", at(signerName(client)), ofOwn()),
		bad("input-second-label", "inputs", malformed, "the answer is about the second label", at(signerName(second)), ofOwn()),
		bad("input-statement-name", "inputs", malformed, "the answer is about the name of the statement", at(txtName(service)), ofOwn()),
		bad("input-other-source", "inputs", malformed, "the answer is about another domain", at("_signer."+service+"._dna."+evil), ofOwn()),
		bad("input-two", "inputs", malformed, "two answers", has(func(e *evidence) { e.Signers = append(e.Signers, e.Signers[0]) }), ofOwn()),
		bad("input-too-long", "inputs", malformed, "an answer about a name that is too long", has(func(e *evidence) { e.Signers[0].Name = "_signer." + service + "._dna." + long }), all(zoneNames(usualKey), func(t *trial) {
			fits := longName(222) // with which all names fit
			t.query.Source, t.statement.source = fits, fits
			leaf(named(fits))(t)
			t.evidence = append(t.evidence, func(e *evidence) {
				e.TXT[0].Name, e.Signers[0].Name = service+"._dna."+fits, "_signer."+service+"._dna."+fits
			})
		})),
		bad("input-member", "inputs", malformed, "a record with an unknown member", written(`"usage":3,`, `"usage":3,"port":5269,`), ofOwn()),
		bad("input-answer-member", "inputs", malformed, "an answer with an unknown member", written(`"signers":[{`, `"signers":[{"trusted":true,`), ofOwn()),
		bad("input-hexadecimal", "inputs", malformed, "data that is no base64", written(`"data":"`, `"data":"-`), ofOwn()),
		bad("input-alias", "inputs", malformed, "an alias that is no boolean", written(`"signers":[{`, `"signers":[{"alias":"no",`), ofOwn()),
		bad("input-no-list", "inputs", malformed, "the answer stands alone, not in a list", func(t *trial) {
			t.raw = func(raw json.RawMessage) json.RawMessage {
				return bytes.Replace(bytes.Replace(raw, []byte(`"signers":[`), []byte(`"signers":`), 1), []byte(`}]}]}`), []byte(`}]}}`), 1)
			}
		}, ofOwn()),
	}
}
