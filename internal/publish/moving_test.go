package publish

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// The two providers of docs/moving.md.
const (
	hostA = "a.example"
	hostB = "b-hosting.example"
)

// A watcher is one who verifies: what it decided last, and what it remembers.
type watcher struct {
	out, in *association.Association
	floor   delegation.Floor
}

// looksUp is what a watcher decides on what DNS says now. Its memory is what
// it was given and what it has seen now.
func looksUp(t *testing.T, s *dnsserver.Server, floor delegation.Floor) watcher {
	t.Helper()
	client := &discovery.Client{Resolver: s.Addr, Via: discovery.ViaDNS}
	evidence, err := client.Gather(t.Context(), source, service, nil)
	if err != nil {
		t.Fatal(err)
	}
	return decides(t, evidence, floor)
}

func decides(t *testing.T, evidence *delegation.Evidence, floor delegation.Floor) watcher {
	t.Helper()
	policy := delegation.Policy{Roots: around.CA.Pool(), Time: time.Now(), Floor: floor}
	w := watcher{floor: floor}
	result, err := delegation.Verify(delegation.Query{Source: source, Service: service}, evidence, policy)
	var refused *delegation.Error
	switch {
	case err == nil:
		w.floor = result.Floor()
	case errors.As(err, &refused):
		w.floor = w.floor.Join(refused.Floor)
	}
	for direction, a := range map[association.Direction]**association.Association{association.Outgoing: &w.out, association.Incoming: &w.in} {
		if *a, err = association.Decide(association.Question{Source: source, Service: service, Direction: direction}, evidence, policy); err != nil {
			t.Fatal(err)
		}
	}
	return w
}

// accepts lists whom a watcher accepts: out: the hosts it connects to and
// accepts there; in: those that may speak for the source.
func (w watcher) accepts(t *testing.T) map[string][]string {
	t.Helper()
	peers := delegation.PeerPolicy{Roots: around.CA.Pool(), Now: time.Now}
	got := map[string][]string{"out": {}, "in": {}}
	list, err := w.out.Dial()
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		if _, err := w.out.Accept(d.Endpoint, peers, around.Of(d.Host).Chain()); err == nil {
			got["out"] = append(got["out"], d.Host)
		}
	}
	for _, host := range []string{hostA, hostB} {
		if _, err := w.in.Accept(delegation.Endpoint{}, peers, around.Of(host).Chain()); err == nil {
			got["in"] = append(got["in"], host)
		}
	}
	return got
}

// zoneWithSRV is the zone of the source, with an SRV record and the statement
// that is there.
func zoneWithSRV(t *testing.T, s *dnsserver.Server, host string) {
	t.Helper()
	records := zone("_xmpp-server._tcp.b.example. 300 IN SRV 0 0 5269 " + host + ".")
	for _, text := range recordsAt(t, s.Addr) {
		records = append(records, line(text))
	}
	if err := s.SetRecords(records); err != nil {
		t.Fatal(err)
	}
}

// delegated is a statement for hosts, of some hours ago.
func delegated(t *testing.T, hours int, hosts ...string) []byte {
	return draft{host: strings.Join(append(hosts, ""), " "), age: time.Duration(hours) * time.Hour}.sign(t)
}

func accepted(out []string, in ...string) map[string][]string {
	return map[string][]string{"out": append([]string{}, out...), "in": append([]string{}, in...)}
}

// TestMoving is docs/moving.md. At every step the verifier runs for a peer at
// each provider. It looks up for the first time, remembers, or still uses what
// it found at the step before.
func TestMoving(t *testing.T) {
	onlyA, onlyB := []string{hostA}, []string{hostB}
	s := setup.DNS(t, zone()...)
	place := at(t, s).Place(source, service)
	var memory delegation.Floor
	var before watcher
	for i, step := range []struct {
		name    string
		publish []byte
		srv     string
		now     map[string][]string // whoever looks up now
		cached  map[string][]string // whoever has not looked since the step before
	}{
		{"before", delegated(t, 4, hostA), hostA, accepted(onlyA, hostA), nil},
		{"1: both are signed", delegated(t, 3, hostA, hostB), "", accepted(onlyA, hostA, hostB), accepted(onlyA, hostA)},
		{"3: the SRV record", nil, hostB, accepted(onlyB, hostA, hostB), accepted(onlyA, hostA, hostB)},
		{"5: only the new one", delegated(t, 2, hostB), "", accepted(onlyB, hostB), accepted(onlyB, hostA, hostB)},
	} {
		if step.srv != "" {
			zoneWithSRV(t, s, step.srv)
		}
		if step.publish != nil {
			if _, err := place.Publish(t.Context(), step.publish); err != nil {
				t.Fatal(err)
			}
			if err := place.Check(t.Context(), step.publish); err != nil {
				t.Fatal(err)
			}
		}
		fresh, remembering := looksUp(t, s, delegation.Floor{}), looksUp(t, s, memory)
		for name, w := range map[string]watcher{"fresh": fresh, "remembering": remembering} {
			if diff := cmp.Diff(step.now, w.accepts(t)); diff != "" {
				t.Errorf("%s, %s: %s", step.name, name, diff)
			}
			if !w.out.Required() {
				t.Errorf("%s, %s: not required", step.name, name)
			}
		}
		if i > 0 {
			if diff := cmp.Diff(step.cached, before.accepts(t)); diff != "" {
				t.Errorf("%s, cached: %s", step.name, diff)
			}
			// There is no gap: where the one who has not looked connects to,
			// the one who has would accept a peer too, until the last step.
			for _, host := range before.accepts(t)["out"] {
				if !slices.Contains(fresh.accepts(t)["in"], host) {
					t.Errorf("%s: a gap at %s", step.name, host)
				}
			}
		}
		before, memory = remembering, remembering.floor
	}
	// The former provider shows what it has: too late for who remembers.
	old := world.Nothing(source, service, delegation.Insecure, time.Now())
	old.TXT[0].Records = []string{delegation.JWS.TXTRecord(delegated(t, 3, hostA, hostB))}
	if got := decides(t, old, memory).accepts(t); len(got["in"]) > 0 {
		t.Errorf("remembering, shown the old statement: %q", got)
	}
	if got := decides(t, old, delegation.Floor{}).accepts(t); len(got["in"]) != 2 {
		t.Errorf("fresh, shown the old statement: %q, and docs/moving.md says that it counts until its end", got)
	}
}

// TestMovingWrong: the SRV record first is a gap.
func TestMovingWrong(t *testing.T) {
	s := setup.DNS(t, zone()...)
	if _, err := at(t, s).Place(source, service).Publish(t.Context(), delegated(t, 1, hostA)); err != nil {
		t.Fatal(err)
	}
	zoneWithSRV(t, s, hostB)
	if diff := cmp.Diff(accepted(nil, hostA), looksUp(t, s, delegation.Floor{}).accepts(t)); diff != "" {
		t.Error(diff)
	}
}

// TestRevoking is the other half of docs/moving.md.
func TestRevoking(t *testing.T) {
	s := setup.DNS(t, zone()...)
	zoneWithSRV(t, s, hostA)
	place := at(t, s).Place(source, service)
	old := delegated(t, 2, hostA)
	if _, err := place.Publish(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	before := looksUp(t, s, delegation.Floor{})
	if diff := cmp.Diff(accepted([]string{hostA}, hostA), before.accepts(t)); diff != "" {
		t.Fatal(diff)
	}
	if _, err := place.Publish(t.Context(), draft{host: "nobody", age: time.Hour}.sign(t)); err != nil {
		t.Fatal(err)
	}
	fresh, remembering := looksUp(t, s, delegation.Floor{}), looksUp(t, s, before.floor)
	for name, w := range map[string]watcher{"fresh": fresh, "remembering": remembering} {
		if diff := cmp.Diff(accepted(nil), w.accepts(t)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		// The domain's own certificate counts as ever.
		peers := delegation.PeerPolicy{Roots: around.CA.Pool(), Now: time.Now}
		if _, err := w.in.Accept(delegation.Endpoint{}, peers, around.Of(source).Chain()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if !w.in.Required() {
			t.Errorf("%s: not required", name)
		}
	}
	// Who has seen the revocation is not fooled by the old record.
	if err := s.SetRecords(zone(record(delegation.JWS, old))); err != nil {
		t.Fatal(err)
	}
	if got := looksUp(t, s, remembering.floor).accepts(t); len(got["in"]) > 0 {
		t.Errorf("%q", got)
	}
}
