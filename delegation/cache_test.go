package delegation

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/big"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/allocs"
	"github.com/dnasign/dnasign/internal/testkit/dertree"
	"github.com/dnasign/dnasign/internal/testkit/localca"
)

// sameWithCache compares a verification with the same one with a cache, at
// several times. The cache has seen the base case, and then the case itself.
func sameWithCache(t *testing.T, tr *trial, result *Result, err error) {
	t.Helper()
	if tr.policy.Roots == nil || tr.policy.Cache != nil {
		return
	}
	policy := tr.policy
	policy.Cache = NewCache(policy.Roots)
	base := newTrial(t)
	base.policy = Policy{Roots: policy.Roots, Time: now, Cache: policy.Cache}
	base.verify()
	times := []time.Time{policy.Time, policy.Time}
	if err == nil {
		end := result.ValidUntil()
		times = append(times, end.Add(-1), end, policy.Time, end.Add(day), policy.Time.Add(-400*day), policy.Time)
	}
	for _, at := range times {
		policy.Time = at
		without := policy
		without.Cache = nil
		want, wantErr := Verify(tr.query, tr.evidence, without)
		got, gotErr := Verify(tr.query, tr.evidence, policy)
		if want, got := conclusion(t, tr.query, want, wantErr), conclusion(t, tr.query, got, gotErr); want != got {
			t.Errorf("with a cache, at %s: %.2000s, want %.2000s", at, got, want)
		}
	}
}

// conclusion is all that a verification says.
func conclusion(t *testing.T, q Query, r *Result, err error) string {
	t.Helper()
	report := NewReport(q, r, err)
	for i := range report.Unverified {
		report.Unverified[i].Raw = nil // it is the evidence's, and may be large
	}
	text, failure := json.Marshal(report)
	if failure != nil {
		t.Fatal(failure)
	}
	var e *Error
	if errors.As(err, &e) {
		return fmt.Sprintf("%s %+v %t", text, e.Floor, e.Authentic)
	}
	return fmt.Sprintf("%s %+v %+v", text, r.Proven(), r.Dial())
}

// cachedTrial is the base case, verified once with a cache.
func cachedTrial(t testing.TB) *trial {
	t.Helper()
	tr := newTrial(t)
	tr.policy.Cache = NewCache(tr.policy.Roots)
	if _, err := tr.verify(); err != nil {
		t.Fatal(err)
	}
	return tr
}

// TestCacheSpares: the same statement takes no signature check and no parsing.
// Another one by the same certificate takes one check, and the same
// certificates of a peer take none.
func TestCacheSpares(t *testing.T) {
	tr := newTrial(t)
	key := keyOf("P-256")
	f := pathCase{root: func(c *x509.Certificate) {}}.newFamily(t, source)
	signWith(f.chain(), key, pool(f.root))(tr)
	tr.policy.Cache = NewCache(tr.policy.Roots)
	verify := func() {
		if _, err := tr.verify(); err != nil {
			t.Error(err)
		}
	}
	peers := PeerPolicy{Roots: tr.policy.Roots, Cache: tr.policy.Cache, Now: clock(now)}
	meet := func() {
		if _, err := peers.Check(f.chain(), []Reference{{Name: source}}); err != nil {
			t.Error(err)
		}
	}
	tr.evidence = evidenceOf(txtAnswer(JWS.TXTRecord(tr.sign()), AC.TXTRecord(tr.ac(acEdits{}))))
	checks := allocs.In(t, allocs.SignatureCheck, verify)
	if checks == 0 {
		t.Fatal("no signature check was seen")
	}
	if allocs.In(t, allocs.SignatureCheck, verify) != 0 || allocs.In(t, allocs.ParsedCertificates, verify) != 0 {
		t.Error("a statement is verified again")
	}
	tr.statement.ID[1]++
	tr.evidence = nil
	tr.evidence = evidenceOf(txtAnswer(JWS.TXTRecord(tr.sign())))
	if parsed := allocs.In(t, allocs.ParsedCertificates, verify); parsed != 0 {
		t.Errorf("%d parsed for another statement", parsed)
	}
	if allocs.In(t, allocs.SignatureCheck, meet) == 0 {
		t.Error("a peer is accepted by what is known of signers")
	}
	if allocs.In(t, allocs.SignatureCheck, meet) != 0 {
		t.Error("the certificates of a peer are verified again")
	}
}

// TestCacheRandom: any certificates may be shown, in any order, at any time.
// The path is always the one that would be found without a cache.
func TestCacheRandom(t *testing.T) {
	hits := 0
	signers := []crypto.Signer{keyOf("P-256"), keyOf("other P-256"), keyOf("P-384")}
	rapid.Check(t, func(t *rapid.T) {
		names := []string{"A", "B", "C"}
		moment := func(from, to int) time.Time {
			return now.Add(time.Duration(rapid.IntRange(from, to).Draw(t, "hour")) * time.Hour)
		}
		nobody := len(names) // as a subject
		issue := func(subject, issuer int) *x509.Certificate {
			template := &x509.Certificate{
				SerialNumber: big.NewInt(rapid.Int64Range(1, 3).Draw(t, "serial")),
				NotBefore:    moment(-5, 0), NotAfter: moment(0, 5), BasicConstraintsValid: true,
			}
			key := signers[0]
			if subject == nobody {
				template.DNSNames = []string{host}
			} else {
				key, template.Subject, template.IsCA = signers[subject], pkix.Name{CommonName: names[subject]}, true
				if rapid.IntRange(0, 9).Draw(t, "constrained") == 0 {
					template.ExcludedDNSDomains = []string{"hosting.example"}
				}
			}
			parent := &x509.Certificate{Subject: pkix.Name{CommonName: names[issuer]}}
			der := localca.Must(x509.CreateCertificate(nil, template, parent, key.Public(), signers[issuer]))
			return localca.Must(x509.ParseCertificate(der))
		}
		// A chain A, B, and others of any kind.
		all := []*x509.Certificate{issue(nobody, 0), issue(0, 1), issue(1, 1)}
		for range rapid.IntRange(0, 4).Draw(t, "others") {
			all = append(all, issue(rapid.IntRange(0, 2).Draw(t, "subject"), rapid.IntRange(0, 2).Draw(t, "issuer")))
		}
		roots := pool(rapid.SliceOfN(rapid.SampledFrom(all[1:]), 1, 2).Draw(t, "roots")...)
		cache := NewCache(roots)
		lists := [][]*x509.Certificate{}
		for range 2 {
			lists = append(lists, append([]*x509.Certificate{rapid.SampledFrom(all[:2]).Draw(t, "leaf")}, rapid.SliceOfN(rapid.SampledFrom(all[1:]), 0, 6).Draw(t, "rest")...))
		}
		for range 60 {
			shown := rapid.SampledFrom(lists).Draw(t, "shown")
			u := use(rapid.IntRange(0, 1).Draw(t, "use"))
			at := moment(-4, 4).Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, "second")) * time.Second)
			if _, ok := cache.path(u, cache.pathKey(shown), shown, at); ok {
				hits++
			}
			want, wantErr := longestPath(u, key{}, shown, roots, nil, at)
			got, err := longestPath(u, cache.pathKey(shown), shown, roots, cache, at)
			if (wantErr == nil) != (err == nil) || !slices.EqualFunc(want.chain, got.chain, (*x509.Certificate).Equal) || !want.end.Equal(got.end) {
				t.Fatalf("at %s: %v (%v), want %v (%v)", at, got, err, want, wantErr)
			}
		}
	})
	t.Logf("%d answers from the cache", hits)
	if hits < 50 {
		t.Errorf("only %d answers from the cache", hits)
	}
}

// TestCacheEnds: to the nanosecond, what is known counts as long as what it
// follows from.
func TestCacheEnds(t *testing.T) {
	f := pathCase{intermediate: func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(-time.Hour), now.Add(time.Hour) }}.newFamily(t, host)
	peers := PeerPolicy{Roots: pool(f.root)}
	peers.Cache = NewCache(peers.Roots)
	for _, c := range []struct {
		at   time.Time
		good bool
	}{
		{now, true}, // learned
		{now.Add(-time.Hour), true},
		{now.Add(-time.Hour - 1), false},
		{now.Add(time.Hour), true},
		{now.Add(time.Hour + time.Second - 1), true}, // within the last second
		{now.Add(time.Hour + time.Second), false},
		{now, true},
	} {
		peers.Now = clock(c.at)
		if _, known := peers.Cache.path(forPeer, peers.Cache.pathKey(f.chain()), f.chain(), wholeSecond(c.at)); known != c.good && !c.at.Equal(now) {
			t.Errorf("%s: known: %t", c.at, known)
		}
		match, err := peers.Check(f.chain(), []Reference{{Name: host}})
		if (err == nil) != c.good || err == nil && !match.Until.Equal(now.Add(time.Hour+time.Second)) {
			t.Errorf("%s: %+v (%v)", c.at, match, err)
		}
	}
}

// TestCacheLater: a path that begins after another one was remembered, and lives
// longer, is found.
func TestCacheLater(t *testing.T) {
	key := keyOf("P-384")
	later := func(c *x509.Certificate) { c.NotBefore, c.NotAfter = now.Add(day), now.Add(60*day) }
	short := pathCase{root: func(c *x509.Certificate) { c.NotAfter = now.Add(20 * day) }}.newFamily(t, host)
	twinRoot := benchCertificate(t, authorityTemplate("Root", later), nil, key, key)
	long := pathCase{intermediate: func(c *x509.Certificate) { c.NotAfter = now.Add(20 * day) }}.newFamily(t, host)
	twin := benchCertificate(t, authorityTemplate("Intermediate", later), long.root, keyOf("other P-256"), key)
	for name, c := range map[string]struct {
		chain []*x509.Certificate
		roots *x509.CertPool
	}{
		"another anchor":       {short.chain(), pool(short.root, twinRoot)},
		"another intermediate": {append(long.chain(), twin), pool(long.root)},
	} {
		cache := NewCache(c.roots)
		for _, at := range []time.Time{now, now.Add(2 * day)} {
			want, wantErr := longestPath(forPeer, (*Cache)(nil).pathKey(c.chain), c.chain, c.roots, nil, at)
			got, err := longestPath(forPeer, cache.pathKey(c.chain), c.chain, c.roots, cache, at)
			if wantErr != nil || err != nil || !got.end.Equal(want.end) {
				t.Errorf("%s: until %s (%v), want %s (%v)", name, got.end, err, want.end, wantErr)
			}
		}
	}
}

// TestCacheAbuse: what is known of one thing says nothing about another one.
func TestCacheAbuse(t *testing.T) {
	lab := newLaboratory(t)
	leaf, middle, root := lab.signer.Leaf(), lab.intermediate.Certificate, lab.root.Root()
	second := lab.authority(lab.intermediate, "Second", nil)
	three := lab.issueBelow(second, "P-256", nil)
	lists := map[string][]*x509.Certificate{
		"the same":               {leaf, middle},
		"other order":            {middle, leaf},
		"one more":               {leaf, middle, root},
		"one less":               {leaf},
		"one twice":              {leaf, middle, middle},
		"the leaf twice":         {leaf, leaf, middle},
		"another leaf":           {three.Leaf(), middle},
		"one left out between":   {three.Leaf(), second.Certificate},
		"one put in between":     {leaf, second.Certificate, middle},
		"without the first byte": {leaf, middle},
	}
	cut := *middle
	cut.Raw = cut.Raw[1:]
	lists["without the first byte"][1] = &cut
	cache := NewCache(lab.root.Pool())
	if _, err := longestPath(forPeer, cache.pathKey(lists["the same"]), lists["the same"], nil, cache, now); err != nil {
		t.Fatal(err)
	}
	for name, list := range lists {
		if _, known := cache.path(forPeer, cache.pathKey(list), list, now); known != (name == "the same") {
			t.Errorf("%s: known: %t", name, known)
		}
	}
	if _, known := cache.path(forSigner, cache.pathKey(lists["the same"]), lists["the same"], now); known {
		t.Error("what is known of a peer is known of a signer")
	}

	t.Run("a path that a peer may have and a signer may not", func(t *testing.T) {
		old, next, key := keyOf("P-384"), keyOf("other P-384"), keyOf("P-256")
		anchor := benchCertificate(t, authorityTemplate("Root", nil), nil, old, old)
		rollover := benchCertificate(t, authorityTemplate("Root", nil), anchor, next, old)
		tr := newTrial(t)
		list := []*x509.Certificate{benchCertificate(t, leafTemplate(source, nil), rollover, key, next), rollover}
		signWith(list, key, pool(anchor))(tr)
		tr.policy.Cache = NewCache(tr.policy.Roots)
		peers := PeerPolicy{Roots: tr.policy.Roots, Cache: tr.policy.Cache, Now: clock(now)}
		if _, err := peers.Check(list, []Reference{{Name: source}}); err != nil {
			t.Fatal(err)
		}
		_, err := tr.verify()
		wantRefusal(t, reasons.UntrustedSigner, err)
	})

	for name, spoil := range map[string]struct {
		do   func(tr *trial)
		want reasons.Reason
	}{
		"the same":                 {func(tr *trial) {}, reasons.Verified},
		"another pool":             {func(tr *trial) { tr.policy.Roots = lab.root.Pool() }, reasons.MissingInput},
		"no pool":                  {func(tr *trial) { tr.policy.Roots, tr.policy.Cache = nil, &Cache{} }, reasons.MissingInput},
		"a cache that nobody made": {func(tr *trial) { tr.policy.Cache = &Cache{} }, reasons.MissingInput},
		"another source": {func(tr *trial) {
			tr.query.Source = "c.example"
			tr.evidence.Source = "c.example"
			tr.evidence.TXT[0].Name = TXTName("c.example", service)
		}, reasons.SourceMismatch},
		"another role": {func(tr *trial) {
			tr.query.Service = "_imap._tcp"
			tr.evidence.Service = "_imap._tcp"
			tr.evidence.TXT[0].Name = TXTName(source, "_imap._tcp")
		}, reasons.ServiceMismatch},
		"after its end":   {func(tr *trial) { tr.policy.Time = tr.statement.Expires }, reasons.Expired},
		"too long a life": {func(tr *trial) { tr.policy.MaxLife = day }, reasons.LifeTooLong},
		"below the floor": {func(tr *trial) {
			tr.policy.Floor = Floor{Order: Order{Issuance: now}, ValidUntil: now.Add(day)}
		}, reasons.Superseded},
		"a check that says no": {func(tr *trial) { tr.policy.SignerCheck = func([]*x509.Certificate) error { return errRejected } }, reasons.SignerRejected},
		"one bit of the signature": {func(tr *trial) {
			token := bytes.Clone(tr.sign())
			i := bytes.LastIndexByte(token, '.') + 5
			token[i] = map[bool]byte{true: 'B', false: 'A'}[token[i] == 'A']
			tr.evidence = evidenceOf(txtAnswer(JWS.TXTRecord(token)))
		}, reasons.BadSignature},
		"the claims of another": {func(tr *trial) {
			token := bytes.SplitN(tr.sign(), []byte("."), 3)
			tr.statement.ID[1]++
			other := bytes.SplitN(tr.sign(), []byte("."), 3)
			tr.evidence = evidenceOf(txtAnswer(JWS.TXTRecord(bytes.Join([][]byte{token[0], other[1], token[2]}, []byte(".")))))
		}, reasons.BadSignature},
	} {
		t.Run(name, func(t *testing.T) {
			tr := cachedTrial(t)
			spoil.do(tr)
			result, err := tr.verify()
			wantEnd(t, spoil.want, result, err)
		})
	}

	t.Run("another pool for peers", func(t *testing.T) {
		peers := PeerPolicy{Roots: lab.root.Pool(), Cache: NewCache(lab.root.Pool()), Now: clock(now)}
		_, err := peers.Check(lists["the same"], []Reference{{Name: source}})
		wantRefusal(t, reasons.MissingInput, err)
	})
	t.Run("an order that only an attribute certificate may have", func(t *testing.T) {
		tr := newTrial(t)
		tr.signer = three
		tr.policy.Cache = NewCache(tr.policy.Roots)
		chain := [][]byte{three.Leaf().Raw, middle.Raw, second.Certificate.Raw}
		if _, err := parseChain(chain, true, tr.policy.Cache); err != nil {
			t.Fatal(err)
		}
		if _, err := tr.verify(); err != nil {
			t.Fatal(err)
		}
		tr.chain, tr.evidence = chain, nil
		_, err := tr.verify()
		wantRefusal(t, reasons.ChainNotLinear, err)
	})
	t.Run("a message without its intermediate", func(t *testing.T) {
		tr := newTrial(t)
		tr.policy.Cache = NewCache(tr.policy.Roots)
		whole, part := tr.ac(acEdits{}), tr.ac(acEdits{bag: func(signed *dertree.Node) {
			members := signed.At(3)
			members.Children = slices.DeleteFunc(members.Children, func(n *dertree.Node) bool { return bytes.Equal(n.Bytes(), tr.signer.Chain()[1].Raw) })
		}})
		if _, err := Verify(tr.query, evidenceOf(txtAnswer(AC.TXTRecord(whole))), tr.policy); err != nil {
			t.Fatal(err)
		}
		_, err := Verify(tr.query, evidenceOf(txtAnswer(AC.TXTRecord(part))), tr.policy)
		wantRefusal(t, reasons.UntrustedSigner, err)
	})
	t.Run("a result that is changed", func(t *testing.T) {
		tr := cachedTrial(t)
		result, err := tr.verify()
		if err != nil {
			t.Fatal(err)
		}
		for _, targets := range [][]Target{result.Targets(), result.Dial(), result.Proven().Statement.Targets} {
			targets[0].Host = "evil.example"
		}
		if result, err = tr.verify(); err != nil || result.Targets()[0].Host != host {
			t.Errorf("%v, %v", result.Targets(), err)
		}
	})
}

// TestCacheKeys: what is known is known by all of its bytes and as what it is. No
// other input finds it, whatever their hashes are.
func TestCacheKeys(t *testing.T) {
	tr := newTrial(t)
	tr.policy.Cache = NewCache(tr.policy.Roots)
	c := tr.policy.Cache
	token, message := tr.sign(), tr.ac(acEdits{})
	for _, e := range []*Evidence{evidenceOf(txtAnswer(JWS.TXTRecord(token), AC.TXTRecord(message))), evidenceOf(document(token)), tr.query.FileEvidence("file", message)} {
		if _, err := Verify(tr.query, e, tr.policy); err != nil {
			t.Fatal(err)
		}
	}
	kinds := map[kind]int{}
	for k := range c.of[forSigner].Keys() {
		kinds[k.kind]++
		find := func(k key) bool { _, ok := get[any](c, forSigner, k); return ok }
		if !find(k) {
			t.Fatalf("%d: a key does not find its own", k.kind)
		}
		for other := range aPath + 2 {
			if other != k.kind && find(key{other, k.bytes}) {
				t.Errorf("%d: known as %d", k.kind, other)
			}
		}
		for i := range k.bytes {
			changed := []byte(k.bytes)
			changed[i] ^= 1
			if find(key{k.kind, string(changed)}) || find(key{k.kind, k.bytes[:i]}) || find(key{k.kind, k.bytes[i+1:]}) {
				t.Fatalf("%d: known without byte %d", k.kind, i)
			}
		}
		if find(key{k.kind, k.bytes + "\n"}) || find(key{k.kind, " " + k.bytes}) {
			t.Errorf("%d: known with one more byte", k.kind)
		}
	}
	want := map[kind]int{aRecord: 2, aToken: 1, aMessage: 1, aHeader: 1, aBag: 1, aCertificate: 2, aPath: 1}
	if !maps.Equal(kinds, want) {
		t.Errorf("keys of kinds %v, want %v", kinds, want)
	}

	// Something known in one place is not known in another, where other rules are.
	for name, body := range map[string]string{"a record": JWS.TXTRecord(token), "a header": strings.Split(string(token), ".")[0], "base64": base64.StdEncoding.EncodeToString(message)} {
		_, err := Verify(tr.query, evidenceOf(document([]byte(body))), tr.policy)
		t.Log(name)
		wantRefusal(t, reasons.MalformedToken, err)
	}
	for _, e := range []Encoding{"", "cbor", "record", Encoding(rune(aToken)), Encoding(rune(aRecord))} {
		if c.statement(statementKey(e, token)) != nil {
			t.Errorf("%q: known", e)
		}
	}
}

// TestCacheOwn: a cache shares no memory with evidence, nor with what a refusal
// shows of it.
func TestCacheOwn(t *testing.T) {
	for _, e := range Encodings() {
		tr := newTrial(t)
		raw := map[Encoding][]byte{JWS: tr.sign(), AC: tr.ac(acEdits{})}[e]
		good := bytes.Clone(raw)
		tr.policy.Cache = NewCache(tr.policy.Roots)
		for _, evidence := range []*Evidence{tr.query.FileEvidence("file", raw), evidenceOf(txtAnswer(e.TXTRecord(raw)))} {
			verify := func(at time.Time) error {
				p := tr.policy
				p.Time = at
				_, err := Verify(tr.query, evidence, p)
				return err
			}
			if err := verify(now); err != nil {
				t.Fatal(err)
			}
			for range 2 {
				var refused *Error
				if err := verify(tr.statement.Expires); !errors.As(err, &refused) || len(refused.Unverified) != 1 || !bytes.Equal(refused.Unverified[0].Raw, good) {
					t.Fatalf("%s: %v", e, err)
				}
				if len(evidence.TXT) > 0 {
					clear(refused.Unverified[0].Raw)
				}
			}
			raw[len(raw)-10] ^= 1
			if err := verify(now); len(evidence.Documents) > 0 && err == nil {
				t.Errorf("%s: a changed document is known", e)
			}
			raw[len(raw)-10] ^= 1
			if err := verify(now); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestCacheTwice: a known statement in two places is judged once, as without a
// cache.
func TestCacheTwice(t *testing.T) {
	for _, e := range Encodings() {
		tr := newTrial(t)
		raw := map[Encoding][]byte{JWS: tr.sign(), AC: tr.ac(acEdits{})}[e]
		in := document(raw)
		in.URL, in.MediaType = DocumentURL(source, service, e), e.MediaType()
		tr.evidence = evidenceOf(txtAnswer(e.TXTRecord(raw)), in)
		result, err := tr.verify()
		sameWithCache(t, tr, result, err)
		if err != nil || !slices.ContainsFunc(result.Checks(), func(c Check) bool { return strings.HasPrefix(c.Detail, "the same octets as") }) {
			t.Errorf("%s: %v", e, err)
		}
	}
}

// TestCachePools: a cache has its own copy of the pool, and none of what others
// than crypto/x509 decide.
func TestCachePools(t *testing.T) {
	lab := newLaboratory(t)
	shown := lab.signer.Chain()

	grown := x509.NewCertPool()
	cache := NewCache(grown)
	grown.AddCert(lab.root.Root())
	if _, err := longestPath(forPeer, cache.pathKey(shown), shown, grown, cache, now); err == nil {
		t.Error("an anchor counts that was added later")
	}

	asked := 0
	constrained := x509.NewCertPool()
	constrained.AddCertWithConstraint(lab.root.Root(), func([]*x509.Certificate) error {
		if asked++; asked > 2 {
			return errRejected
		}
		return nil
	})
	cache = NewCache(constrained)
	for i := range 3 {
		if _, err := longestPath(forPeer, cache.pathKey(shown), shown, constrained, cache, now); (err == nil) != (i < 2) {
			t.Errorf("%d: %v", i, err)
		}
	}
	if _, ok := countAnchors(constrained); ok {
		t.Error("a constraint was not seen")
	}
	if named, ok := countAnchors(lab.root.Pool()); !ok || named[string(lab.root.Root().RawSubject)] != 1 {
		t.Error("the fields of a pool are not as they were")
	}
	if c := NewCache(nil); c.serves(nil) {
		t.Error("a cache without a pool serves")
	}
}

// TestCacheBound: what peers show stays within its bound, and pushes out nothing
// that is known of signers. What is asked for again and again stays.
func TestCacheBound(t *testing.T) {
	tr := cachedTrial(t)
	c := tr.policy.Cache
	shown := tr.signer.Chain()
	best, err := longestPath(forPeer, c.pathKey(shown), shown, nil, c, now)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20_000 {
		other := *shown[1]
		other.Raw = fmt.Append(nil, i)
		list := []*x509.Certificate{shown[0], &other}
		way := path{append(slices.Clone(list), best.chain[2]), best.end}
		c.learn(forPeer, c.pathKey(list), list, [][]*x509.Certificate{way.chain}, way, now)
		if _, ok := c.path(forPeer, c.pathKey(shown), shown, now); !ok {
			t.Fatalf("forgotten after %d others", i)
		}
	}
	if n, w := c.of[forPeer].Len(), c.of[forPeer].Weight(); n > 10_000 || n < 1000 || w > room[forPeer] {
		t.Errorf("%d paths of weight %d", n, w)
	}
	if _, ok := c.path(forSigner, c.pathKey(shown), shown, now); !ok {
		t.Error("the signer's path was pushed out")
	}
	for i := range 20_000 {
		s := candidate{found: key{aToken, fmt.Sprint(i)}}
		c.keep(s, &cached{signer: &signerChain{kept: true}}, nil)
	}
	if w := c.of[forSigner].Weight(); w > room[forSigner] || w < room[forSigner]/2 {
		t.Errorf("weight %d", w)
	}
}

// TestCacheWeight: a parsed certificate is counted as no less than it takes,
// even one with as many parts as its size allows.
func TestCacheWeight(t *testing.T) {
	for name, edit := range map[string]func(*x509.Certificate){
		"usual": nil,
		"many names": func(c *x509.Certificate) {
			for i := range 3000 {
				c.DNSNames = append(c.DNSNames, fmt.Sprint(i))
			}
		},
		"many policies": func(c *x509.Certificate) {
			for i := range 1000 {
				c.Policies = append(c.Policies, oid(t, 1, 2, uint64(i)))
			}
		},
		"many usages": func(c *x509.Certificate) {
			for i := range 1000 {
				c.UnknownExtKeyUsage = append(c.UnknownExtKeyUsage, asn1.ObjectIdentifier{1, 2, i})
			}
		},
		"many extensions": func(c *x509.Certificate) {
			for i := range 1000 {
				extended(false, []int{1, 2, 3, i}, 5, 0)(c)
			}
		},
	} {
		der := pathCase{leaf: edit}.newFamily(t, source).leaf.Raw
		const copies = 200
		held := make([]*x509.Certificate, copies)
		live := func() uint64 {
			runtime.GC()
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return m.HeapAlloc
		}
		before := live()
		for i := range held {
			held[i] = parse(t, bytes.Clone(der))
		}
		took := int(live()-before) / copies
		weight := weightOf(held[0])
		if raceDetector {
			weight += weight / 4 // small values do not share memory then
		}
		if weight < took {
			t.Errorf("%s: %d bytes take %d and are counted as %d", name, len(der), took, weight)
		}
		runtime.KeepAlive(held)
	}
}

func oid(t *testing.T, arcs ...uint64) x509.OID {
	t.Helper()
	id, err := x509.OIDFromInts(arcs)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// TestCacheStatementWeight: a known statement is counted as no less than it takes,
// with what is known of its signer, even one of many small targets and pins.
func TestCacheStatementWeight(t *testing.T) {
	tr := newTrial(t)
	for i := range limits.MaxTargets - 1 {
		tr.statement.Targets = append(tr.statement.Targets, Target{Endpoint: Endpoint{fmt.Sprintf("h%d.example", i), 1}, SPKI: make([]Pin, limits.MaxPins)})
	}
	for _, e := range Encodings() {
		const copies = 60
		raw := make([][]byte, copies)
		for i := range raw {
			tr.statement.ID[1]++
			raw[i] = map[Encoding]func() []byte{JWS: tr.sign, AC: func() []byte { return tr.ac(acEdits{}) }}[e]()
		}
		p := tr.policy
		p.Cache = NewCache(p.Roots)
		live := func() int64 {
			runtime.GC()
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			return int64(m.HeapAlloc)
		}
		before := live()
		for _, raw := range raw {
			if _, err := Verify(tr.query, evidenceOf(txtAnswer(e.TXTRecord(raw))), p); err != nil {
				t.Fatal(err)
			}
		}
		took := live() - before
		weight := p.Cache.of[forSigner].Weight()
		if weight < took {
			t.Errorf("%s: %d statements take %d bytes and are counted as %d", e, copies, took, weight)
		}
		t.Logf("%s: a statement of %d bytes takes %d and is counted as %d", e, len(raw[0]), took/copies, weight/copies)
		runtime.KeepAlive(p.Cache)
		runtime.KeepAlive(raw)
	}
}

// TestCacheConcurrently is for the race detector.
func TestCacheConcurrently(t *testing.T) {
	tr := newTrial(t)
	tr.policy.Cache = NewCache(tr.policy.Roots)
	tr.evidence = evidenceOf(txtAnswer(JWS.TXTRecord(tr.sign())))
	peers := PeerPolicy{Roots: tr.policy.Roots, Cache: tr.policy.Cache, Now: clock(now)}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				if _, err := Verify(tr.query, tr.evidence, tr.policy); err != nil {
					t.Error(err)
				}
				if _, err := peers.Check(tr.signer.Chain(), []Reference{{Name: source}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
}
