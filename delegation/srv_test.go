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

var (
	good = to(host, 5269)
	evil = to("evil.example", 5269)
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
