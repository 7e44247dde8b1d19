package vectors

import (
	"slices"
	"time"
)

// signerDecisions are decisions on connections that rest on named keys.
func signerDecisions() []dealing {
	ofZone := func(steps ...step) move {
		return on(append([]step{signedZone, hasSRV(srvAt(service, secure))}, steps...)...)
	}
	methods := func(e *Expect, dnssec, delegation string, names ...string) *Expect {
		e.Methods = map[string]string{"pkix": "verified", "dnssec": dnssec, "delegation": delegation}
		e.References = slices.Sorted(slices.Values(append(names, source)))
		return e
	}
	needs := func(e *Expect, yes bool, refresh time.Duration) *Expect {
		at := now.Add(refresh)
		e.Required, e.RefreshAt = &yes, &at
		return e
	}
	toHost, toSource := Dial{Endpoint{host, port}, host, "starttls"}, Dial{Endpoint{source, 5269}, source, "starttls"}
	brief := onSigners(func(a *tlsaAnswer) { a.TTL = 60 })
	secureRow := hasSRV(srvAt(service, secure, to(host, port)))
	const notSecure = "not-secure"
	accepted := func(method string, until time.Time) *Expect {
		e := ending("verified")
		e.Accepted = &Accepted{Name: host, Method: method, Until: until}
		return e
	}
	late := func(d *deal) { d.peer.Time = stamp(now.Add(5 * time.Minute)) }
	return []dealing{
		{"decide-own", "decision", "a named key, and securely no SRV records", ofZone(ofOwn()), needs(methods(dialled(toHost), notSecure, "verified", host), true, hour)},
		{"decide-own-brief", "decision ends", "a named key, whose records have a TTL of a minute: decide again after 5 minutes", ofZone(ofOwn(), brief), needs(methods(dialled(toHost), notSecure, "verified", host), true, 5*time.Minute)},
		{"decide-own-in", "decision", "a named key, incoming", moves(incoming, ofZone(ofOwn())), needs(methods(ending("verified"), notSecure, "verified", host), true, hour)},
		{"decide-not-named", "decision exclusive", "another key is named: the source itself", ofZone(zoneNames(otherKey)), needs(methods(dialled(toSource), notSecure, notNamed), false, 5*time.Minute)},
		{"decide-failed", "decision failed", "the look-up of signers failed: the source itself", ofZone(zoneNames(), onSigners(fails("dns-timeout"))), needs(methods(dialled(toSource), notSecure, "dns-timeout"), false, 5*time.Minute)},
		{"decide-passed", "decision ends", "the TTL of the records has passed: the source itself", ofZone(ofOwn(), has(func(e *evidence) { e.Collected = now.Add(-hour) })), needs(methods(dialled(toSource), notSecure, "proof-expired"), false, 5*time.Minute)},
		{"decide-secure-row", "decision", "a named key, and secure SRV records, which come first", ofZone(ofOwn(), secureRow), needs(methods(dialled(Dial{Endpoint{host, port}, source, "starttls"}), "verified", "not-used", host), true, hour)},
		{"decide-replayed", "decision replayed", "a named key, in a file that is not believed: the source itself", ofZone(ofOwn(), func(t *trial) { t.policy.BelieveReplayedDNSSEC = false }), needs(methods(dialled(toSource), notSecure, untrusted), false, 5*time.Minute)},
		{"decide-srv-alone-in", "decision asked", "a named key, incoming: only the SRV answer is secure, with which the statement is not compared", moves(incoming, ofZone(ofOwn(), insecureTXT)), needs(methods(ending("verified"), notSecure, "verified", host), true, hour)},
		{"decide-srv-alone-not-named-in", "decision asked exclusive", "the same, and another key is named", moves(incoming, ofZone(zoneNames(otherKey), insecureTXT)), needs(methods(ending("verified"), notSecure, notNamed), false, 5*time.Minute)},
		{"decide-srv-alone-not-named-first", "decision asked exclusive", "only the SRV answer is secure, another key is named, and the statement comes first", moves(first, ofZone(zoneNames(otherKey), insecureTXT)), needs(methods(dialled(toSource), notSecure, notNamed), false, 5*time.Minute)},
		{"peer-own", "decision", "the provider's certificate, by a named key", moves(ofZone(ofOwn()), shows(named(host))), accepted("delegation", now.Add(hour))},
		{"peer-own-in", "decision", "the provider's certificate, by a named key, incoming", moves(ofZone(ofOwn(), brief), shows(named(host)), incoming), accepted("delegation", now.Add(5*time.Minute))},
		{"peer-own-passed", "decision ends", "the provider's certificate, in the second in which the TTL has passed", moves(ofZone(ofOwn(), brief), shows(named(host)), incoming, late), ending("proof-expired")},
		{"peer-not-named", "decision exclusive", "the provider's certificate, and another key is named", moves(ofZone(zoneNames(otherKey)), shows(named(host)), incoming), ending("peer-name-mismatch")},
	}
}
