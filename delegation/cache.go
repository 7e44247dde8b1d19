package delegation

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"reflect"
	"slices"
	"sync"
	"time"

	"github.com/dnasign/dnasign/internal/lru"
)

// A Cache remembers what was verified, so that the same certificates and the
// same statement need no signature check the next time. It never changes an
// answer: see docs/decisions.md. For [Policy.Cache] and [PeerPolicy.Cache].
//
// It remembers successes only, each by all of its bytes. These are certificates
// of signers, statements with their signatures, and paths from lists of
// certificates to a trust anchor. Everything that depends on the question, the
// time, the floor or the policy is checked again on every use.
//
// It takes 36 MB at most, keeps what was used last, and is safe for concurrent
// use.
type Cache struct {
	given *x509.CertPool // as the caller knows it
	roots *x509.CertPool // as it was then
	// anchors counts the trust anchors of each name.
	anchors map[string]int

	mu sync.Mutex
	of [uses]*lru.Cache[Digest, any]
}

// A use is what certificates are shown for. Peers, who can show the same
// certificate with many others, cannot push out what is known of signers.
type use int

const (
	forSigner use = iota
	forPeer
	uses
)

// room is the weight of what is remembered for each use, in bytes.
var room = [uses]int64{forSigner: 32 << 20, forPeer: 4 << 20}

// NewCache makes a cache for one pool of trust anchors. It works with a copy: an
// anchor that is added to the pool later needs a new cache. It remembers nothing
// if others than crypto/x509 judge chains: the platform ([x509.SystemCertPool]
// on some systems), or functions ([x509.CertPool.AddCertWithConstraint]).
func NewCache(roots *x509.CertPool) *Cache {
	c := &Cache{given: roots}
	var limits [uses]int64
	if roots != nil {
		c.roots = roots.Clone()
		var ok bool
		if c.anchors, ok = countAnchors(c.roots); ok {
			limits = room
		}
	}
	for u, limit := range limits {
		c.of[u] = lru.New[Digest, any](limit)
	}
	return c
}

// countAnchors counts the trust anchors of each name. It reports whether
// crypto/x509 alone decides about them. A pool does not tell, so this looks at
// its fields, and says no if they are not those that it knows.
func countAnchors(pool *x509.CertPool) (named map[string]int, ok bool) {
	fields := reflect.ValueOf(pool).Elem()
	system, anchors := fields.FieldByName("systemPool"), fields.FieldByName("lazyCerts")
	if fields.NumField() != 4 || system.Kind() != reflect.Bool || system.Bool() || anchors.Kind() != reflect.Slice || anchors.Type().Elem().Kind() != reflect.Struct {
		return nil, false
	}
	named = map[string]int{}
	for i := range anchors.Len() {
		anchor := anchors.Index(i)
		subject, constraint := anchor.FieldByName("rawSubject"), anchor.FieldByName("constraint")
		if anchor.NumField() != 3 || subject.Kind() != reflect.Slice || constraint.Kind() != reflect.Func || !constraint.IsNil() {
			return nil, false
		}
		named[string(subject.Bytes())]++
	}
	return named, true
}

// serves reports whether the cache was made for a pool. None serves all.
func (c *Cache) serves(roots *x509.CertPool) bool {
	return c == nil || c.given == roots && roots != nil
}

// get finds what is remembered under a key.
func get[V any](c *Cache, u use, key Digest) (v V, ok bool) {
	if c == nil {
		return v, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	known, _ := c.of[u].Get(key)
	v, ok = known.(V)
	return v, ok
}

func (c *Cache) put(u use, key Digest, v any, weight int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of[u].Put(key, v, int64(weight))
}

// digestOf is the digest of a kind of result and of all bytes that it follows from.
func digestOf(kind string, parts ...[]byte) (key Digest) {
	h := sha256.New()
	size := make([]byte, 8)
	add := func(part []byte) {
		binary.BigEndian.PutUint64(size, uint64(len(part)))
		h.Write(size)
		h.Write(part)
	}
	add([]byte(kind))
	for _, part := range parts {
		add(part)
	}
	h.Sum(key[:0])
	return key
}

// parse is parseCertificate, unless exactly these bytes were parsed before.
func (c *Cache) parse(der []byte) (*x509.Certificate, error) {
	if c != nil {
		if known, ok := get[*x509.Certificate](c, forSigner, digestOf("certificate", der)); ok {
			return known, nil
		}
	}
	return parseCertificate(der)
}

// A cached is a statement whose signature was verified, with the signer's chain
// as parseChain gives it.
type cached struct {
	key       Digest // of all bytes of the statement
	statement Statement
	chain     []*x509.Certificate
}

func (c candidate) key() Digest { return digestOf("statement "+string(c.encoding), c.raw) }

// statement finds a candidate that was verified before. If there is none, known
// is for what follows from this one.
func (c *Cache) statement(s candidate) (known *cached, ok bool) {
	if c == nil {
		return &cached{}, false
	}
	key := s.key()
	if known, ok = get[*cached](c, forSigner, key); !ok {
		known = &cached{key: key}
	}
	return known, ok
}

// keep remembers a statement that was verified to its end, and its certificates.
func (c *Cache) keep(s candidate, p *cached) {
	if c == nil {
		return
	}
	weight := 1<<10 + 3*len(s.raw)
	for _, signer := range p.chain {
		weight += weightOf(signer)
		c.put(forSigner, digestOf("certificate", signer.Raw), signer, weightOf(signer))
	}
	c.put(forSigner, p.key, p, weight)
}

// weightOf is about how many bytes of memory a parsed certificate takes, rather
// more than fewer.
func weightOf(c *x509.Certificate) int {
	objects := len(c.Extensions) + len(c.Policies) + len(c.UnknownExtKeyUsage)
	return 4<<10 + 6*len(c.Raw) + 120*objects
}

// A way is a path without the certificates that were shown.
type way struct {
	places   []int // where those of the path stand among the ones that were shown
	anchor   *x509.Certificate
	end      time.Time // of the path
	from, to time.Time // when longestPath finds this one
}

func listKey(shown []*x509.Certificate) Digest {
	all := make([][]byte, 0, len(shown))
	for _, c := range shown {
		all = append(all, c.Raw)
	}
	return digestOf("path", all...)
}

// path finds the longest path for certificates that were shown, if longestPath
// would find the same at that time, in whole seconds.
func (c *Cache) path(u use, shown []*x509.Certificate, at time.Time) (best path, ok bool) {
	if c == nil {
		return path{}, false
	}
	known, ok := get[*way](c, u, listKey(shown))
	if !ok || at.Before(known.from) || !at.Before(known.to) {
		return path{}, false
	}
	best = path{make([]*x509.Certificate, 0, len(known.places)+1), known.end}
	for _, i := range known.places {
		best.chain = append(best.chain, shown[i])
	}
	best.chain = append(best.chain, known.anchor)
	return best, true
}

// learn remembers the longest of the paths that crypto/x509 found at a time. It
// is kept while no certificate that may be part of a path begins or ends. Such
// certificates are the ones shown and the anchors named like an issuer.
// Only the anchors on a path can be looked at, so if there are others, it
// remembers nothing.
func (c *Cache) learn(u use, shown []*x509.Certificate, found [][]*x509.Certificate, best path, at time.Time) {
	if c == nil || len(best.chain) < 2 {
		return
	}
	last := len(best.chain) - 1
	w := &way{
		anchor: best.chain[last], end: best.end,
		from: shown[0].NotBefore, to: shown[0].NotAfter.Add(time.Second),
	}
	for _, s := range best.chain[:last] {
		w.places = append(w.places, slices.Index(shown, s))
	}
	parts, named := slices.Clone(shown), map[string]int{}
	for _, chain := range found {
		if anchor := chain[len(chain)-1]; !slices.Contains(parts[len(shown):], anchor) {
			parts = append(parts, anchor)
			named[string(anchor.RawSubject)]++
		}
	}
	for i, part := range parts {
		if i < len(shown) && c.anchors[string(part.RawIssuer)] != named[string(part.RawIssuer)] {
			return
		}
		for _, change := range []time.Time{part.NotBefore, part.NotAfter.Add(time.Second)} {
			switch {
			case change.After(at) && change.Before(w.to):
				w.to = change
			case !change.After(at) && change.After(w.from):
				w.from = change
			}
		}
	}
	c.put(u, listKey(shown), w, 1<<9)
}
