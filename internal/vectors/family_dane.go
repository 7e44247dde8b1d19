package vectors

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"fmt"
	"slices"
	"time"

	"github.com/miekg/dns"
)

var daneNotes = map[string]Note{
	"usage":     {[]string{"E5"}, "What each usage asks of the peer.", "A peer is accepted by less than its zone asks for, or nobody but a customer of a CA is."},
	"selection": {[]string{"E5"}, "What the data of a record is compared with.", "A record for one thing matches another."},
	"usable":    {[]string{"E3"}, "Records with unknown numbers or a wrong length are ignored.", "A record of the future shuts everybody out, or lets somebody in."},
	"limits":    {[]string{"E2", "P1"}, "At most 16 records, and no more of the peer's certificates than P1 allows.", "A zone makes a verifier work for a stranger."},
	"lookup":    {[]string{"E2"}, "A lookup that failed or is bogus is no answer.", "Whoever breaks the lookup gets rid of the records."},
	"address":   {[]string{"E1"}, "Only where the addresses and the TLSA answer are secure.", "Somebody on the path names his own key."},
	"endpoint":  {[]string{"E1"}, "Records count at the endpoint that was proven, and nowhere else.", "A program on another port of the host passes for the service."},
	"scope":     {[]string{"E4"}, "What a mismatch refuses: every name where the source's zone names the endpoint, the target's name where a statement does.", "A thief with a certificate of the source takes the place of the server that the zone names; or a provider's mistake shuts out the source itself."},
	"until":     {[]string{"E6"}, "Records count as long as their TTL says, and 5 minutes at least.", "A key that was taken out of the zone is good for ever."},
	"incoming":  {[]string{"E7"}, "For an incoming peer records accept, and never refuse.", "A server that sends from another machine is shut out."},
	"pins":      {[]string{"E4", "P1"}, "The pins of the statement hold besides.", "A provider's zone overrules the owner."},
	"floor":     {[]string{"E4", "P1"}, "A statement that was overtaken proves no endpoint.", "A former provider gets in by its own zone."},
	"dial":      {[]string{"C8", "E2"}, "Where to connect, and the server name, with what is known of the endpoints.", "The peer shows a certificate that the records are not about."},
	"further":   {[]string{"R1", "E4"}, "A record of usage 3 stands for the name that a further source needs.", "Whoever has a wildcard certificate speaks for everybody who delegated to a host under it."},
}

// An EndpointAnswer is what DNS says of an endpoint (docs/reports.md).
type EndpointAnswer struct {
	Endpoint
	Collected string        `json:"collected"`
	Address   addressAnswer `json:"address"`
	TLSA      *tlsaAnswer   `json:"tlsa,omitempty"`
}

type addressAnswer struct {
	Name      string   `json:"name"`
	DNSSEC    string   `json:"dnssec"`
	TTL       uint32   `json:"ttl"`
	Failure   *failure `json:"failure,omitempty"`
	Addresses []string `json:"addresses,omitzero"`
}

// tlsaFor is a record for a certificate.
func tlsaFor(usage, selector, matching int, c *x509.Certificate) tlsaRecord {
	data := must(hex.DecodeString(must(dns.CertificateToDANE(uint8(selector), uint8(matching), c))))
	return tlsaRecord{usage, selector, matching, data}
}

// saysDNS is a secure answer about an endpoint.
func saysDNS(host string, port uint16, records ...tlsaRecord) EndpointAnswer {
	return EndpointAnswer{
		Endpoint: Endpoint{host, port}, Collected: stamp(now),
		Address: addressAnswer{Name: host, DNSSEC: secure, TTL: ttl, Addresses: []string{"192.0.2.1"}},
		TLSA:    &tlsaAnswer{Name: fmt.Sprintf("_%d._tcp.%s", port, host), DNSSEC: secure, TTL: ttl, Records: append([]tlsaRecord{}, records...)},
	}
}

// selfSigned is a certificate of nobody but its own key.
func selfSigned(key string, edits ...func(*x509.Certificate)) *x509.Certificate {
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: key}, DNSNames: []string{host}, NotBefore: begins, NotAfter: peerEnds, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	for _, edit := range edits {
		edit(template)
	}
	k := newKey("P-256", key)
	return sign(template, template, k, k)
}

// offers has a peer with these certificates, at the target's endpoint.
func offers(chain ...*x509.Certificate) move {
	return func(d *deal) {
		shows()(d)
		d.peer.Chain = [][]byte{}
		for _, c := range chain {
			d.peer.Chain = append(d.peer.Chain, c.Raw)
		}
	}
}

// asked adds an answer about an endpoint.
func asked(answer EndpointAnswer, edits ...func(*EndpointAnswer)) move {
	return func(d *deal) {
		if answer.TLSA != nil {
			copied := *answer.TLSA
			answer.TLSA = &copied
		}
		for _, edit := range edits {
			edit(&answer)
		}
		d.peer.Endpoints = append(d.peer.Endpoints, answer)
	}
}

// records has the usual endpoint with TLSA records.
func records(list ...tlsaRecord) move { return asked(saysDNS(host, port, list...)) }

// byTLSA is what is expected of a peer that counts by a record.
func byTLSA(method string, until time.Time, record string) *Expect {
	e := accepted(host, method, until)
	e.Accepted.TLSA = record
	return e
}

// daneEnds is when the usual answer no longer counts.
var daneEnds = now.Add(hour)

// A private authority, which is no trust anchor of anybody, and what it issues.
type privateCA struct{ root, below *authority }

func newPrivateCA(edits ...func(*x509.Certificate)) privateCA {
	root := newRoot("P-256", "Private Root", edits...)
	return privateCA{root, root.under("P-256", "Private Intermediate")}
}

// issues gives a leaf and everything above it, the root included.
func (p privateCA) issues(edits ...func(*x509.Certificate)) []*x509.Certificate {
	leaf := p.below.issueFor(newKey("P-256", "peer"), append([]func(*x509.Certificate){lives(begins, peerEnds)}, edits...)...)
	return []*x509.Certificate{leaf.leaf, p.below.certificate, p.root.certificate}
}

func daneFamily(w *world) *book {
	b := newBook(w, "dane", daneNotes)
	b.associate(usage3Cases(w)...)
	b.associate(usage2Cases()...)
	b.associate(pkixUsageCases(w)...)
	b.associate(usableCases(w)...)
	b.associate(daneLookupCases(w)...)
	b.associate(scopeCases(w)...)
	b.associate(daneTimeCases(w)...)
	b.associate(daneIncomingCases(w)...)
	b.associate(daneDialCases(w)...)
	b.daneReuses()
	return b
}

const mismatch = "dane-mismatch"

func usage3Cases(w *world) []dealing {
	self := selfSigned("own")
	yes := func(record string) *Expect { return byTLSA("delegation", daneEnds, record) }
	key, next := tlsaFor(3, 1, 1, self), tlsaFor(3, 1, 1, selfSigned("next"))
	issued := w.certificateOf(named(host))
	var list []dealing
	for _, selector := range []int{0, 1} {
		for matching := range 3 {
			list = append(list, dealing{fmt.Sprintf("ee-3-%d-%d", selector, matching), "usage selection", "a self-signed certificate, and a record of usage 3 that matches",
				moves(offers(self), records(tlsaFor(3, selector, matching, self))), yes(fmt.Sprintf("3 %d %d", selector, matching))})
		}
	}
	mixed := func(usage, selector, matching int, of tlsaRecord) tlsaRecord {
		return tlsaRecord{usage, selector, matching, of.Data}
	}
	other := func(edits ...func(*x509.Certificate)) *x509.Certificate { return selfSigned("own", edits...) }
	weak := newKey("rsa-1024", "")
	weakTemplate := &x509.Certificate{DNSNames: []string{host}, NotBefore: begins, NotAfter: peerEnds, KeyUsage: x509.KeyUsageDigitalSignature}
	weakLeaf := sign(weakTemplate, weakTemplate, weak, weak)
	return append(list,
		dealing{"ee-no-name", "usage", "a certificate without names", moves(offers(other(named())), records(key)), yes("3 1 1")},
		dealing{"ee-other-name", "usage", "a certificate for another name", moves(offers(other(named("other.example"))), records(key)), yes("3 1 1")},
		dealing{"ee-ended", "usage", "a certificate that has ended", moves(offers(other(lives(begins, now.Add(-day)))), records(key)), yes("3 1 1")},
		dealing{"ee-not-begun", "usage", "a certificate that has not begun", moves(offers(other(lives(now.Add(day), peerEnds))), records(key)), yes("3 1 1")},
		dealing{"ee-for-clients", "usage", "a certificate for clients only", moves(offers(other(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })), records(key)), yes("3 1 1")},
		dealing{"ee-beside", "usage", "certificates of strangers beside the peer's own", moves(offers(self, w.root.certificate, w.ca.certificate), records(key)), yes("3 1 1")},
		dealing{"ee-second", "usage", "the key is that of the second record", moves(offers(self), records(next, key)), yes("3 1 1")},
		dealing{"ee-issued", "usage", "a certificate of a CA, and a record of usage 3 that matches", moves(shows(named(host)), records(tlsaFor(3, 1, 1, issued.leaf))), yes("3 1 1")},
		dealing{"ee-ends-soon", "usage until", "a certificate that ends before the records do: usage 3 does not look at it", moves(offers(other(lives(begins, now.Add(time.Minute)))), records(key)), yes("3 1 1")},
		dealing{"ee-renewed", "selection", "another certificate for the same key, and a record for the key", moves(offers(other(named(host, "more.example"))), records(key)), yes("3 1 1")},
		dealing{"ee-renewed-certificate", "selection", "another certificate for the same key, and a record for the certificate", moves(offers(other(named(host, "more.example"))), records(tlsaFor(3, 0, 1, self))), ending(mismatch)},
		dealing{"ee-key-as-certificate", "selection", "the hash of the key, where the selector says certificate", moves(offers(self), records(mixed(3, 0, 1, key))), ending(mismatch)},
		dealing{"ee-certificate-as-key", "selection", "the hash of the certificate, where the selector says key", moves(offers(self), records(mixed(3, 1, 1, tlsaFor(3, 0, 1, self)))), ending(mismatch)},
		dealing{"ee-hash-as-whole", "selection", "the hash of the key, where the matching type says the key itself", moves(offers(self), records(mixed(3, 1, 0, key))), ending(mismatch)},
		dealing{"ee-prefix", "selection", "the first bytes of the key, as it stands", moves(offers(self), records(tlsaRecord{3, 1, 0, self.RawSubjectPublicKeyInfo[:40]})), ending(mismatch)},
		dealing{"ee-longer", "selection", "the key as it stands, and a byte more", moves(offers(self), records(tlsaRecord{3, 1, 0, append(slices.Clone(self.RawSubjectPublicKeyInfo), 0)})), ending(mismatch)},
		dealing{"ee-issuer", "usage", "usage 3 with the key of the issuer", moves(shows(named(host)), records(tlsaFor(3, 1, 1, w.ca.certificate))), ending(mismatch)},
		dealing{"ee-second-shown", "usage", "usage 3 with a certificate that the peer shows besides its own", moves(offers(selfSigned("other"), self), records(key)), ending(mismatch)},
		dealing{"ee-other", "usage", "another key, self-signed", moves(offers(selfSigned("other")), records(key)), ending(mismatch)},
		dealing{"ee-other-issued", "usage scope", "another key, in a good certificate for the target", moves(shows(named(host)), records(key)), ending(mismatch)},
		dealing{"ee-weak", "limits", "usage 3 with an RSA key of 1024 bits", moves(offers(weakLeaf), records(tlsaFor(3, 1, 1, weakLeaf))), ending("unsupported-key")},
		dealing{"ee-weak-beside", "limits", "an RSA key of 1024 bits in a certificate beside the peer's own", moves(offers(self, weakLeaf), records(key)), ending("unsupported-key")},
		dealing{"ee-nothing-shown", "limits", "no certificate is shown", moves(offers(), records(key)), ending("peer-untrusted")},
		dealing{"ee-11-shown", "limits", "11 certificates are shown", moves(offers(slices.Repeat([]*x509.Certificate{self}, 11)...), records(key)), ending("peer-untrusted")},
		dealing{"ee-unreadable", "limits", "a certificate beside the peer's own cannot be read", moves(offers(self), records(key), func(d *deal) { d.peer.Chain = append(d.peer.Chain, []byte("no certificate")) }), ending("peer-untrusted")},
	)
}

func usage2Cases() []dealing {
	ca := newPrivateCA()
	chain := ca.issues(named(host))
	yes := func(record string) *Expect { return byTLSA("delegation", daneEnds, record) }
	root, below := ca.root.certificate, ca.below.certificate
	first := func(n int, chain []*x509.Certificate) move { return offers(chain[:n]...) }
	stranger := newRoot("P-256", "Nobody").certificate
	short := newPrivateCA(func(c *x509.Certificate) { c.MaxPathLenZero, c.MaxPathLen = true, 0 })
	ended := newPrivateCA(lives(now.AddDate(-5, 0, 0), now.Add(-day)))
	self := selfSigned("own")
	soon := now.Add(10 * time.Minute)
	return []dealing{
		{"ta-2-0-1", "usage selection", "the root of the peer's own authority, by its certificate", moves(offers(chain...), records(tlsaFor(2, 0, 1, root))), yes("2 0 1")},
		{"ta-2-1-1", "usage selection", "the authority below it, by its key", moves(offers(chain...), records(tlsaFor(2, 1, 1, below))), yes("2 1 1")},
		{"ta-2-0-2", "usage selection", "the authority by its certificate, SHA-512", moves(first(2, chain), records(tlsaFor(2, 0, 2, below))), yes("2 0 2")},
		{"ta-2-1-2", "usage selection", "the authority by its key, SHA-512", moves(first(2, chain), records(tlsaFor(2, 1, 2, below))), yes("2 1 2")},
		{"ta-2-0-0", "usage selection", "the authority by its certificate as it stands", moves(first(2, chain), records(tlsaFor(2, 0, 0, below))), yes("2 0 0")},
		{"ta-2-1-0", "usage selection", "the authority by its key as it stands", moves(first(2, chain), records(tlsaFor(2, 1, 0, below))), yes("2 1 0")},
		{"ta-source", "usage", "usage 2, and the certificate names the source", moves(offers(ca.issues(named(source))...), records(tlsaFor(2, 1, 1, root))), yes("2 1 1")},
		{"ta-wildcard", "usage", "usage 2, and the certificate names the target by a wildcard", moves(offers(ca.issues(named("*.hosting.example"))...), records(tlsaFor(2, 1, 1, root))), yes("2 1 1")},
		{"ta-order", "usage", "the certificates above in another order", moves(offers(chain[0], chain[2], chain[1]), records(tlsaFor(2, 1, 1, root))), yes("2 1 1")},
		{"ta-ends-soon", "usage until", "usage 2, and the peer's certificate ends before the records do", moves(offers(ca.issues(named(host), lives(begins, soon))...), records(tlsaFor(2, 1, 1, root))), byTLSA("delegation", soon.Add(time.Second), "2 1 1")},
		{"ta-name", "usage", "usage 2, and the certificate names another host", moves(offers(ca.issues(named("other.example"))...), records(tlsaFor(2, 1, 1, root))), ending(mismatch)},
		{"ta-common-name", "usage", "usage 2, and the certificate has the target as common name", moves(offers(ca.issues(named(), commonName(host))...), records(tlsaFor(2, 1, 1, root))), ending(mismatch)},
		{"ta-ended", "usage", "usage 2, and the peer's certificate has ended", moves(offers(ca.issues(named(host), lives(begins, now.Add(-day)))...), records(tlsaFor(2, 1, 1, root))), ending(mismatch)},
		{"ta-anchor-ended", "usage", "usage 2, and the authority has ended", moves(offers(ended.issues(named(host))...), records(tlsaFor(2, 1, 1, ended.root.certificate))), ending(mismatch)},
		{"ta-path-length", "usage", "usage 2, and the authority allows no authority below it", moves(offers(short.issues(named(host))...), records(tlsaFor(2, 1, 1, short.root.certificate))), ending(mismatch)},
		{"ta-for-clients", "usage", "usage 2, and the certificate is for clients only", moves(offers(ca.issues(named(host), func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth} })...), records(tlsaFor(2, 1, 1, root))), ending(mismatch)},
		{"ta-not-shown", "usage", "usage 2 with a root that the peer does not show", moves(first(2, chain), records(tlsaFor(2, 0, 0, root))), ending(mismatch)},
		{"ta-unrelated", "usage", "usage 2 with a certificate that is shown and has nothing to do with the peer's", moves(offers(append(slices.Clone(chain), stranger)...), records(tlsaFor(2, 1, 1, stranger))), ending(mismatch)},
		{"ta-gap", "usage", "usage 2, and the certificate between is not shown", moves(offers(chain[0], chain[2]), records(tlsaFor(2, 1, 1, root))), ending(mismatch)},
		{"ta-leaf", "usage", "usage 2 with the peer's own certificate", moves(offers(self), records(tlsaFor(2, 0, 1, self))), ending(mismatch)},
		{"ta-leaf-twice", "usage", "usage 2 with the peer's own certificate, which is shown twice", moves(offers(self, self), records(tlsaFor(2, 0, 1, self))), ending(mismatch)},
		{"ta-other", "usage", "usage 2 with another authority", moves(offers(chain...), records(tlsaFor(2, 1, 1, stranger))), ending(mismatch)},
		{"ta-and-ee", "usage", "records of usage 2 and 3, both match: usage 3 is used", moves(offers(chain...), records(tlsaFor(2, 1, 1, root), tlsaFor(3, 1, 1, chain[0]))), yes("3 1 1")},
		{"ta-two", "usage", "two records of usage 2, both match: the first is used", moves(offers(chain...), records(tlsaFor(2, 0, 1, root), tlsaFor(2, 1, 1, below))), yes("2 0 1")},
	}
}

func pkixUsageCases(w *world) []dealing {
	peer := w.certificateOf(named(host)).leaf
	self := selfSigned("own")
	yes := func(record string) *Expect { return byTLSA("delegation", daneEnds, record) }
	secureSRV := moves(silent, on(believes, hasSRV(srvAt(service, secure, to(host, port)))))
	bySRV := func(record string) *Expect { return byTLSA("dnssec", daneEnds, record) }
	owner := w.certificateOf(named(source)).leaf
	soon := now.Add(10 * time.Minute)
	private := newPrivateCA().issues(named(host))
	return []dealing{
		{"pkix-ee-1-1-1", "usage", "a certificate of a CA, by its key", moves(shows(named(host)), records(tlsaFor(1, 1, 1, peer))), yes("1 1 1")},
		{"pkix-ee-1-0-2", "usage selection", "a certificate of a CA, by itself", moves(shows(named(host)), records(tlsaFor(1, 0, 2, peer))), yes("1 0 2")},
		{"pkix-ee-source", "usage scope", "usage 1, and the certificate names the source, which the zone delegates", moves(secureSRV, shows(named(source)), records(tlsaFor(1, 1, 1, owner))), bySRV("1 1 1")},
		{"pkix-ee-ends-soon", "usage until", "usage 1, and the certificate ends before the records do", moves(shows(named(host), lives(begins, soon)), func(d *deal) {
			records(tlsaFor(1, 1, 1, d.certificateOf(named(host), lives(begins, soon)).leaf))(d)
		}), byTLSA("delegation", soon.Add(time.Second), "1 1 1")},
		{"pkix-ee-self-signed", "usage", "usage 1, and a self-signed certificate", moves(offers(self), records(tlsaFor(1, 1, 1, self))), ending(mismatch)},
		{"pkix-ee-name", "usage", "usage 1, and the certificate names another host", moves(shows(named("other.example")), records(tlsaFor(1, 1, 1, peer))), ending(mismatch)},
		{"pkix-ee-other", "usage", "usage 1 with another key", moves(shows(named(host)), records(tlsaFor(1, 1, 1, self))), ending(mismatch)},
		{"pkix-ee-issuer", "usage", "usage 1 with the key of the issuer", moves(shows(named(host)), records(tlsaFor(1, 1, 1, w.ca.certificate))), ending(mismatch)},
		{"pkix-ta-0-1-1", "usage", "the authority above, by its key", moves(shows(named(host)), records(tlsaFor(0, 1, 1, w.ca.certificate))), yes("0 1 1")},
		{"pkix-ta-root", "usage", "the trust anchor, which the peer does not show", moves(shows(named(host)), records(tlsaFor(0, 0, 1, w.root.certificate))), yes("0 0 1")},
		{"pkix-ta-whole", "usage selection", "the authority above, by its certificate as it stands", moves(shows(named(host)), records(tlsaFor(0, 0, 0, w.ca.certificate))), yes("0 0 0")},
		{"pkix-ta-leaf", "usage", "usage 0 with the peer's own certificate", moves(shows(named(host)), records(tlsaFor(0, 0, 1, peer))), ending(mismatch)},
		{"pkix-ta-name", "usage", "usage 0, and the certificate names another host", moves(shows(named("other.example")), records(tlsaFor(0, 1, 1, w.ca.certificate))), ending(mismatch)},
		{"pkix-ta-private", "usage", "usage 0 with an authority that is no trust anchor", moves(offers(private...), records(tlsaFor(0, 1, 1, private[2]))), ending(mismatch)},
		{"pkix-ta-beside", "usage", "usage 0 with a certificate that is shown, and not on the way to the trust anchor", moves(shows(named(host)), func(d *deal) {
			d.peer.Chain = append(d.peer.Chain, private[2].Raw)
			records(tlsaFor(0, 1, 1, private[2]))(d)
		}), ending(mismatch)},
		{"pkix-both", "usage", "records of usage 0 and 1, both match: usage 1 is used", moves(shows(named(host)), records(tlsaFor(0, 1, 1, w.ca.certificate), tlsaFor(1, 1, 1, peer))), yes("1 1 1")},
	}
}

// usableCases are about E3. The peer has a good certificate, which the records would
// refuse if they counted.
func usableCases(w *world) []dealing {
	self := selfSigned("own")
	wrong := make([]byte, 32)
	usual := accepted(host, "delegation", expires)
	ignored := func(id, comment string, list ...tlsaRecord) dealing {
		return dealing{id, "usable", comment, moves(shows(named(host)), records(list...)), usual}
	}
	return []dealing{
		ignored("none", "no TLSA records"),
		ignored("usage-4", "usage 4", tlsaRecord{4, 1, 1, wrong}),
		ignored("usage-255", "usage 255", tlsaRecord{255, 1, 1, wrong}),
		ignored("selector-2", "selector 2", tlsaRecord{3, 2, 1, wrong}),
		ignored("selector-255", "selector 255", tlsaRecord{3, 255, 1, wrong}),
		ignored("matching-3", "matching type 3", tlsaRecord{3, 1, 3, wrong}),
		ignored("matching-255", "matching type 255", tlsaRecord{3, 1, 255, wrong}),
		ignored("short", "SHA-256 of 31 bytes", tlsaRecord{3, 1, 1, wrong[1:]}),
		ignored("long", "SHA-256 of 33 bytes", tlsaRecord{3, 1, 1, make([]byte, 33)}),
		ignored("empty-hash", "SHA-256 of no bytes", tlsaRecord{3, 1, 1, []byte{}}),
		ignored("short-512", "SHA-512 of 32 bytes", tlsaRecord{3, 1, 2, wrong}),
		ignored("long-512", "SHA-512 of 65 bytes", tlsaRecord{3, 1, 2, make([]byte, 65)}),
		ignored("empty", "no data, as it stands", tlsaRecord{3, 1, 0, []byte{}}),
		ignored("unusable-all", "four records, none usable", tlsaRecord{4, 0, 0, wrong}, tlsaRecord{0, 9, 0, wrong}, tlsaRecord{1, 0, 9, wrong}, tlsaRecord{2, 0, 2, wrong}),
		{"unusable-self-signed", "usable", "no usable record, and a self-signed certificate", moves(offers(self), records(tlsaRecord{4, 1, 1, tlsaFor(3, 1, 1, self).Data})), ending("peer-untrusted")},
		{"usable-one", "usable", "one usable record among others, and it matches", moves(offers(self), records(tlsaRecord{4, 1, 1, wrong}, tlsaFor(3, 1, 1, self))), byTLSA("delegation", daneEnds, "3 1 1")},
		{"usable-one-other", "usable", "one usable record among others, and it does not match", moves(shows(named(host)), records(tlsaRecord{4, 1, 1, wrong}, tlsaRecord{3, 1, 1, wrong})), ending(mismatch)},
		{"usable-byte", "usable", "one byte of data as it stands is usable, and does not match", moves(shows(named(host)), records(tlsaRecord{3, 1, 0, []byte{48}})), ending(mismatch)},
		{"records-16", "limits", "16 records, of which the last matches", moves(offers(self), records(append(slices.Repeat([]tlsaRecord{{3, 1, 1, wrong}}, 15), tlsaFor(3, 1, 1, self))...)), byTLSA("delegation", daneEnds, "3 1 1")},
		{"records-17", "limits", "17 records, of which the first matches", moves(offers(self), records(append([]tlsaRecord{tlsaFor(3, 1, 1, self)}, slices.Repeat([]tlsaRecord{{3, 1, 1, wrong}}, 16)...)...)), ending("too-many-records")},
		{"records-17-unusable", "limits", "17 records, none usable", moves(shows(named(host)), records(slices.Repeat([]tlsaRecord{{9, 1, 1, wrong}}, 17)...)), ending("too-many-records")},
		{"records-17-source", "limits scope", "17 records, and a certificate of the source", moves(shows(named(source)), records(slices.Repeat([]tlsaRecord{{3, 1, 1, wrong}}, 17)...)), accepted(source, "pkix", peerEnds.Add(time.Second))},
		{"records-17-insecure", "limits address", "17 records that are not secure", moves(shows(named(host)), asked(saysDNS(host, port, slices.Repeat([]tlsaRecord{{3, 1, 1, wrong}}, 17)...), tlsaIs(insecure))), usual},
	}
}

// Changes of an answer about an endpoint.

func addressIs(state string) func(*EndpointAnswer) {
	return func(a *EndpointAnswer) { a.Address.DNSSEC = state }
}

func tlsaIs(state string) func(*EndpointAnswer) {
	return func(a *EndpointAnswer) { a.TLSA.DNSSEC = state }
}

func addressFails(reason, state string) func(*EndpointAnswer) {
	return func(a *EndpointAnswer) {
		a.Address, a.TLSA = addressAnswer{Name: host, DNSSEC: state, Failure: &failure{reason, "it did not work"}}, nil
	}
}

func tlsaFails(reason, state string) func(*EndpointAnswer) {
	return func(a *EndpointAnswer) {
		a.TLSA = &tlsaAnswer{Name: a.TLSA.Name, DNSSEC: state, Failure: &failure{reason, "it did not work"}}
	}
}

func tlsaUnasked(a *EndpointAnswer) { a.TLSA = nil }

func daneLookupCases(w *world) []dealing {
	self := selfSigned("own")
	key, wrong := tlsaFor(3, 1, 1, self), tlsaRecord{3, 1, 1, make([]byte, 32)}
	usual := accepted(host, "delegation", expires)
	own := accepted(source, "pkix", peerEnds.Add(time.Second))
	says := func(record tlsaRecord, edits ...func(*EndpointAnswer)) move {
		return asked(saysDNS(host, port, record), edits...)
	}
	secureSRV := moves(silent, on(believes, hasSRV(srvAt(service, secure, to(host, port)))))
	provider, owner := shows(named(host)), shows(named(source))
	return []dealing{
		{"address-insecure", "address", "the addresses are not secure, and no record matches", moves(provider, says(wrong, addressIs(insecure))), usual},
		{"address-insecure-unasked", "address", "the addresses are not secure, and TLSA was not asked for", moves(provider, says(wrong, addressIs(insecure), tlsaUnasked)), usual},
		{"address-insecure-self", "address", "the addresses are not secure, and a record matches a self-signed certificate", moves(offers(self), says(key, addressIs(insecure))), ending("peer-untrusted")},
		{"address-unknown", "address", "the state of the addresses is not known, and no record matches", moves(provider, says(wrong, addressIs(indeterminate))), usual},
		{"address-none", "address", "the host has no address, securely, and a record matches", moves(offers(self), says(key, func(a *EndpointAnswer) { a.Address.Addresses = []string{} })), byTLSA("delegation", daneEnds, "3 1 1")},
		{"tlsa-insecure", "address", "the TLSA answer is not secure, and no record matches", moves(provider, says(wrong, tlsaIs(insecure))), usual},
		{"tlsa-insecure-self", "address", "the TLSA answer is not secure, and a record matches a self-signed certificate", moves(offers(self), says(key, tlsaIs(insecure))), ending("peer-untrusted")},
		{"tlsa-unknown-self", "address", "the state of the TLSA answer is not known, and a record matches a self-signed certificate", moves(offers(self), says(key, tlsaIs(indeterminate))), ending("peer-untrusted")},
		{"tlsa-alias", "address", "the records are found by an alias, and secure", moves(offers(self), says(key, func(a *EndpointAnswer) { a.TLSA.Alias = true })), byTLSA("delegation", daneEnds, "3 1 1")},
		{"tlsa-wildcard", "address", "a wildcard made the records, and they are secure", moves(offers(self), says(key, func(a *EndpointAnswer) { a.TLSA.Wildcard = true })), byTLSA("delegation", daneEnds, "3 1 1")},

		{"address-bogus", "lookup", "the addresses are bogus", moves(provider, says(key, addressIs(bogus))), ending("dns-bogus")},
		{"address-bogus-failure", "lookup", "the addresses are bogus, told as a failure", moves(provider, says(key, addressFails("dns-bogus", bogus))), ending("dns-bogus")},
		{"address-timeout", "lookup", "the lookup of the addresses timed out", moves(provider, says(key, addressFails("dns-timeout", indeterminate))), ending("dns-timeout")},
		{"tlsa-bogus", "lookup", "the TLSA answer is bogus", moves(provider, says(key, tlsaIs(bogus))), ending("dns-bogus")},
		{"tlsa-timeout", "lookup", "the lookup of TLSA timed out", moves(provider, says(key, tlsaFails("dns-timeout", indeterminate))), ending("dns-timeout")},
		{"tlsa-failure", "lookup", "the lookup of TLSA failed", moves(provider, says(key, tlsaFails("dns-failure", indeterminate))), ending("dns-failure")},
		{"tlsa-alias-loop", "lookup", "the aliases of the TLSA name loop", moves(provider, says(key, tlsaFails("alias-loop", indeterminate))), ending("alias-loop")},
		{"tlsa-unasked", "lookup", "the addresses are secure, and the TLSA answer is missing", moves(provider, says(key, tlsaUnasked)), ending("unanswered")},
		{"tlsa-failure-untrusted", "lookup", "the lookup of TLSA failed, and the peer's certificate is self-signed", moves(offers(self), says(key, tlsaFails("dns-failure", indeterminate))), ending("dns-failure")},
		{"tlsa-failure-records", "lookup", "the lookup of TLSA failed, and there are records besides", moves(offers(self), says(key, func(a *EndpointAnswer) { a.TLSA.Failure = &failure{"dns-failure", "it did not work"} })), ending("dns-failure")},
		{"tlsa-failure-source", "lookup scope", "the lookup of TLSA failed, and the certificate is the source's own", moves(owner, says(key, tlsaFails("dns-failure", indeterminate))), own},
		{"tlsa-failure-source-secure", "lookup scope", "the lookup of TLSA failed, and the certificate is the source's own, where secure SRV records name the endpoint", moves(secureSRV, owner, says(key, tlsaFails("dns-failure", indeterminate))), ending("dns-failure")},
		{"address-bogus-source-secure", "lookup scope", "the addresses are bogus, and the certificate is the source's own, where secure SRV records name the endpoint", moves(secureSRV, owner, says(key, addressIs(bogus))), ending("dns-bogus")},

		{"endpoint-port", "endpoint", "records of another port, none of which matches", moves(provider, asked(saysDNS(host, 443, wrong))), usual},
		{"endpoint-port-self", "endpoint", "a record of another port matches a self-signed certificate", moves(offers(self), asked(saysDNS(host, 443, key))), ending("peer-untrusted")},
		{"endpoint-host", "endpoint", "records of another host, none of which matches", moves(provider, asked(saysDNS(elsewhere, port, wrong))), usual},
		{"endpoint-two", "endpoint", "records of two ports, of which that of the endpoint matches", moves(offers(self), asked(saysDNS(host, 443, wrong)), records(key)), byTLSA("delegation", daneEnds, "3 1 1")},
		{"endpoint-unproven", "endpoint", "a record matches at an endpoint that was not proven", moves(offers(self), reaches(elsewhere, port), asked(saysDNS(elsewhere, port, key))), ending("peer-untrusted")},
		{"endpoint-unproven-port", "endpoint", "records at another port of the target, and a good certificate for it", moves(provider, reaches(host, 443), asked(saysDNS(host, 443, wrong))), ending("port-mismatch")},
	}
}
