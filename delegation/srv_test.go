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
