package delegation

import (
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"math/big"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/keys"
)

// Attacks on the cost of an answer. For one question a stranger supplies as
// much as the limits let pass, and all of it is as expensive to refuse as
// possible. The cost is divided by that of one honest question, in the same run
// and with the same trust anchors. Its keys are all P-256. The budget is in
// docs/reasons.md, section 3.

const (
	// timeBudget is how many times the processor time of an honest question an
	// attack may take before the test fails. It is twice what the specification
	// says: processors differ in how fast P-256 is to them. Without
	// limits.MaxFailedChecks the worst takes more than 900 times.
	timeBudget = 300
	// memoryBudget is the same for the octets that are allocated, all of which
	// are garbage when the answer is there.
	memoryBudget = 400
)

// An attack is evidence, or a peer's chain, that is meant to be expensive.
type attack struct {
	name   string
	honest func() error // what it is divided by
	run    func() error
	want   reasons.Reason
}

// costRoots are the trust anchor of the laboratory and those of others, with
// slow keys and names that anybody can write into a certificate.
func costRoots(t testing.TB) *x509.CertPool {
	t.Helper()
	pool := newLaboratory(t).root.Pool()
	for i := range keys.MaxChain {
		pool.AddCert(newStranger(t, keyOf("other P-384"), nil, commonName(fmt.Sprint("Anchor ", i))).certificate)
	}
	return pool
}

func attacks(t testing.TB) []attack {
	t.Helper()
	var list []attack
	good := newTrial(t)
	good.policy.Roots = costRoots(t)
	good.evidence = evidenceOf(txtAnswer(JWS.TXTRecord(good.sign())))
	ask := func(e *Evidence) func() error {
		return func() error { _, err := Verify(good.query, e, good.policy); return err }
	}
	for _, b := range costBombs {
		list = append(list, attack{"statements/" + b.name, ask(good.evidence), ask(full(t, b.make)), b.want})
	}

	peers := PeerPolicy{Roots: good.policy.Roots, Now: clock(now)}
	meet := func(chain []*x509.Certificate) func() error {
		return func() error { _, err := peers.Check(chain, []Reference{{Name: source}}); return err }
	}
	for _, p := range peerBombs {
		list = append(list, attack{"peer/" + p.name, meet(good.signer.Chain()), meet(p.make(t)), p.want})
	}
	return list
}

// full is as many statements as a question can lead to: 4 TXT records and 8
// documents.
func full(t testing.TB, make bomb) *Evidence {
	t.Helper()
	e := evidenceOf()
	var n byte
	next := func() (Encoding, []byte) { n++; return make(t, n) }
	answer := txtAnswer()
	for range limits.MaxTXTRecords {
		e, raw := next()
		answer.Records = append(answer.Records, e.TXTRecord(raw))
	}
	e.TXT = append(e.TXT, answer)
	for i := range limits.MaxDocuments {
		_, raw := next()
		e.Documents = append(e.Documents, Document{File: fmt.Sprint(i), Body: raw})
	}
	return e
}

// A cost is the least that several runs took.
type cost struct {
	time   time.Duration // of the processor
	octets uint64        // allocated
}

func (c *cost) measure(run func() error) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := cpuTime()
	err := run()
	took := max(cpuTime()-start, 1)
	runtime.ReadMemStats(&after)
	if c.time == 0 || took < c.time {
		c.time = took
	}
	if octets := after.TotalAlloc - before.TotalAlloc; c.octets == 0 || octets < c.octets {
		c.octets = octets
	}
	return err
}

func (c *cost) times(base cost) (time, octets float64) {
	return float64(c.time) / float64(base.time), float64(c.octets) / float64(base.octets)
}

// TestCost: no attack costs more than the budget. It measures again before it
// fails.
func TestCost(t *testing.T) {
	list := attacks(t)
	if len(list) < 25 {
		t.Errorf("only %d attacks", len(list))
	}
	for _, a := range list {
		t.Run(a.name, func(t *testing.T) {
			var honest, hostile cost
			var time, octets float64
			for range 20 {
				for range 5 {
					if err := honest.measure(a.honest); err != nil {
						t.Fatal(err)
					}
				}
				wantRefusal(t, a.want, hostile.measure(a.run))
				time, octets = hostile.times(honest)
				// The race detector slows down what is not written in assembly.
				if (time <= timeBudget || raceDetector) && octets <= memoryBudget {
					t.Logf("%.1f x the time, %.1f x the octets", time, octets)
					return
				}
			}
			t.Errorf("%v, %d octets: %.1f x the time and %.1f x the octets of an honest one, more than %d and %d",
				hostile.time, hostile.octets, time, octets, timeBudget, memoryBudget)
		})
	}
}

// BenchmarkAttack shows each attack and the honest question it is divided by.
func BenchmarkAttack(b *testing.B) {
	run := func(name string, want reasons.Reason, ask func() error) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := ask(); ReasonOf(err) != want {
					b.Fatal(err)
				}
			}
		})
	}
	list := attacks(b)
	run("statements/honest", "", list[0].honest)
	run("peer/honest", "", list[len(list)-1].honest)
	for _, a := range list {
		run(a.name, a.want, a.run)
	}
}

// peerBombs are chains that peers show.
var peerBombs = []struct {
	name string
	make func(t testing.TB) []*x509.Certificate
	want reasons.Reason
}{
	{"P-521 authorities", peerChain("P-521", 5), reasons.PeerUntrusted},
	{"P-384 authorities", peerChain("P-384", 9), reasons.PeerUntrusted},
	{"slow RSA authorities", peerChain("slow RSA", 5), reasons.PeerUntrusted},
	{"same name and key", func(t testing.TB) []*x509.Certificate { return sameNamePeer(t, 4) }, reasons.PeerUntrusted},
	{"same name and key, 8 times", func(t testing.TB) []*x509.Certificate { return sameNamePeer(t, 8) }, reasons.PeerUntrusted},
	{"100 certificates", func(t testing.TB) []*x509.Certificate {
		return slices.Repeat(sameNamePeer(t, 4)[:1], 100)
	}, reasons.PeerUntrusted},
	{"RSA-8192", func(t testing.TB) []*x509.Certificate {
		// Its key need not be one of anybody's: nobody signs with it.
		c := *sameNamePeer(t, 4)[0]
		c.PublicKey = wideRSA()
		return []*x509.Certificate{&c}
	}, reasons.UnsupportedKey},
	{"1000 names", func(t testing.TB) []*x509.Certificate {
		manyOtherNames(t, 0)
		return certificatesOf(madeCertificates["other names"])
	}, reasons.PeerUntrusted},
}

// peerChain is a leaf and so many authorities that nobody knows, named as trust
// anchors are.
func peerChain(kind string, authorities int) func(t testing.TB) []*x509.Certificate {
	return func(t testing.TB) []*x509.Certificate {
		above := newStranger(t, costKey(kind), nil, commonName("Anchor 0"))
		var chain []*stranger
		for i := range authorities {
			above = newStranger(t, costKey(kind), above, commonName(fmt.Sprint("Anchor ", i+1)))
			chain = append(chain, above)
		}
		slices.Reverse(chain)
		return certificatesOf(append([]*stranger{above.leaf(t, kind, nil)}, chain...))
	}
}

// sameNamePeer is a leaf and authorities each of which could have signed each.
func sameNamePeer(t testing.TB, authorities int) []*x509.Certificate {
	key := keyOf("P-521")
	above := newStranger(t, key, nil, commonName("Anchor 1"))
	chain := []*stranger{above.leaf(t, "P-521", nil)}
	for i := range authorities {
		chain = append(chain, newStranger(t, key, above, func(c *x509.Certificate) {
			commonName("Anchor 1")(c)
			c.DNSNames = []string{fmt.Sprintf("%d.example", i)} // for crypto/x509, another certificate
		}))
	}
	return certificatesOf(chain)
}

func certificatesOf(chain []*stranger) []*x509.Certificate {
	var list []*x509.Certificate
	for _, s := range chain {
		list = append(list, s.certificate)
	}
	return list
}

func wideRSA() crypto.PublicKey {
	k := *slowRSA().Public().(*rsa.PublicKey)
	k.N = new(big.Int).Lsh(k.N, 4096)
	return &k
}
