package verifier

import (
	"context"
	"encoding/json"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// A replaying network reads its evidence from a file, which somebody else may have
// written.
type replaying struct{ *network }

func (r replaying) Gather(ctx context.Context, source, service string, _ func(*delegation.Evidence) bool) (*delegation.Evidence, error) {
	e, err := r.network.Gather(ctx, source, service, nil)
	if err != nil {
		return nil, err
	}
	data, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	var read delegation.Evidence
	return &read, json.Unmarshal(data, &read)
}

// A streaming network finds what a peer may have brought among its evidence.
type streaming struct{ Network }

func (s streaming) Gather(ctx context.Context, source, service string, enough func(*delegation.Evidence) bool) (*delegation.Evidence, error) {
	e, err := s.Network.Gather(ctx, source, service, nil)
	if err == nil {
		e.Streams = []delegation.StreamStatement{{Encoding: delegation.JWS, Body: []byte("x.y.z")}}
	}
	return e, err
}

// TestReplayed: what evidence says of DNSSEC counts if a lookup of this Verifier
// gathered it, and never if it was read from a file, whatever else is in that.
func TestReplayed(t *testing.T) {
	own()
	secured := func(n *network) {
		n.srv = delegation.SRVAnswer{
			Answer:  delegation.Answer{Name: delegation.SRVName(source, service), DNSSEC: delegation.Secure, TTL: 3600},
			Records: []delegation.SRVRecord{{Port: 5269, Target: host}},
		}
	}
	named := func(n *network) {
		n.names(own())
		n.records[source] = []string{byOwn(0, host)}
	}
	gathered := func(n *network) Network { return n }
	fromFile := func(n *network) Network { return replaying{n} }
	withStream := func(n *network) Network { return streaming{replaying{n}} }
	for name, c := range map[string]struct {
		has  func(*network)
		from func(*network) Network
		want []string
	}{
		"secure SRV records":                        {secured, gathered, []string{host}},
		"secure SRV records, from a file":           {secured, fromFile, nil},
		"secure SRV records, from a file, a stream": {secured, withStream, nil},
		"a named key":                               {named, gathered, []string{host}},
		"a named key, from a file":                  {named, fromFile, nil},
		"a named key, from a file, a stream":        {named, withStream, nil},
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, nil, Limits{}, func(l *lab) {
				l.network.set(func(n *network) {
					n.status = 404
					c.has(n)
				})
				l.restart(func(config *Config) { config.Discovery = c.from(l.network) })
				for _, q := range []Question{incoming, outgoing} {
					if got := l.names(q); !slices.Equal(got, c.want) {
						t.Errorf("%s: the names %q count, want %q", q.Direction, got, c.want)
					}
				}
			})
		})
	}
}

// TestReplayedOwn: when a peer brings a statement, the evidence of the lookup before
// comes back from the cache, where nobody else writes. What it says of DNSSEC still
// counts: here, which key may sign.
func TestReplayedOwn(t *testing.T) {
	own()
	p := peer(chain(t, host))
	for _, c := range []struct {
		name   string
		names  bool // the zone names the key
		record string
		file   bool // the lookup read it from a file
		want   reasons.Reason
	}{
		{"the named key", true, byOwn(0, host), false, ""},
		{"another key", true, statement(0, host), false, reasons.SignerNotNamed},
		{"a key that nobody named", false, byOwn(0, host), false, reasons.UntrustedSigner},
		{"the named key, from a file", true, byOwn(0, host), true, reasons.UntrustedSigner},
	} {
		t.Run(c.name, func(t *testing.T) {
			unpublished(t, Limits{}, func(l *lab) {
				if c.names {
					l.network.set(func(n *network) { n.names(own()) })
				}
				if c.file {
					l.restart(func(config *Config) { config.Discovery = replaying{l.network} })
				}
				p.Statement = inStream(t, c.record)
				proof, err := l.Check(l.Context(), source, service, p)
				synctest.Wait()
				if got := delegation.ReasonOf(err); got != c.want || err == nil && proof.Reference.Method != association.Delegation {
					t.Errorf("got %+v, %v", proof, err)
				}
			})
		})
	}
}
