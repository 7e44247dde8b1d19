package vectors

import "encoding/json"

func marshalRaw(v any) (json.RawMessage, error) { return json.Marshal(v) }

// dnssec is rule D1: what a resolver's replies make of an answer.
func (b *book) dnssec() {
	ok := func(ad bool) Reply { return Reply{Rcode: "NOERROR", AD: ad} }
	nx := func(ad bool) Reply { return Reply{Rcode: "NXDOMAIN", AD: ad} }
	fail := func(cd string, ede ...uint16) Reply { return Reply{Rcode: "SERVFAIL", EDE: ede, CDRcode: cd} }
	refused := Reply{Rcode: "REFUSED"}
	for _, c := range []struct {
		id, state, reason, comment string
		validating                 bool
		replies                    []Reply
	}{
		{"secure", secure, "verified", "NOERROR with AD", true, []Reply{ok(true)}},
		{"insecure", insecure, "verified", "NOERROR without AD", true, []Reply{ok(false)}},
		{"denied", secure, "verified", "NXDOMAIN with AD", true, []Reply{nx(true)}},
		{"denied-insecure", insecure, "verified", "NXDOMAIN without AD", true, []Reply{nx(false)}},
		{"not-named", insecure, "verified", "NOERROR with AD, of a resolver that nobody named as validating", false, []Reply{ok(true)}},
		{"not-named-denied", insecure, "verified", "NXDOMAIN with AD, of a resolver that nobody named as validating", false, []Reply{nx(true)}},
		{"chain", secure, "verified", "an alias, both replies with AD", true, []Reply{ok(true), ok(true)}},
		{"chain-first", insecure, "verified", "an alias, the first reply without AD", true, []Reply{ok(false), ok(true)}},
		{"chain-last", insecure, "verified", "an alias, the last reply without AD", true, []Reply{ok(true), ok(false)}},
		{"chain-middle", insecure, "verified", "two aliases, the reply between without AD", true, []Reply{ok(true), ok(false), ok(true)}},
		{"chain-denied", secure, "verified", "an alias to a name that does not exist, with AD", true, []Reply{ok(true), nx(true)}},
		{"chain-bogus", bogus, "dns-bogus", "an alias to a bogus name", true, []Reply{ok(true), fail("SERVFAIL", 6)}},
		{"chain-fails", indeterminate, "dns-failure", "an alias to a name whose server fails", true, []Reply{ok(true), fail("SERVFAIL")}},
		{"bogus-6", bogus, "dns-bogus", "SERVFAIL with the extended error 6 (DNSSEC bogus)", true, []Reply{fail("SERVFAIL", 6)}},
		{"bogus-7", bogus, "dns-bogus", "SERVFAIL with the extended error 7 (signature expired)", true, []Reply{fail("SERVFAIL", 7)}},
		{"bogus-12", bogus, "dns-bogus", "SERVFAIL with the extended error 12 (NSEC missing)", true, []Reply{fail("SERVFAIL", 12)}},
		{"bogus-second", bogus, "dns-bogus", "SERVFAIL with the extended errors 22 and 6", true, []Reply{fail("SERVFAIL", 22, 6)}},
		{"bogus-cd", bogus, "dns-bogus", "SERVFAIL, and NOERROR with CD=1", true, []Reply{fail("NOERROR")}},
		{"bogus-cd-denied", bogus, "dns-bogus", "SERVFAIL, and NXDOMAIN with CD=1", true, []Reply{fail("NXDOMAIN")}},
		{"error-5", indeterminate, "dns-failure", "SERVFAIL with the extended error 5 (DNSSEC indeterminate), and with CD=1 too", true, []Reply{fail("SERVFAIL", 5)}},
		{"error-13", indeterminate, "dns-failure", "SERVFAIL with the extended error 13 (cached error), and with CD=1 too", true, []Reply{fail("SERVFAIL", 13)}},
		{"error-22", indeterminate, "dns-failure", "SERVFAIL with the extended error 22 (no reachable authority), and with CD=1 too", true, []Reply{fail("SERVFAIL", 22)}},
		{"fails", indeterminate, "dns-failure", "SERVFAIL, and with CD=1 too", true, []Reply{fail("SERVFAIL")}},
		{"fails-cd-refused", indeterminate, "dns-failure", "SERVFAIL, and REFUSED with CD=1", true, []Reply{fail("REFUSED")}},
		{"refused", indeterminate, "dns-failure", "REFUSED", true, []Reply{refused}},
		{"not-named-bogus", indeterminate, "dns-failure", "SERVFAIL with the extended error 6, of a resolver that nobody named as validating", false, []Reply{fail("NOERROR", 6)}},
		{"not-named-cd", indeterminate, "dns-failure", "SERVFAIL, and NOERROR with CD=1, of a resolver that nobody named as validating", false, []Reply{fail("NOERROR")}},
	} {
		e := ending(c.reason)
		e.State = c.state
		b.add("association-dnssec-"+c.id, "dnssec", c.comment, Case{Operation: "dnssec", Validating: &c.validating, Replies: c.replies}, e)
	}
}

func (b *book) selfTests() {
	for _, good := range []string{secure, insecure, bogus, indeterminate} {
		for _, bad := range []string{bogus, secure, insecure, indeterminate} {
			reason := "self-test-failed"
			if good == secure && bad == bogus {
				reason = "verified"
			} else if good != secure && bad != bogus && good != bad {
				continue // two defects
			}
			b.add("association-self-test-"+good+"-"+bad, "self-test", "the secure name is "+good+", the bogus one is "+bad,
				Case{Operation: "self-test", Good: good, Bogus: bad}, ending(reason))
		}
	}
}

// attempts is rule C9: how several attempts end.
func (b *book) attempts() {
	for _, c := range []struct {
		id, reason, comment string
		attempts            []string
		unavailable         string
	}{
		{"accepted", "verified", "the first target is accepted", []string{"verified"}, ""},
		{"down-accepted", "verified", "the first target is down, the second one accepted", []string{"connect-failed", "verified"}, ""},
		{"refused-accepted", "verified", "the first target is refused, the second one accepted", []string{"peer-name-mismatch", "verified"}, ""},
		{"down", "connect-failed", "the one target is down", []string{"connect-failed"}, ""},
		{"slow", "connect-timeout", "the one target is slow", []string{"connect-timeout"}, ""},
		{"slow-down", "connect-timeout", "all targets are down or slow: the first one's reason", []string{"connect-timeout", "connect-failed"}, ""},
		{"down-slow", "connect-failed", "all targets are down or slow: the first one's reason", []string{"connect-failed", "connect-timeout"}, ""},
		{"private", "address-not-allowed", "the target's address is not global", []string{"address-not-allowed"}, ""},
		{"no-start", "no-tls-start", "the statement does not say that TLS begins at once, and the service has no other known beginning", []string{"no-tls-start"}, ""},
		{"no-start-missing", "starttls-missing", "one target has no known beginning of TLS, one does not offer STARTTLS", []string{"starttls-missing", "no-tls-start"}, ""},
		{"no-starttls", "starttls-missing", "the target does not offer STARTTLS", []string{"starttls-missing"}, ""},
		{"starttls-refused", "starttls-failed", "the target refuses STARTTLS", []string{"starttls-failed"}, ""},
		{"injection", "starttls-injection", "octets that are not TLS follow the agreement to STARTTLS", []string{"starttls-injection"}, ""},
		{"tls", "tls-failed", "the TLS handshake fails", []string{"tls-failed"}, ""},
		{"one-refused", "tls-failed", "one target is down, one is refused", []string{"connect-failed", "tls-failed", "connect-timeout"}, ""},
		{"furthest", "peer-name-mismatch", "the refusal that stands last in the list counts", []string{"starttls-missing", "peer-name-mismatch", "peer-untrusted"}, ""},
		{"furthest-key", "peer-key-mismatch", "the refusal that stands last in the list counts, wherever it is", []string{"peer-key-mismatch", "proof-expired", "tls-failed"}, ""},
		{"unknown", "dns-timeout", "refused for its name, and the statement could not be looked up", []string{"peer-name-mismatch"}, "dns-timeout"},
		{"unknown-and-down", "https-timeout", "one is down, one refused for its name, and the statement could not be looked up", []string{"connect-failed", "peer-name-mismatch"}, "https-timeout"},
		{"unknown-untrusted", "peer-untrusted", "refused for its chain, and the statement could not be looked up: that would not help", []string{"peer-untrusted"}, "dns-timeout"},
		{"unknown-key", "peer-key-mismatch", "one refused for its name, one for its key, and another method could not be looked at", []string{"peer-name-mismatch", "peer-key-mismatch"}, "dns-timeout"},
		{"unknown-down", "connect-failed", "all targets are down, and the statement could not be looked up", []string{"connect-failed"}, "dns-timeout"},
		{"unknown-accepted", "verified", "accepted, though the statement could not be looked up", []string{"verified"}, "dns-timeout"},
	} {
		b.add("association-attempts-"+c.id, "attempts", c.comment, Case{Operation: "attempts", Attempts: c.attempts, Unavailable: c.unavailable}, ending(c.reason))
	}
}
