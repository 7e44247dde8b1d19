package delegation

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
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

func failed(a SRVAnswer, reason reasons.Reason) SRVAnswer {
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

// directToo delegates to another port of the host, with direct TLS.
func directToo(tr *trial) {
	tr.statement.Targets = append(tr.statement.Targets, Target{Endpoint: Endpoint{host, 5270}, Priority: 10, TLS: Direct})
}

func srvCases() []verifyCase {
	return []verifyCase{
		{"not asked", func(*trial) {}, reasons.Verified},
		{"absent", srv(Insecure), reasons.Verified},
		{"absent, securely", srv(Secure), reasons.Verified},
		{"matched", srv(Insecure, good), reasons.Verified},
		{"matched, securely", srv(Secure, good), reasons.Verified},
		{"matched, state indeterminate", srv(Indeterminate, good), reasons.Verified},
		{"partly matched", srv(Insecure, evil, good), reasons.Verified},
		{"partly matched, securely", srv(Secure, evil, good), reasons.Verified},
		{"none matched", srv(Insecure, evil), reasons.TargetMismatch},
		{"none matched, securely", srv(Secure, evil), reasons.Conflict},
		{"another port", srv(Insecure, to(host, 5270)), reasons.PortMismatch},
		{"port 0", srv(Insecure, to(host, 0)), reasons.ServiceNotAvailable},
		{"another port, securely", srv(Secure, to(host, 5270)), reasons.Conflict},
		{"another host, then another port", srv(Insecure, evil, to(host, 1)), reasons.PortMismatch},
		{"another port, then another host", srv(Insecure, to(host, 1), evil), reasons.PortMismatch},
		{"host in upper case", srv(Insecure, to("XMPP.hosting.example", 5269)), reasons.ServiceNotAvailable},
		{"host with a trailing dot", srv(Insecure, to(host+".", 5269)), reasons.ServiceNotAvailable},
		{"source as host", srv(Insecure, to(source, 5269)), reasons.TargetMismatch},
		{"service not available", srv(Insecure, none), reasons.ServiceNotAvailable},
		{"service not available, securely", srv(Secure, none), reasons.ServiceNotAvailable},
		{"two records, both of them none", srv(Insecure, none, none), reasons.ServiceNotAvailable},
		{"none beside a good one", srv(Insecure, none, good), reasons.Verified},
		{"bogus", srv(Bogus, good), reasons.DNSBogus},
		{"bogus and absent", srv(Bogus), reasons.DNSBogus},
		{"time-out", answers(failed(srvAnswer(Insecure), reasons.DNSTimeout)), reasons.DNSTimeout},
		{"failure", answers(failed(srvAnswer(Insecure), reasons.DNSFailure)), reasons.DNSFailure},
		{"alias loop", answers(failed(srvAnswer(Insecure), reasons.AliasLoop)), reasons.AliasLoop},
		{"failure beside records", answers(failed(srvAnswer(Insecure, good), reasons.DNSFailure)), reasons.DNSFailure},
		{"unanswered", answers(failed(srvAnswer(Insecure), reasons.Unanswered)), reasons.Unanswered},
		{"32 records", srv(Insecure, many(32)...), reasons.Verified},
		{"33 records", srv(Insecure, many(33)...), reasons.TooManyRecords},

		{"second label, its port", both(directToo, answers(directly(Insecure, to(host, 5270)))), reasons.Verified},
		{"second label, the port of the first", both(directToo, answers(directly(Insecure, good))), reasons.Verified},
		{"second label, a port that is not listed", answers(directly(Insecure, to(host, 5270))), reasons.PortMismatch},
		{"second label, another host", answers(directly(Insecure, evil)), reasons.TargetMismatch},
		{"second label, another host, securely", answers(directly(Secure, evil)), reasons.Conflict},
		{"second label secure, evil insecure", answers(srvAnswer(Insecure, evil), directly(Secure, good)), reasons.Verified},
		{"first label secure, evil insecure", answers(srvAnswer(Secure, good), directly(Insecure, evil)), reasons.Verified},
		{"second label secure and evil", answers(srvAnswer(Insecure, good), directly(Secure, evil)), reasons.Conflict},
		{"second label secure, the first failed", answers(failed(srvAnswer(Insecure), reasons.DNSTimeout), directly(Secure, good)), reasons.Verified},
		{"second label failed, none at the first", answers(srvAnswer(Insecure), failed(directly(Insecure), reasons.DNSTimeout)), reasons.DNSTimeout},
		{"second label failed, only of no use at the first", answers(srvAnswer(Insecure, none), failed(directly(Insecure), reasons.DNSTimeout)), reasons.DNSTimeout},
		{"second label failed, the first not asked", answers(failed(directly(Insecure), reasons.DNSTimeout)), reasons.DNSTimeout},
		{"second label failed, good at the first", answers(srvAnswer(Insecure, good), failed(directly(Insecure), reasons.DNSTimeout)), reasons.Verified},
		{"second label bogus, good at the first", answers(srvAnswer(Insecure, good), directly(Bogus, evil)), reasons.Verified},
		{"second label bogus, none at the first", answers(srvAnswer(Insecure), directly(Bogus, good)), reasons.DNSBogus},
		{"second label with 33 records, good at the first", answers(srvAnswer(Insecure, good), directly(Insecure, many(33)...)), reasons.Verified},
		{"second label with 33 records, none at the first", answers(srvAnswer(Insecure), directly(Insecure, many(33)...)), reasons.TooManyRecords},
		{"second label evil, good at the first", answers(srvAnswer(Insecure, good), directly(Insecure, evil)), reasons.Verified},
		{"second label good, evil at the first", answers(srvAnswer(Insecure, evil), directly(Insecure, good)), reasons.Verified},
		{"second label good, the first failed", answers(failed(srvAnswer(Insecure), reasons.DNSTimeout), directly(Insecure, good)), reasons.DNSTimeout},
		{"second label good, not available at the first", answers(srvAnswer(Insecure, none), directly(Insecure, good)), reasons.Verified},
		{"second label good, not available at the first, securely", answers(srvAnswer(Secure, none), directly(Insecure, good)), reasons.ServiceNotAvailable},
		{"not available at both", answers(srvAnswer(Insecure, none), directly(Insecure, none)), reasons.ServiceNotAvailable},
		{"not available at the first, evil at the second", answers(srvAnswer(Insecure, none), directly(Insecure, evil)), reasons.TargetMismatch},
		{"evil at both, the answers in another order", answers(directly(Insecure, evil), srvAnswer(Insecure, to(host, 1))), reasons.PortMismatch},

		{"target asked about", asked(host, 5269), reasons.Verified},
		{"second target asked about", both(twoTargets, asked("backup.example", 5270)), reasons.Verified},
		{"another port asked about", asked(host, 5270), reasons.PortMismatch},
		{"ports of two targets mixed", both(twoTargets, asked(host, 5270)), reasons.PortMismatch},
		{"another host asked about", asked("evil.example", 5269), reasons.TargetMismatch},
		{"host below the target asked about", asked("a.xmpp.hosting.example", 5269), reasons.TargetMismatch},
		{"target asked about, SRV evil", both(asked(host, 5269), srv(Secure, evil)), reasons.Verified},
		{"target asked about, SRV fails", both(asked(host, 5269), answers(failed(srvAnswer(Insecure), reasons.DNSTimeout))), reasons.Verified},
		{"target asked about, service not available", both(asked(host, 5269), srv(Insecure, none)), reasons.Verified},
	}
}

func TestSRV(t *testing.T) { runCases(t, 65, srvCases()) }

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
		{"not asked", twoTargets, []Target{{endpoint, 10, 5, "", nil}, {Endpoint{"backup.example", 5270}, 20, 0, "", nil}}},
		{"SRV chooses, and sets priority and weight", both(twoTargets, srv(Insecure, evil, good)), []Target{{endpoint, 1, 2, "", nil}}},
		{"an endpoint twice", srv(Insecure, good, SRVRecord{9, 9, 5269, host}), []Target{{endpoint, 1, 2, "", nil}}},
		{"an endpoint at both labels, the second one first", answers(
			directly(Insecure, SRVRecord{9, 9, 5269, host}), srvAnswer(Insecure, good)), []Target{{endpoint, 1, 2, "", nil}}},
		{"both labels", both(directToo, answers(directly(Insecure, to(host, 5270)), srvAnswer(Insecure, good))),
			[]Target{{endpoint, 1, 2, "", nil}, {Endpoint{host, 5270}, 1, 2, Direct, nil}}},
		{"TLS as the statement says, not as the label", both(directToo, answers(srvAnswer(Insecure, to(host, 5270)), directly(Insecure, good))),
			[]Target{{Endpoint{host, 5270}, 1, 2, Direct, nil}, {endpoint, 1, 2, "", nil}}},
		{"pins of the endpoint", both(pinned, srv(Insecure, good)), []Target{{endpoint, 1, 2, "", []Pin{pinA}}}},
		{"pins of the endpoint, named by the second label", both(pinned, answers(directly(Insecure, to(host, 443)))),
			[]Target{{Endpoint{host, 443}, 1, 2, "", []Pin{pinB}}}},
		{"target asked about", both(both(twoTargets, srv(Insecure, evil)), asked(host, 5269)), []Target{{endpoint, 10, 5, "", nil}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			tr := newTrial(t)
			c.spoil(tr)
			result, err := tr.verify()
			wantEnd(t, reasons.Verified, result, err)
			if diff := cmp.Diff(c.want, result.Dial()); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

// TestReadSRV: the labels of a role make one row, with each state of each label.
func TestReadSRV(t *testing.T) {
	other := to("other.example", 5270)
	states := []struct {
		name    string
		first   SRVAnswer
		usable  bool
		records bool
		failure reasons.Reason
	}{
		{"none", srvAnswer(Insecure), false, false, ""},
		{"none, securely", srvAnswer(Secure), false, false, ""},
		{"not available", srvAnswer(Insecure, none), false, true, ""},
		{"not available, securely", srvAnswer(Secure, none), false, true, ""},
		{"of no use", srvAnswer(Insecure, to("a", 1), to(host, 0)), false, true, ""},
		{"usable", srvAnswer(Insecure, other), true, true, ""},
		{"usable, indeterminate", srvAnswer(Indeterminate, other), true, true, ""},
		{"usable, securely", srvAnswer(Secure, none, other), true, true, ""},
		{"failed", failed(srvAnswer(Secure, other), reasons.DNSTimeout), false, false, reasons.DNSTimeout},
		{"bogus", srvAnswer(Bogus, other), false, false, reasons.DNSBogus},
		{"33 records, securely", srvAnswer(Secure, many(33)...), false, false, reasons.TooManyRecords},
	}
	secure := func(a SRVAnswer, records bool) bool { return a.DNSSEC == Secure && a.Failure == nil && records }
	for _, own := range states {
		for _, second := range states {
			t.Run(own.name+"; "+second.name, func(t *testing.T) {
				b := second.first
				b.Name, b.TTL = SRVName(source, direct), 60
				e := evidenceOf(txtAnswer(), own.first, b)
				got, err := ReadSRV(Query{Source: source, Service: direct}, e, newTrial(t).policy)

				ownSecure, secondSecure := secure(own.first, own.records), secure(b, second.records)
				var want reasons.Reason
				var labels []string
				switch {
				case ownSecure || secondSecure:
					if ownSecure && own.usable {
						labels = append(labels, service)
					} else if secondSecure && second.usable {
						labels = append(labels, direct)
					} else {
						want = reasons.ServiceNotAvailable
					}
					if got.State != Secure {
						t.Errorf("state %s", got.State)
					}
				case own.failure != "":
					want = own.failure
				case second.failure != "" && !own.usable:
					want = second.failure
				case own.usable:
					labels = append(labels, service) // the second label names the same endpoint
				case second.usable:
					labels = append(labels, direct)
				case own.records || second.records:
					want = reasons.ServiceNotAvailable
				}
				if ReasonOf(err) != want {
					t.Fatalf("got %v, want %s", err, want)
				}
				var found []string
				for _, entry := range got.Entries {
					found = append(found, entry.Label)
				}
				if diff := cmp.Diff(labels, found); diff != "" {
					t.Errorf("(-want +got)\n%s", diff)
				}
				if err == nil && got.Partly != (own.failure != "" || second.failure != "") {
					t.Errorf("partly is %t", got.Partly)
				}
			})
		}
	}
	if _, err := ReadSRV(Query{}, nil, Policy{}); ReasonOf(err) != reasons.MissingInput {
		t.Errorf("got %v", err)
	}
}

// TestPartlySRV: a decision that passes over a failed label is good for 5
// minutes.
func TestPartlySRV(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(*trial)
		want  time.Duration
	}{
		{"both labels answered", answers(srvAnswer(Insecure, good), directly(Insecure)), time.Hour},
		{"the second failed", answers(srvAnswer(Insecure, good), failed(directly(Insecure), reasons.DNSTimeout)), limits.MinRefresh},
		{"the second failed, a target asked about", both(asked(host, 5269), answers(srvAnswer(Insecure, good), failed(directly(Insecure), reasons.DNSTimeout))), limits.MinRefresh},
		{"the first failed, the second is secure", answers(failed(srvAnswer(Insecure), reasons.DNSTimeout), directly(Secure, good)), limits.MinRefresh},
	} {
		tr := newTrial(t)
		c.spoil(tr)
		result, err := tr.verify()
		wantEnd(t, reasons.Verified, result, err)
		if want := now.Add(c.want); !result.RefreshAt().Equal(want) {
			t.Errorf("%s: at %s, want %s", c.name, result.RefreshAt(), want)
		}
	}
}
