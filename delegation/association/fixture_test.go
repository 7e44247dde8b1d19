package association_test

import (
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/keys"
)

// The base case: b.example delegates its XMPP server to a hosting provider.
// All times are relative to now, which is fixed.
const (
	source  = world.Source
	service = world.Service
	direct  = world.Direct
	host    = world.Host
	day     = world.Day
)

var (
	now     = world.Noon
	at      = delegation.Endpoint{Host: host, Port: 5269}
	backup  = delegation.Endpoint{Host: "backup.hosting.example", Port: 5270}
	nowhere delegation.Endpoint // of an incoming connection
)

// around is the world of these tests.
var around = world.At(now)

// of gives the certificate of a name, the same each time.
func of(name string) *keys.Signer { return around.Of(name) }

// issue makes a certificate that lives as long.
func issue(edit func(*x509.Certificate)) *keys.Signer {
	return localca.Must(around.CA.Issue("P-256", nil, now.Add(-10*day), now.Add(60*day), edit))
}

func targets(endpoints ...delegation.Endpoint) []delegation.Target {
	list := []delegation.Target{}
	for i, e := range endpoints {
		list = append(list, delegation.Target{Endpoint: e, Priority: uint16(10 * (i + 1))})
	}
	return list
}

// statement is one of the source to these targets, from an hour ago for 13
// days, unless edited.
func statement(list []delegation.Target, edits ...func(*delegation.Statement)) string {
	s := around.Statement(time.Hour)
	s.Targets, s.Expires = list, now.Add(13*day)
	for _, edit := range edits {
		edit(&s)
	}
	return world.Record(s, of(s.Source))
}

// evidence is what was found for the base question: TXT records and SRV.
func evidence(records []string, srv ...delegation.SRVAnswer) *delegation.Evidence {
	return evidenceOf(source, service, records, srv...)
}

func evidenceOf(source, service string, records []string, srv ...delegation.SRVAnswer) *delegation.Evidence {
	e := world.Nothing(source, service, delegation.Insecure, now)
	e.TXT[0].Records, e.SRV, e.Documents = records, srv, nil
	return e
}

func srv(label string, state delegation.DNSSEC, records ...delegation.SRVRecord) delegation.SRVAnswer {
	return delegation.SRVAnswer{
		Answer:  delegation.Answer{Name: delegation.SRVName(source, label), DNSSEC: state, TTL: 3600},
		Records: records,
	}
}

func recordOf(e delegation.Endpoint) delegation.SRVRecord {
	return delegation.SRVRecord{Priority: 5, Weight: 1, Port: e.Port, Target: e.Host}
}

func policy() delegation.Policy { return around.Policy() }

func peers() delegation.PeerPolicy { return peersAt(now) }

func peersAt(t time.Time) delegation.PeerPolicy {
	return delegation.PeerPolicy{Roots: around.CA.Pool(), Now: func() time.Time { return t }}
}

func question(d association.Direction) association.Question {
	return association.Question{Source: source, Service: service, Direction: d}
}

// decide is Decide for a call that is right.
func decide(t testing.TB, q association.Question, e *delegation.Evidence) *association.Association {
	t.Helper()
	a, err := association.Decide(q, e, policy())
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// wantReason checks that an error is a typed one with a reason, or that there
// is none if the reason is Verified.
func wantReason(t testing.TB, want reasons.Reason, err error) {
	t.Helper()
	if want == reasons.Verified {
		if err != nil {
			t.Errorf("got %v, want none", err)
		}
		return
	}
	var e *delegation.Error
	if !errors.As(err, &e) || e.Reason != want {
		t.Errorf("got %v, want %s", err, want)
		return
	}
	if e.Outcome != want.Outcome() || e.Detail == "" {
		t.Errorf("%+v: outcome or detail", e)
	}
}
