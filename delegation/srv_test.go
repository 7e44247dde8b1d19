package delegation

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// asked is a spoiler that asks about a target.
func asked(host string, port uint16) func(*trial) {
	return func(tr *trial) { tr.query.Target = Endpoint{host, port} }
}

// srv is a spoiler that has SRV records for the label asked about.
func srv(state DNSSEC, records ...SRVRecord) func(*trial) {
	return answers(srvAnswer(state, records...))
}

// answers is a spoiler that has SRV answers.
func answers(list ...SRVAnswer) func(*trial) {
	return func(tr *trial) { tr.adjust = func(e *Evidence) { e.SRV = list } }
}

// directly is the answer for the other label of the role.
func directly(state DNSSEC, records ...SRVRecord) SRVAnswer {
	a := srvAnswer(state, records...)
	a.Name = SRVName(source, direct)
	return a
}

func failed(a SRVAnswer, reason Reason) SRVAnswer {
	a.DNSSEC, a.Failure = Indeterminate, &Failure{reason, "it did not work"}
	return a
}

func to(host string, port uint16) SRVRecord { return SRVRecord{1, 2, port, host} }

// many are records for hosts that nobody delegated to, and at the end one that
// is delegated to.
func many(n int) []SRVRecord {
	list := make([]SRVRecord, n)
	for i := range list {
		list[i] = to("evil.example", uint16(i))
	}
	list[n-1] = good
	return list
}

var (
	good = to(host, 5269)
	evil = to("evil.example", 5269)
	none = to(".", 0)
)

// twoTargets delegates to a second target.
func twoTargets(tr *trial) {
	tr.statement.Targets = append(tr.statement.Targets, Target{Endpoint: Endpoint{"backup.example", 5270}, Priority: 20})
}

// bothLabels adds a statement for the other label, to another port of the host.
func bothLabels(tr *trial) {
	adjust := tr.adjust
	tr.adjust = func(e *Evidence) {
		if adjust != nil {
			adjust(e)
		}
		e.Documents = append(e.Documents, document(tr.another(all(forDirect, func(d *draft) { d.statement.Targets[0].Port = 5270 }))))
	}
}

func srvCases() []verifyCase {
	return []verifyCase{
		{"not asked", func(*trial) {}, Verified},
		{"absent", srv(Insecure), Verified},
		{"absent, securely", srv(Secure), Verified},
		{"matched", srv(Insecure, good), Verified},
		{"matched, securely", srv(Secure, good), Verified},
		{"matched, state indeterminate", srv(Indeterminate, good), Verified},
		{"partly matched", srv(Insecure, evil, good), Verified},
		{"partly matched, securely", srv(Secure, evil, good), Verified},
		{"none matched", srv(Insecure, evil), TargetMismatch},
		{"none matched, securely", srv(Secure, evil), Conflict},
		{"another port", srv(Insecure, to(host, 5270)), PortMismatch},
		{"port 0", srv(Insecure, to(host, 0)), PortMismatch},
		{"another port, securely", srv(Secure, to(host, 5270)), Conflict},
		{"another host, then another port", srv(Insecure, evil, to(host, 1)), PortMismatch},
		{"another port, then another host", srv(Insecure, to(host, 1), evil), PortMismatch},
		{"host in upper case", srv(Insecure, to("XMPP.hosting.example", 5269)), TargetMismatch},
		{"host with a trailing dot", srv(Insecure, to(host+".", 5269)), TargetMismatch},
		{"source as host", srv(Insecure, to(source, 5269)), TargetMismatch},
		{"service not available", srv(Insecure, none), ServiceNotAvailable},
		{"service not available, securely", srv(Secure, none), ServiceNotAvailable},
		{"two records, both of them none", srv(Insecure, none, none), TargetMismatch},
		{"none beside a good one", srv(Insecure, none, good), Verified},
		{"bogus", srv(Bogus, good), DNSBogus},
		{"bogus and absent", srv(Bogus), DNSBogus},
		{"time-out", answers(failed(srvAnswer(Insecure), DNSTimeout)), DNSTimeout},
		{"failure", answers(failed(srvAnswer(Insecure), DNSFailure)), DNSFailure},
		{"alias loop", answers(failed(srvAnswer(Insecure), AliasLoop)), AliasLoop},
		{"failure beside records", answers(failed(srvAnswer(Insecure, good), DNSFailure)), DNSFailure},
		{"unanswered", answers(failed(srvAnswer(Insecure), Unanswered)), Unanswered},
		{"32 records", srv(Insecure, many(32)...), Verified},
		{"33 records", srv(Insecure, many(33)...), TooManyRecords},

		{"other label, any port", answers(directly(Insecure, to(host, 5270))), Verified},
		{"other label, port 0", answers(directly(Insecure, to(host, 0))), PortMismatch},
		{"other label, another host", answers(directly(Insecure, evil)), TargetMismatch},
		{"other label, another host, securely", answers(directly(Secure, evil)), Conflict},
		{"other label fails, none for the label asked", answers(srvAnswer(Insecure), failed(directly(Insecure), DNSTimeout)), Verified},
		{"other label fails, good for the label asked", answers(srvAnswer(Insecure, good), failed(directly(Insecure), DNSTimeout)), Verified},
		{"other label bogus", answers(srvAnswer(Insecure, good), directly(Bogus, evil)), Verified},
		{"other label with 33 records", answers(srvAnswer(Insecure, good), directly(Insecure, many(33)...)), Verified},
		{"other label evil, good for the label asked", answers(srvAnswer(Insecure, good), directly(Insecure, evil)), Verified},
		{"other label good, evil for the label asked", answers(srvAnswer(Insecure, evil), directly(Insecure, to(host, 5270))), Verified},
		{"other label good, the label asked fails", answers(failed(srvAnswer(Insecure), DNSTimeout), directly(Insecure, to(host, 5270))), DNSTimeout},
		{"other label good, not available for the label asked", answers(srvAnswer(Insecure, none), directly(Insecure, to(host, 5270))), Verified},
		{"not available for both", answers(srvAnswer(Insecure, none), directly(Insecure, none)), ServiceNotAvailable},
		{"not available for the label asked, evil for the other", answers(srvAnswer(Insecure, none), directly(Insecure, evil)), ServiceNotAvailable},
		{"evil for the label asked, not available for the other", answers(srvAnswer(Insecure, evil), directly(Insecure, none)), TargetMismatch},
		{"evil for both, the answers in another order", answers(directly(Secure, evil), srvAnswer(Insecure, to(host, 1))), PortMismatch},
		{"other label with a statement, its port", both(answers(directly(Insecure, to(host, 5270))), bothLabels), Verified},
		{"other label with a statement, another port", both(answers(directly(Insecure, to(host, 5271))), bothLabels), PortMismatch},
		{"other label with a statement, the port of the first", both(answers(directly(Insecure, good)), bothLabels), PortMismatch},

		{"target asked about", asked(host, 5269), Verified},
		{"second target asked about", both(twoTargets, asked("backup.example", 5270)), Verified},
		{"another port asked about", asked(host, 5270), PortMismatch},
		{"ports of two targets mixed", both(twoTargets, asked(host, 5270)), PortMismatch},
		{"another host asked about", asked("evil.example", 5269), TargetMismatch},
		{"host below the target asked about", asked("a.xmpp.hosting.example", 5269), TargetMismatch},
		{"target asked about, SRV evil", both(asked(host, 5269), srv(Secure, evil)), Verified},
		{"target asked about, SRV fails", both(asked(host, 5269), answers(failed(srvAnswer(Insecure), DNSTimeout))), Verified},
		{"target asked about, service not available", both(asked(host, 5269), srv(Insecure, none)), Verified},
	}
}

func TestSRV(t *testing.T) { runCases(t, 58, srvCases()) }

// TestDial: where to connect, and by what right.
func TestDial(t *testing.T) {
	pinA, pinB := Pin{0xa}, Pin{0xb}
	pinned := func(tr *trial) {
		tr.statement.Targets = []Target{
			{Endpoint: Endpoint{host, 5269}, SPKI: []Pin{pinA}},
			{Endpoint: Endpoint{host, 443}, SPKI: []Pin{pinB}},
		}
	}
	for _, c := range []struct {
		name  string
		spoil func(*trial)
		want  []Target
	}{
		{"not asked", twoTargets, []Target{{endpoint, 10, 5, nil}, {Endpoint{"backup.example", 5270}, 20, 0, nil}}},
		{"SRV chooses, and sets priority and weight", both(twoTargets, srv(Insecure, evil, good)), []Target{{endpoint, 1, 2, nil}}},
		{"an endpoint twice", srv(Insecure, good, SRVRecord{9, 9, 5269, host}), []Target{{endpoint, 1, 2, nil}}},
		{"an endpoint in both labels, the other one first", answers(
			directly(Insecure, SRVRecord{9, 9, 5269, host}), srvAnswer(Insecure, good)), []Target{{endpoint, 1, 2, nil}}},
		{"both labels", answers(srvAnswer(Insecure, good), directly(Insecure, to(host, 5270))),
			[]Target{{endpoint, 1, 2, nil}, {Endpoint{host, 5270}, 1, 2, nil}}},
		{"pins of a listed endpoint", both(pinned, srv(Insecure, good)), []Target{{endpoint, 1, 2, []Pin{pinA}}}},
		{"pins of a listed endpoint, named by the other label", both(pinned, answers(directly(Insecure, good))),
			[]Target{{endpoint, 1, 2, []Pin{pinA}}}},
		{"pins of another port of the other label", both(pinned, answers(directly(Insecure, to(host, 5270)))),
			[]Target{{Endpoint{host, 5270}, 1, 2, []Pin{pinA, pinB}}}},
		{"both labels signed, SRV not asked", bothLabels, []Target{{endpoint, 10, 5, nil}, {Endpoint{host, 5270}, 10, 5, nil}}},
		{"an endpoint signed for both labels", beside(all(forDirect, func(d *draft) { d.statement.Targets[0].SPKI = []Pin{pinA} })),
			[]Target{{endpoint, 10, 5, nil}}},
		{"target asked about", both(both(twoTargets, srv(Insecure, evil)), asked(host, 5269)), []Target{{endpoint, 10, 5, nil}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTrial(t)
			c.spoil(tr)
			result, err := tr.verify()
			wantEnd(t, Verified, result, err)
			if diff := cmp.Diff(c.want, result.Dial()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestReadSRV: what one can go on with, label by label.
func TestReadSRV(t *testing.T) {
	other := to("other.example", 5270)
	for _, c := range []struct {
		name    string
		answers []SRVAnswer
		want    string // entries
		reason  Reason
		asked   bool
		state   DNSSEC
	}{
		{"not asked", nil, "", "", false, Indeterminate},
		{"only the other label asked", []SRVAnswer{directly(Insecure, other)}, "", "", false, Indeterminate},
		{"absent", []SRVAnswer{srvAnswer(Secure)}, "", "", true, Secure},
		{"both labels", []SRVAnswer{directly(Insecure, other, good), srvAnswer(Insecure, good)}, "xmpp.hosting.example:5269 other.example:5270", "", true, Insecure},
		{"other label in another state", []SRVAnswer{srvAnswer(Secure, good), directly(Insecure, other)}, "xmpp.hosting.example:5269", "", true, Secure},
		{"an endpoint twice", []SRVAnswer{srvAnswer(Insecure, good, good)}, "xmpp.hosting.example:5269", "", true, Insecure},
		{"hosts and ports of no use", []SRVAnswer{srvAnswer(Insecure, none, to("a", 1), to(host, 0), good)}, "xmpp.hosting.example:5269", "", true, Insecure},
		{"only such", []SRVAnswer{srvAnswer(Insecure, to("a", 1), to(host, 0))}, "", ServiceNotAvailable, true, Insecure},
		{"not available", []SRVAnswer{srvAnswer(Secure, none)}, "", ServiceNotAvailable, true, Secure},
		{"not available, but for the other label", []SRVAnswer{srvAnswer(Secure, none), directly(Secure, other)}, "other.example:5270", "", true, Secure},
		{"other label not available", []SRVAnswer{srvAnswer(Insecure), directly(Insecure, none)}, "", "", true, Insecure},
		{"other label fails", []SRVAnswer{srvAnswer(Indeterminate, good), failed(directly(Insecure), DNSTimeout)}, "xmpp.hosting.example:5269", "", true, Indeterminate},
		{"failure", []SRVAnswer{failed(srvAnswer(Insecure), DNSTimeout), directly(Insecure, other)}, "", DNSTimeout, true, Indeterminate},
		{"bogus", []SRVAnswer{srvAnswer(Bogus, good)}, "", DNSBogus, true, Bogus},
		{"33 records", []SRVAnswer{srvAnswer(Insecure, many(33)...)}, "", TooManyRecords, true, Insecure},
	} {
		tr := newTrial(t)
		e := evidenceOf(txtAnswer())
		e.SRV = c.answers
		got, err := ReadSRV(tr.query, e, tr.policy)
		var entries []string
		for _, entry := range got.Entries {
			entries = append(entries, entry.Target.Endpoint.String())
		}
		if strings.Join(entries, " ") != c.want || ReasonOf(err) != c.reason || got.Asked != c.asked || got.State != c.state {
			t.Errorf("%s: %+v, %v", c.name, got, err)
		}
	}
	if _, err := ReadSRV(Query{}, nil, Policy{}); ReasonOf(err) != MissingInput {
		t.Errorf("got %v", err)
	}
}
