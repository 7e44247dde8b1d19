package vectors

import (
	"crypto/x509"
	"fmt"
	"time"
)

// The peer's certificate lives longer than the statement.
var peerEnds = now.Add(60 * day)

// certificateOf is a certificate that the usual authority gives to a peer.
func (w *world) certificateOf(edits ...func(*x509.Certificate)) *signer {
	edits = append([]func(*x509.Certificate){lives(begins, peerEnds)}, edits...)
	return w.ca.issueFor(newKey("P-256", "peer"), edits...)
}

// shows has a peer with a certificate, at the target's endpoint.
func shows(edits ...func(*x509.Certificate)) move {
	return func(d *deal) {
		d.peer = &Peer{
			Chain: d.certificateOf(edits...).chain(), Roots: [][]byte{d.root.certificate.Raw}, Time: stamp(now),
			Endpoint: &Endpoint{host, port},
		}
		if d.question.Direction == "incoming" {
			d.peer.Endpoint = nil
		}
	}
}

// reaches has another endpoint dialled.
func reaches(host string, port uint16) move {
	return func(d *deal) { d.peer.Endpoint = &Endpoint{host, port} }
}

// untold: another program dialled, and does not say where.
func untold(d *deal) { d.peer.Endpoint = nil }

// meets has another time at the connection.
func meets(at time.Time) move { return func(d *deal) { d.peer.Time = stamp(at) } }

// accepted is what is expected of a peer that counts.
func accepted(name, method string, until time.Time) *Expect {
	e := ending("verified")
	e.Accepted = &Accepted{Name: name, Method: method, Until: until}
	return e
}

func (b *book) peerKey() []byte { return spki(b.certificateOf(named(host)).leaf) }

func peerCases() []dealing {
	provider, owner := named(host), named(source)
	byStatement := func(name string) *Expect { return accepted(name, "delegation", expires) }
	byName := func(name string) *Expect { return accepted(name, "pkix", peerEnds.Add(time.Second)) }
	bySRV := func(name string) *Expect { return accepted(name, "dnssec", now.Add(hour)) }
	no, untrusted := "peer-name-mismatch", "peer-untrusted"
	secureSRV := on(believes, hasSRV(srvAt(service, secure, to(host, port))))
	onlySecure := moves(silent, secureSRV)
	insecureSRV := func(host string, port uint16) move { return on(hasSRV(srvAt(service, insecure, to(host, port)))) }
	delegates := func(list ...target) move { return on(delegatesTo(list...)) }
	here, backup := targetAt(host, port), targetAt("backup.hosting.example", 5270)
	pins := func(list ...func(w *world) []byte) move {
		return func(d *deal) {
			t := here
			for _, pin := range list {
				t.pins = append(t.pins, pin(d.world))
			}
			d.statement.targets = []target{t}
		}
	}
	right := func(w *world) []byte { return spki(w.certificateOf(named(host)).leaf) }
	wrong := func(*world) []byte { return make([]byte, 32) }
	issuer := func(w *world) []byte { return spki(w.ca.certificate) }
	pinPorts := func(d *deal) {
		mine, other := here, targetAt(host, 443)
		mine.pins, other.pins = [][]byte{wrong(d.world)}, [][]byte{right(d.world)}
		d.statement.targets = []target{mine, other}
	}
	purposes := func(list ...x509.ExtKeyUsage) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.ExtKeyUsage = list }
	}
	clients := moves(about(client), signedFor(client, here))
	chain := func(edit func(der [][]byte) [][]byte) move {
		return func(d *deal) { d.peer.Chain = edit(d.peer.Chain) }
	}
	// besides adds so many certificates of authorities that nobody knows.
	besides := func(n int, kind, name string) move {
		return chain(func(der [][]byte) [][]byte {
			for i := range n {
				der = append(der, newRoot("P-256", fmt.Sprintf("Nobody %d", i)).under(kind, name).certificate.Raw)
			}
			return der
		})
	}
	const issuerName = "Test Intermediate" // of the peer's certificate
	const clientAuth, serverAuth = x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth
	refused := ending
	return []dealing{
		{"peer-delegated", "peer", "the provider that was delegated to", shows(provider), byStatement(host)},
		{"peer-delegated-in", "peer direction", "the provider that was delegated to, incoming", moves(shows(provider), incoming), byStatement(host)},
		{"peer-source", "peer", "the source itself", shows(owner), byName(source)},
		{"peer-source-in", "peer", "the source itself, incoming", moves(shows(owner), incoming), byName(source)},
		{"peer-source-silent", "peer", "the source itself, and no statement", moves(silent, shows(owner)), byName(source)},
		{"peer-source-revoked", "peer table", "the source itself, and a revocation: it removes the delegation only", moves(on(says(revokes)), shows(owner)), byName(source)},
		{"peer-source-anywhere", "peer endpoint", "the source itself, at any endpoint", moves(shows(owner), reaches(elsewhere, port)), byName(source)},
		{"peer-secure", "peer table", "the host of secure SRV records", moves(onlySecure, shows(provider)), bySRV(host)},
		{"peer-secure-in", "peer table", "the host of secure SRV records, incoming", moves(onlySecure, shows(provider), incoming), bySRV(host)},
		{"peer-secure-statement", "peer table", "the host of secure SRV records, and of a statement", moves(secureSRV, shows(provider)), bySRV(host)},
		{"peer-secure-first", "peer table", "the host of secure SRV records, and of a statement that comes first", moves(secureSRV, first, shows(provider)), bySRV(host)},
		{"peer-insecure", "peer table", "the host of insecure SRV records, and of a statement", moves(insecureSRV(host, port), shows(provider)), byStatement(host)},
		{"peer-insecure-in", "peer table", "the host of a statement, incoming, and insecure SRV records that name another", moves(insecureSRV(elsewhere, port), shows(provider), incoming), byStatement(host)},
		{"peer-bogus-in", "peer table", "the host of a statement, incoming, and bogus SRV records", moves(on(hasSRV(srvAt(service, bogus))), shows(provider), incoming), byStatement(host)},
		{"peer-both-names", "peer", "a certificate with the names of the provider and the source: the source comes first", shows(named(host, "other.example", source)), byName(source)},
		{"peer-second-target", "peer endpoint", "the second of two targets", moves(delegates(backup, here), shows(provider)), byStatement(host)},

		{"peer-insecure-only", "peer table", "the host of insecure SRV records, and no statement", moves(silent, insecureSRV(host, port), shows(provider)), refused(no)},
		{"peer-insecure-only-in", "peer table", "the host of insecure SRV records, and no statement, incoming", moves(silent, insecureSRV(host, port), shows(provider), incoming), refused(no)},
		{"peer-nothing", "peer", "the provider, and nothing was proven", moves(silent, shows(provider)), refused(no)},
		{"peer-nothing-in", "peer", "the provider, and nothing was proven, incoming", moves(silent, shows(provider), incoming), refused(no)},
		{"peer-revoked", "peer", "the former provider, after a revocation", moves(on(says(revokes)), shows(provider)), refused(no)},
		{"peer-revoked-in", "peer", "the former provider, after a revocation, incoming", moves(on(says(revokes)), shows(provider), incoming), refused(no)},
		{"peer-not-used", "peer table", "the host of a statement, incoming, which secure SRV records leave out", moves(on(believes, hasSRV(srvAt(service, secure, to(elsewhere, port)))), shows(provider), incoming), refused(no)},
		{"peer-replayed", "peer replayed", "the host of SRV records that were secure, in evidence that is not believed", moves(silent, on(hasSRV(srvAt(service, secure, to(host, port)))), shows(provider)), refused(no)},
		{"peer-replayed-in", "peer replayed", "the host of SRV records that were secure, in evidence that is not believed, incoming", moves(silent, on(hasSRV(srvAt(service, secure, to(host, port)))), shows(provider), incoming), refused(no)},

		{"peer-other", "peer", "another host", shows(named("other.example")), refused(no)},
		{"peer-parent", "peer", "the parent of the source", shows(named("example")), refused(no)},
		{"peer-below-source", "peer", "a name below the source", shows(named("im." + source)), refused(no)},
		{"peer-below-target", "peer", "a name below the target", shows(named("a." + host)), refused(no)},
		{"peer-no-names", "peer", "a certificate without names", shows(named()), refused(no)},
		{"peer-common-name", "peer", "the target as common name", shows(named(), commonName(host)), refused(no)},
		{"peer-common-name-source", "peer", "the source as common name, incoming", moves(shows(named(), commonName(source)), incoming), refused(no)},
		{"peer-upper-case", "peer", "the name of the target in other case", shows(named("XMPP.Hosting.example")), byStatement(host)},
		{"peer-wildcard", "peer wildcard", "a wildcard that covers the target, on a connection of its own", shows(named("*.hosting.example")), byStatement(host)},
		{"peer-wildcard-source", "peer wildcard", "a wildcard that covers the source", shows(named("*.example")), byName(source)},
		{"peer-wildcard-high", "peer wildcard", "a wildcard two labels above the target", shows(named("*.hosting.test", "*.com")), refused(no)},
		{"peer-wildcard-part", "peer wildcard", "a wildcard within a label", shows(named("x*.hosting.example")), refused(no)},
		{"peer-other-target", "peer endpoint", "the certificate of another target", moves(delegates(here, backup), shows(named(backup.host))), refused(no)},
		{"peer-other-target-in", "peer endpoint", "the certificate of another target, incoming", moves(delegates(here, backup), shows(named(backup.host)), incoming), byStatement(backup.host)},

		{"peer-elsewhere", "endpoint", "the provider, at an endpoint that was not proven", moves(shows(provider), reaches(elsewhere, port)), refused("target-mismatch")},
		{"peer-elsewhere-own", "endpoint", "an endpoint that was not proven, with its own certificate", moves(shows(named(elsewhere)), reaches(elsewhere, port)), refused("target-mismatch")},
		{"peer-other-port", "endpoint", "the provider, on another port", moves(shows(provider), reaches(host, 443)), refused("port-mismatch")},
		{"peer-other-port-two", "endpoint", "the provider, on another port, one of two targets", moves(delegates(here, backup), shows(provider), reaches(host, 443)), refused("port-mismatch")},
		{"peer-other-port-secure", "endpoint", "the host of secure SRV records, on another port", moves(onlySecure, shows(provider), reaches(host, 443)), refused("port-mismatch")},
		{"peer-elsewhere-nothing", "endpoint", "an endpoint, and nothing was proven", moves(silent, shows(provider), reaches(elsewhere, port)), refused(no)},
		{"peer-other-port-untrusted", "endpoint order", "another port, and a certificate for clients: the chain comes first", moves(shows(provider, purposes(clientAuth)), reaches(host, 443)), refused(untrusted)},
		{"peer-srv-left-out", "endpoint srv", "a target that the insecure SRV records leave out", moves(delegates(here, backup), insecureSRV(backup.host, 5270), shows(provider)), refused("target-mismatch")},

		{"peer-untold", "endpoint", "the provider, at an endpoint that the verifier is not told", moves(shows(provider), untold), byStatement(host)},
		{"peer-untold-second", "endpoint", "the second of two targets, at an endpoint that the verifier is not told", moves(delegates(here, backup), shows(named(backup.host)), untold), byStatement(backup.host)},
		{"peer-untold-secure", "endpoint table", "the host of secure SRV records, at an endpoint that the verifier is not told", moves(onlySecure, shows(provider), untold), bySRV(host)},
		{"peer-untold-other", "endpoint peer", "another host, at an endpoint that the verifier is not told", moves(shows(named("other.example")), untold), refused(no)},
		{"peer-untold-left-out", "endpoint srv", "a target that the insecure SRV records leave out, at an endpoint that the verifier is not told", moves(delegates(here, backup), insecureSRV(backup.host, 5270), shows(provider), untold), refused(no)},
		{"peer-untold-ports", "endpoint pins", "a wrong pin on a port, the right one on another, at an endpoint that the verifier is not told", moves(pinPorts, shows(provider), untold), byStatement(host)},

		{"peer-pin", "pins", "the right pin", moves(pins(right), shows(provider)), byStatement(host)},
		{"peer-pin-in", "pins", "the right pin, incoming", moves(pins(right), shows(provider), incoming), byStatement(host)},
		{"peer-pin-second", "pins", "the right pin after a wrong one", moves(pins(wrong, right), shows(provider)), byStatement(host)},
		{"peer-pin-wrong", "pins", "a wrong pin", moves(pins(wrong), shows(provider)), refused("peer-key-mismatch")},
		{"peer-pin-wrong-in", "pins", "a wrong pin, incoming", moves(pins(wrong), shows(provider), incoming), refused("peer-key-mismatch")},
		{"peer-pin-issuer", "pins", "the pin of the issuer's key", moves(pins(issuer), shows(provider)), refused("peer-key-mismatch")},
		{"peer-pin-source", "pins", "a wrong pin, and the source itself", moves(pins(wrong), shows(owner)), byName(source)},
		{"peer-pin-ports", "pins", "a wrong pin on this port, the right one on another", moves(pinPorts, shows(provider)), refused("peer-key-mismatch")},
		{"peer-pin-ports-in", "pins", "a wrong pin on a port, the right one on another, incoming", moves(pinPorts, shows(provider), incoming), byStatement(host)},
		{"peer-pin-secure", "pins table", "a wrong pin, and secure SRV records, which come before the statement", moves(pins(wrong), secureSRV, shows(provider)), bySRV(host)},
		{"peer-pin-unlisted", "pins endpoint", "a wrong pin, and a port that is not listed: no pin belongs to it", moves(pins(wrong), shows(provider), reaches(host, 5270)), refused("port-mismatch")},
		{"peer-pin-left-out", "pins srv", "a wrong pin at a target that the insecure SRV records leave out, none at the other one of the same host", moves(pinPorts,
			on(hasSRV(srvAt(service, insecure, to(host, 443)))), shows(provider), reaches(host, 443)), byStatement(host)},

		{"peer-no-purpose", "peer", "a certificate without extKeyUsage", shows(provider, purposes()), byStatement(host)},
		{"peer-server-in", "peer direction", "a certificate for servers, incoming", moves(shows(provider, purposes(serverAuth)), incoming), byStatement(host)},
		{"peer-client", "peer", "a certificate for clients only", shows(provider, purposes(clientAuth)), refused(untrusted)},
		{"peer-client-in", "peer direction", "a certificate for clients only, incoming", moves(shows(provider, purposes(clientAuth)), incoming), refused(untrusted)},
		{"peer-client-source", "peer direction", "a certificate of the source for clients only, incoming", moves(shows(owner, purposes(clientAuth)), incoming), refused(untrusted)},

		{"peer-last-second", "times", "a second before the proof ends", moves(shows(provider), meets(expires.Add(-time.Second))), byStatement(host)},
		{"peer-ended", "times", "the proof has ended", moves(shows(provider), meets(expires)), refused("proof-expired")},
		{"peer-ended-in", "times", "the proof has ended, incoming", moves(shows(provider), incoming, meets(expires)), refused("proof-expired")},
		{"peer-ended-source", "times", "the proof has ended, and the source itself", moves(shows(owner), meets(expires)), byName(source)},
		{"peer-ended-pin", "times order", "the proof has ended, and the pin is wrong: the time comes first", moves(pins(wrong), shows(provider), meets(expires)), refused("proof-expired")},
		{"peer-ended-name", "times order", "the proof has ended, and the name is another: the name comes first", moves(shows(named("other.example")), meets(expires)), refused(no)},
		{"peer-ttl", "times", "a second before the TTL of secure SRV records has passed", moves(onlySecure, shows(provider), meets(now.Add(hour-time.Second))), bySRV(host)},
		{"peer-ttl-passed", "times", "the TTL of secure SRV records has passed", moves(onlySecure, shows(provider), meets(now.Add(hour))), refused("proof-expired")},
		{"peer-chain-first", "times", "the peer's certificate ends before the statement", shows(provider, lives(begins, now.Add(day))), accepted(host, "delegation", now.Add(day+time.Second))},
		{"peer-chain-last", "times", "the last second of the peer's certificate", moves(shows(owner), meets(peerEnds)), byName(source)},
		{"peer-chain-ended", "times", "the peer's certificate has ended", moves(shows(owner), meets(peerEnds.Add(time.Second))), refused(untrusted)},
		{"peer-chain-future", "times", "the peer's certificate has not begun", moves(shows(owner), meets(begins.Add(-day))), refused(untrusted)},

		{"peer-certificates-10", "peer", "10 certificates, most of them superfluous", moves(shows(provider), besides(8, "P-256", "Superfluous")), byStatement(host)},
		{"peer-certificates-11", "peer", "11 certificates, most of them superfluous", moves(shows(provider), besides(9, "P-256", "Superfluous")), refused(untrusted)},
		{"peer-superfluous-small", "peer", "a superfluous certificate with RSA of 1024 bits", moves(shows(provider), besides(1, "rsa-1024", "Superfluous")), refused("unsupported-key")},
		{"peer-checks-11", "peer", "5 certificates on P-521 besides that could have signed the peer's, by their names: 11 signature checks", moves(shows(provider), besides(5, "P-521", issuerName)), byStatement(host)},
		{"peer-checks-13", "peer", "6 certificates on P-521 besides that could have signed the peer's, by their names: 13 signature checks", moves(shows(provider), besides(6, "P-521", issuerName)), refused(untrusted)},

		{"peer-no-certificate", "peer", "the peer shows no certificate", moves(shows(provider), chain(func([][]byte) [][]byte { return nil })), refused(untrusted)},
		{"peer-no-intermediate", "peer", "the peer does not show the intermediate certificate", moves(shows(provider), chain(func(der [][]byte) [][]byte { return der[:1] })), refused(untrusted)},
		{"peer-other-anchor", "peer", "the peer's trust anchor is another one", moves(shows(provider), func(d *deal) { d.peer.Roots = [][]byte{impostorRoot().certificate.Raw} }), refused(untrusted)},
		{"peer-no-anchors", "inputs", "an empty set of trust anchors for peers", moves(shows(provider), func(d *deal) { d.peer.Roots = [][]byte{} }), refused(untrusted)},

		{"peer-clients", "direction", "a provider of clients, outgoing", moves(clients, shows(provider)), byStatement(host)},
		{"peer-clients-in", "direction", "a provider of clients, incoming", moves(clients, shows(provider), incoming), refused(no)},
		{"peer-clients-source-in", "direction", "the source itself, for clients, incoming", moves(clients, shows(owner), incoming), byName(source)},
	}
}

// peerKeyCases are about single certificates that a peer shows.
func peerKeyCases() []dealing {
	provider := named(host)
	const untrusted = "peer-untrusted"
	no, refused := "peer-name-mismatch", ending
	byStatement := accepted(host, "delegation", expires)
	chain := func(edit func(der [][]byte) [][]byte) move {
		return func(d *deal) { d.peer.Chain = edit(d.peer.Chain) }
	}
	unreadable := []byte("no certificate")
	// crossed has an intermediate twice, under two anchors, with edits.
	crossed := func(first, second func(*x509.Certificate)) move {
		return func(d *deal) {
			a, b := newRoot("P-256", "First Root"), newRoot("P-256", "Second Root")
			mine, other := a.under("P-256", "Crossed", first), b.under("P-256", "Crossed", second)
			leaf := mine.issueFor(newKey("P-256", "peer"), lives(begins, peerEnds), provider)
			d.peer = &Peer{
				Chain: [][]byte{leaf.leaf.Raw, mine.certificate.Raw, other.certificate.Raw},
				Roots: [][]byte{a.certificate.Raw, b.certificate.Raw}, Time: stamp(now), Endpoint: &Endpoint{host, port},
			}
		}
	}
	ends := func(at time.Time) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.NotAfter = at }
	}
	// selfIssued has an authority that certifies a new key of its own.
	selfIssued := func(length int) move {
		return func(d *deal) {
			above := d.root.under("P-256", "Self-issued", func(c *x509.Certificate) { c.MaxPathLen, c.MaxPathLenZero = length, length == 0 })
			again := &authority{key: newKey("P-384", "Self-issued"), above: above}
			again.certificate = sign(authorityTemplate("Self-issued", nil), above.certificate, again.key, above.key)
			d.peer.Chain = again.issueFor(newKey("P-256", "peer"), lives(begins, peerEnds), provider).chain()
		}
	}
	unlisted := func(usage func(*x509.Certificate)) move {
		return func(d *deal) { shows(provider, usage)(d) }
	}
	same := func(*x509.Certificate) {}
	soon := now.Add(2 * day)
	return []dealing{
		{"peer-unreadable", "path", "the peer's certificate cannot be read", moves(shows(provider), chain(func([][]byte) [][]byte { return [][]byte{unreadable} })), refused(untrusted)},
		{"peer-unreadable-in", "path direction", "the peer's certificate cannot be read, incoming", moves(shows(provider), incoming, chain(func(der [][]byte) [][]byte { return [][]byte{unreadable, der[1]} })), refused(untrusted)},
		{"peer-unreadable-second", "path", "the peer's second certificate cannot be read", moves(shows(provider), chain(func(der [][]byte) [][]byte { return [][]byte{der[0], unreadable, der[1]} })), refused(untrusted)},
		{"peer-usage-empty", "path", "the peer's certificate has an empty keyUsage", unlisted(noUsage), refused(untrusted)},
		{"peer-usage-empty-in", "path direction", "the peer's certificate has an empty keyUsage, incoming", moves(unlisted(noUsage), incoming), refused(untrusted)},
		{"peer-purpose-empty", "path", "the peer's certificate has an empty extKeyUsage", unlisted(noPurpose), refused(untrusted)},
		{"peer-purpose-empty-in", "path direction", "the peer's certificate has an empty extKeyUsage, incoming", moves(unlisted(noPurpose), incoming), refused(untrusted)},
		{"peer-usage-none", "path", "the peer's certificate has no keyUsage", unlisted(func(c *x509.Certificate) { c.KeyUsage = 0 }), byStatement},
		{"peer-crossed", "path", "two intermediate certificates for one authority", crossed(same, same), byStatement},
		{"peer-crossed-empty-first", "path", "two intermediate certificates for one authority, the first with an empty keyUsage", crossed(noUsage, same), byStatement},
		{"peer-crossed-empty-second", "path", "two intermediate certificates for one authority, the second with an empty extKeyUsage", crossed(same, noPurpose), byStatement},
		{"peer-crossed-empty-both", "path", "two intermediate certificates for one authority, both with an empty extension", crossed(noUsage, noPurpose), refused(untrusted)},
		{"peer-crossed-ends-first", "path times", "two intermediate certificates for one authority, the first ends earlier: the later end", crossed(ends(now.Add(day)), ends(soon)), accepted(host, "delegation", soon.Add(time.Second))},
		{"peer-crossed-ends-second", "path times", "two intermediate certificates for one authority, the second ends earlier: the later end", crossed(ends(soon), ends(now.Add(day))), accepted(host, "delegation", soon.Add(time.Second))},
		{"peer-self-issued-0", "path", "an authority of path length 0 has certified a new key of its own: it is one more authority", moves(shows(provider), selfIssued(0)), refused(untrusted)},
		{"peer-self-issued-1", "path", "an authority of path length 1 has certified a new key of its own", moves(shows(provider), selfIssued(1)), byStatement},
		{"peer-begins", "times path", "in the second of notBefore of the peer's certificate", shows(provider, lives(now, peerEnds)), byStatement},
		{"peer-begins-later", "times path", "a second before notBefore of the peer's certificate: a peer has no tolerance", shows(provider, lives(now.Add(time.Second), peerEnds)), refused(untrusted)},
		{"peer-wildcard-two-labels", "peer wildcard", "a wildcard for hosts below the source's parent's parent", moves(func(d *deal) {
			const deep = "a." + source
			d.question.Source, d.query.Source, d.statement.source = deep, deep, deep
			leaf(named(deep))(d.trial)
			d.trial.place = inFile
		}, shows(named("*.example"))), refused(no)},
	}
}

// peerFloorCases are about what is known at the moment of the connection.
func peerFloorCases() []dealing {
	provider, owner := named(host), named(source)
	same := goodStatement().targets
	other := []target{{host: elsewhere, port: port}}
	knows := func(f Floor) move { return func(d *deal) { d.peer.Floor = &f } }
	at := func(issuance, iat time.Duration, targets []target) move {
		return knows(floorAt(issuance, iat, targets))
	}
	contradicting := floorAt(0, 0, same)
	contradicting.Targets = contradiction
	byStatement := accepted(host, "delegation", expires)
	byName := accepted(source, "pkix", peerEnds.Add(time.Second))
	const superseded, conflict = "superseded", "conflict"
	secureSRV := on(believes, hasSRV(srvAt(service, secure, to(host, port))))
	long := ended(floorAt(0, time.Second, other))
	return []dealing{
		{"floor-below", "floor", "what is known at the connection is older", moves(shows(provider), at(0, -time.Second, other)), byStatement},
		{"floor-equal", "floor", "what is known at the connection is this very statement", moves(shows(provider), at(0, 0, same)), byStatement},
		{"floor-above", "floor", "a newer statement is known at the connection", moves(shows(provider), at(0, time.Second, other)), ending(superseded)},
		{"floor-above-in", "floor direction", "a newer statement is known at the connection, incoming", moves(shows(provider), incoming, at(0, time.Second, other)), ending(superseded)},
		{"floor-above-same", "floor", "a newer statement with the same targets is known at the connection, which only renews this one", moves(shows(provider), at(0, time.Second, same)), byStatement},
		{"floor-above-same-other-name", "floor", "a newer statement with the same targets is known at the connection, and the peer is another host", moves(shows(named("other.example")), at(0, time.Second, same)), ending("peer-name-mismatch")},
		{"floor-above-certificate", "floor", "a statement by a newer certificate is known at the connection, issued earlier", moves(shows(provider), at(time.Millisecond, -day, other)), ending(superseded)},
		{"floor-above-certificate-same", "floor", "a statement by a newer certificate, with the same targets, is known at the connection", moves(shows(provider), at(time.Millisecond, -day, same)), byStatement},
		{"floor-above-untold", "floor endpoint", "a newer statement is known at the connection, at an endpoint that the verifier is not told", moves(shows(provider), untold, at(0, time.Second, other)), ending(superseded)},
		{"floor-above-ended", "floor", "a newer statement is known at the connection, and its proof has ended", moves(shows(provider), knows(long)), ending(superseded)},
		{"floor-revoked", "floor", "a newer revocation is known at the connection", moves(shows(provider), at(0, time.Second, nil)), ending(superseded)},
		{"floor-other-targets", "floor", "a statement of the same order with other targets is known at the connection", moves(shows(provider), at(0, 0, other)), ending(conflict)},
		{"floor-contradiction", "floor", "a contradiction of this order is known at the connection", moves(shows(provider), knows(contradicting)), ending(conflict)},
		{"floor-source", "floor", "a newer statement is known at the connection, and the peer is the source itself", moves(shows(owner), at(0, time.Second, other)), byName},
		{"floor-source-in", "floor direction", "a newer statement is known at the connection, and the peer is the source itself, incoming", moves(shows(owner), incoming, at(0, time.Second, other)), byName},
		{"floor-both-names", "floor", "a newer statement is known at the connection, and the certificate has the names of the provider and the source", moves(shows(named(host, source)), at(0, time.Second, other)), byName},
		{"floor-secure", "floor table", "a newer statement is known at the connection, and secure SRV records name the peer", moves(secureSRV, shows(provider), at(0, time.Second, other)), accepted(host, "dnssec", now.Add(hour))},
		{"floor-other-host", "floor order", "a newer statement is known at the connection, and the peer is another host", moves(shows(named("other.example")), at(0, time.Second, other)), ending(superseded)},
		{"floor-other-port", "floor endpoint order", "a newer statement is known at the connection, and the peer was reached at a port that is not delegated to", moves(shows(provider), reaches(host, 8443), at(0, time.Second, other)), ending(superseded)},
		{"floor-untrusted", "floor order", "a newer statement is known at the connection, and the peer shows no intermediate certificate", moves(shows(provider), at(0, time.Second, other), func(d *deal) { d.peer.Chain = d.peer.Chain[:1] }), ending("peer-untrusted")},
		{"floor-no-statement", "floor", "a statement is known at the connection, and none was found", moves(silent, shows(provider), at(0, time.Second, other)), ending("peer-name-mismatch")},
	}
}

// tenantCases are about two domains at one provider, of which a.example tries to
// pass for b.example.
func tenantCases() []dealing {
	const tenant = "a.example"
	ofTenant := all(says(func(s *statement) { s.source = tenant }), leaf(named(tenant)))
	relabelled := func(from, to string) step {
		return part(1, func(p string) string { return base64url([]byte(replaced(from, to)(string(fromBase64url(p))))) })
	}
	no := ending("peer-name-mismatch")
	methods := func(delegation string, e *Expect) *Expect {
		with := *e
		with.Methods = map[string]string{"pkix": "verified", "dnssec": "not-secure", "delegation": delegation}
		return &with
	}
	provider := shows(named(host))
	both := func(id, comment string, change move, delegation string) []dealing {
		return []dealing{
			{"tenant-" + id, "tenant", comment, change, methods(delegation, no)},
			{"tenant-" + id + "-in", "tenant", comment + ", incoming", moves(change, incoming), methods(delegation, no)},
		}
	}
	var list []dealing
	list = append(list, both("certificate", "the other tenant's own certificate", shows(named(tenant)), "verified")...)
	list = append(list, both("below", "the other tenant's certificate for a name below the source", shows(named("a."+source)), "verified")...)
	list = append(list, both("host", "another host of the provider", shows(named("tenant-a.hosting.example")), "verified")...)
	list = append(list, both("statement", "the other tenant's statement among the source's records", moves(on(ofTenant), provider), "source-mismatch")...)
	list = append(list, both("relabelled", "the other tenant's statement, relabelled", moves(on(ofTenant, relabelled(tenant, source)), provider), "signer-name-mismatch")...)
	list = append(list, both("target", "the source's statement for another host, relabelled", moves(on(delegatesTo(targetAt(elsewhere, port)), relabelled(elsewhere, "xmpp.hostingaaa.example")),
		shows(named("xmpp.hostingaaa.example"))), "bad-signature")...)
	list = append(list, both("clients", "the source's statement for its clients", moves(on(says(func(s *statement) { s.service = client }), has(func(e *evidence) { e.TXT[0].Name = txtName(service) })), provider), "service-mismatch")...)
	return append(list,
		dealing{"tenant-port", "tenant endpoint", "another port of the provider's host, where the other tenant runs something", moves(provider, reaches(host, 8443)), ending("port-mismatch")},
		dealing{"tenant-other-host", "tenant endpoint", "another host of the provider, where the other tenant runs something", moves(shows(named("tenant-a.hosting.example")), reaches("tenant-a.hosting.example", port)), ending("target-mismatch")},
		dealing{"tenant-old", "tenant", "the source has revoked, and its old statement is shown too", moves(on(says(revokes), beside(later(-day))), provider, incoming), methods("revoked", no)},
	)
}

// reuses are about a connection of a.example's that b.example is to use.
func (b *book) reuses() {
	const opener = "a.example"
	other := func(host string, port int64) step { return delegatesTo(targetAt(host, port)) }
	// The decision that opened the connection.
	opened := b.trial(place(nowhere), leaf(named(opener)), says(func(s *statement) { s.source = opener }), other(host, port))
	found := opened.found()
	found.Source = opener
	found.TXT = []txtAnswer{{Name: service + "._dna." + opener, DNSSEC: insecure, TTL: ttl, Records: []string{opened.record()}}}
	secureSRV := all(believes, hasSRV(srvAt(service, secure, to(host, port))))
	clients := moves(about(client), signedFor(client, targetAt(host, port)))
	bySecond := moves(about(second), signedFor(service, targetAt(host, port)))
	forSecond := on(says(func(s *statement) { s.service = second }), other(host, port))
	// a.example asks again.
	again := func(d *deal) {
		d.question.Source, d.query.Source = opener, opener
		d.trial.place = nowhere
		d.evidence = append(d.evidence, func(e *evidence) { e.TXT = found.TXT })
	}
	againElsewhere := func(d *deal) {
		again(d)
		leaf(named(opener))(d.trial)
		d.statement.source = opener
		other(host, 5270)(d.trial)
		d.evidence = append(d.evidence, func(e *evidence) {
			e.TXT = []txtAnswer{{Name: service + "._dna." + opener, DNSSEC: insecure, TTL: ttl, Records: []string{d.record()}}}
		})
	}
	pin := func(octets []byte) step {
		return says(func(s *statement) { s.targets[0].pins = [][]byte{octets} })
	}
	usual := on(other(host, port))
	asked := func(at time.Time) move { return func(d *deal) { d.peer = &Peer{Time: stamp(at)} } }
	renewing := func(iat time.Duration) move {
		return func(d *deal) { d.peer = &Peer{Time: stamp(now), Floor: new(floorAt(0, iat, d.statement.targets))} }
	}
	knowing := func(iat time.Duration) move {
		return func(d *deal) { d.peer = &Peer{Time: stamp(now), Floor: new(floorAt(0, iat, nil))} }
	}
	wild := []string{"*.hosting.example"}
	both := []string{host, source}
	const yes, no, out, in = "verified", "peer-name-mismatch", "outgoing", "incoming"
	for _, c := range []struct {
		id, reason, comment string
		direction           string // of the connection
		names               []string
		change              move
	}{
		{"delegated", yes, "delegated to the same endpoint", out, nil, usual},
		{"delegated-in", yes, "delegated to the same host", in, nil, moves(usual, incoming)},
		{"delegated-two", yes, "delegated to another target too", out, nil, on(delegatesTo(targetAt(elsewhere, port), targetAt(host, port)))},
		{"secure", yes, "secure SRV records with the same endpoint", out, nil, moves(silent, on(secureSRV))},
		{"secure-in", yes, "secure SRV records with the same host", in, nil, moves(silent, on(secureSRV), incoming)},
		{"second-label", yes, "asked about by the second label of the role", out, nil, bySecond},
		{"second-label-signed", "service-mismatch", "a statement for the second label", out, nil, forSecond},
		{"upper-case", yes, "the name of the certificate in other case", out, []string{"XMPP.hosting.example"}, usual},
		{"pin", yes, "delegated with the right pin", out, nil, on(other(host, port), pin(b.peerKey()))},
		{"port-in", yes, "delegated to another port of the host, incoming", in, nil, moves(on(other(host, 5270)), incoming)},
		{"last-second", yes, "a second before the proof ends", out, nil, moves(usual, asked(expires.Add(-time.Second)))},
		{"late", "proof-expired", "the proof has ended", out, nil, moves(usual, asked(expires))},
		{"late-in", "proof-expired", "the proof has ended, incoming", in, nil, moves(usual, incoming, asked(expires))},
		{"late-opener", "proof-expired", "the source that it was opened for, and the proof has ended", out, nil, moves(again, asked(expires))},
		{"late-secure", "proof-expired", "the TTL of the secure SRV records has passed", out, nil, moves(silent, on(secureSRV), asked(now.Add(hour)))},
		{"certificate-ended", "peer-untrusted", "the peer's certificate has ended", out, nil, moves(usual, asked(peerEnds.Add(time.Second)))},
		{"floor-equal", yes, "what is known when it is asked is this very statement", out, nil, moves(usual, renewing(0))},
		{"floor-renewed", yes, "a newer statement with the same targets is known when it is asked", out, nil, moves(usual, renewing(time.Second))},
		{"floor-above", "superseded", "a newer statement is known when it is asked", out, nil, moves(usual, knowing(time.Second))},
		{"floor-above-in", "superseded", "a newer statement is known when it is asked, incoming", in, nil, moves(usual, incoming, knowing(time.Second))},
		{"floor-above-opener", "superseded", "the source that it was opened for, and a newer statement is known when it is asked", out, nil, moves(again, knowing(time.Second))},
		{"floor-above-remembered", "superseded", "a newer statement is remembered when the decision is made", out, nil, moves(usual, on(remembered(floorAt(0, time.Second, nil))))},
		{"direction-unknown", "missing-input", "a decision in no direction", out, nil, moves(usual, func(d *deal) { d.question.Direction = "sideways" })},
		{"opener", yes, "the source that it was opened for", out, nil, again},
		{"opener-wildcard", yes, "the source that it was opened for, by a wildcard", out, wild, again},
		{"opener-port", "port-mismatch", "the source that it was opened for, delegated to another port since", out, nil, againElsewhere},

		{"wildcard", no, "by a wildcard", out, wild, usual},
		{"wildcard-in", no, "by a wildcard, incoming", in, wild, moves(usual, incoming)},
		{"wildcard-secure", no, "by a wildcard, secure SRV records", out, wild, moves(silent, on(secureSRV))},
		{"wildcard-source", no, "by a wildcard, and the certificate names the source itself", in, append([]string{source}, wild...), moves(usual, incoming)},
		{"pkix", "no-statement", "the certificate names the source itself, and nothing was delegated", out, both, silent},
		{"pkix-in", "no-statement", "the certificate names the source itself, and nothing was delegated, incoming", in, both, moves(silent, incoming)},
		{"pkix-elsewhere-in", no, "the certificate names the source itself, which delegated to another host, incoming", in, both, moves(on(other(elsewhere, port)), incoming)},
		{"port", "port-mismatch", "delegated to another port of the host", out, nil, on(other(host, 5270))},
		{"host", "target-mismatch", "delegated to another host", out, nil, on(other(elsewhere, port))},
		{"host-in", no, "delegated to another host, incoming", in, nil, moves(on(other(elsewhere, port)), incoming)},
		{"direction", "service-mismatch", "an incoming decision, on an outgoing connection", out, nil, moves(usual, incoming)},
		{"direction-in", "service-mismatch", "an outgoing decision, on an incoming connection", in, nil, usual},
		{"service", "service-mismatch", "a decision about clients", out, nil, clients},
		{"service-in", "service-mismatch", "a decision about clients, incoming", in, nil, moves(clients, incoming)},
		{"pin-wrong", "peer-key-mismatch", "delegated with a wrong pin", out, nil, on(other(host, port), pin(make([]byte, 32)))},
		{"nothing", "no-statement", "nothing was delegated", in, nil, moves(silent, incoming)},
		{"revoked", "revoked", "revoked", in, nil, moves(on(says(revokes)), incoming)},
		{"revoked-out", "revoked", "revoked, outgoing", out, nil, on(says(revokes))},
		{"expired", "expired", "the statement has expired", in, nil, moves(on(says(func(s *statement) { s.expires = now })), incoming)},
		{"insecure", "no-statement", "insecure SRV records with the same endpoint, and no statement", out, nil, moves(silent, on(hasSRV(srvAt(service, insecure, to(host, port)))))},
		{"timeout", "dns-timeout", "the look-up of the statement timed out", in, nil, moves(incoming, on(has(func(e *evidence) {
			e.TXT[0] = txtAnswer{Name: txtName(service), DNSSEC: indeterminate, Failure: &failure{"dns-timeout", "silence"}}
		})))},
	} {
		d := b.deal(c.change)
		// The source asked about is b.example, unless the opener asks again.
		kase := d.build()
		kase.Operation = "reuse"
		kase.Peer = &Peer{Roots: [][]byte{b.root.certificate.Raw}, Time: stamp(now)}
		if d.peer != nil {
			kase.Peer.Time, kase.Peer.Floor = d.peer.Time, d.peer.Floor
		}
		names := c.names
		if names == nil {
			names = []string{host}
		}
		kase.Connection = &Connection{
			Service: service, Direction: c.direction, Endpoint: &Endpoint{host, port}, Chain: b.certificateOf(named(names...)).chain(),
			OpenedFor: OpenedFor{Source: opener, Evidence: must(marshalRaw(found))},
		}
		if c.direction == in {
			kase.Connection.Endpoint = nil
		}
		flags := "reuse"
		if len(c.names) > 0 && (c.names[0] == wild[0] || len(c.names) > 1 && c.names[1] == wild[0]) {
			flags = "reuse wildcard"
		}
		b.add("association-reuse-"+c.id, flags, "a connection of another source of the same provider: "+c.comment, kase, ending(c.reason))
	}
}
