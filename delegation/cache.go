package delegation

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"reflect"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/dnasign/dnasign/encoding/jws"
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
	of [uses]*lru.Cache[key, any]
}

// A key is all that a result follows from, and what kind of thing it is. The map
// compares all of its bytes: what its hash is decides nothing. The hash depends on a
// secret of the process, so that nobody can choose keys that share one.
type key struct {
	kind  kind
	bytes string
}

type kind int

const (
	aRecord      kind = iota + 1 // a statement, by the text of its TXT record
	aToken                       // a statement, by the JWS
	aMessage                     // a statement, by the CMS message with its attribute certificate
	aHeader                      // a signer's chain, by the header of the JWS it came in
	aBag                         // a signer's chain, by the certificates of the CMS message it came in
	aCertificate                 // a certificate, by its DER
	aPath                        // a path, by the SHA-256 of the certificates that were shown
)

// statementKey is the key of a statement as a document or a stream has it. An
// encoding that nobody knows has none.
func statementKey(e Encoding, raw []byte) key {
	switch e {
	case JWS:
		return key{aToken, string(raw)}
	case AC:
		return key{aMessage, string(raw)}
	}
	return key{}
}

// bagKey is the key of the certificates of a CMS message, the signer's first. Each is
// one element of DER, so their bytes also say where each of them ends.
func bagKey(certificates [][]byte) key {
	size := 0
	for _, der := range certificates {
		size += len(der)
	}
	var all strings.Builder
	all.Grow(size)
	for _, der := range certificates {
		all.Write(der)
	}
	return key{aBag, all.String()}
}

// pathKey is the key of the path of certificates that were shown. It is a digest,
// because they would take seven times the room of the path.
func (c *Cache) pathKey(shown []*x509.Certificate) key {
	if c == nil {
		return key{}
	}
	h := sha256.New()
	var sum [sha256.Size]byte
	for _, c := range shown {
		binary.BigEndian.PutUint64(sum[:8], uint64(len(c.Raw)))
		h.Write(sum[:8])
		h.Write(c.Raw)
	}
	return key{aPath, string(h.Sum(sum[:0]))}
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
		c.of[u] = lru.New[key, any](limit)
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
func get[V any](c *Cache, u use, k key) (v V, ok bool) {
	if c == nil {
		return v, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	known, _ := c.of[u].Get(k)
	v, ok = known.(V)
	return v, ok
}

func (c *Cache) put(u use, k key, v any, weight int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.of[u].Put(k, v, int64(weight+len(k.bytes)))
}

// parse is parseCertificate, unless exactly these bytes were parsed before.
func (c *Cache) parse(der []byte) (*x509.Certificate, error) {
	if c != nil {
		if known, ok := get[*x509.Certificate](c, forSigner, key{aCertificate, string(der)}); ok {
			return known, nil
		}
	}
	return parseCertificate(der)
}

// A cached is a statement whose signature was verified, and what follows from its
// bytes alone.
type cached struct {
	encoding  Encoding
	size      int // in octets
	statement Statement
	targets   Digest // of the statement's targets
	signer    *signerChain
}

// A signerChain is the certificates of a signer as parseChain gives them, and what
// follows from their bytes alone.
type signerChain struct {
	certificates []*x509.Certificate
	fingerprint  Digest      // of the first
	path         key         // that of their path
	header       *jws.Header // the one they came in, if the cache has it
	kept         bool        // the cache has them
}

// statement finds the statement that was verified in exactly this form, or nil.
func (c *Cache) statement(k key) *cached {
	known, _ := get[*cached](c, forSigner, k)
	return known
}

// inToken finds the chain that came in exactly the same header of a JWS.
func (c *Cache) inToken(s candidate) (signer *signerChain, header *jws.Header) {
	if c == nil || s.encoding != JWS {
		return nil, nil
	}
	token := s.found.bytes[len(s.found.bytes)-len(s.raw):] // a record ends with it
	text, _, _ := strings.Cut(token, ".")
	signer, ok := get[*signerChain](c, forSigner, key{aHeader, text})
	if !ok {
		return nil, nil
	}
	return signer, signer.header
}

// inBag finds the chain that came as exactly the same certificates of a CMS message.
func (c *Cache) inBag(s *signed) *signerChain {
	if c == nil || s.token != nil {
		return nil
	}
	known, _ := get[*signerChain](c, forSigner, bagKey(s.certificates))
	return known
}

// keep remembers a statement that was verified to its end, and its certificates.
func (c *Cache) keep(s candidate, p *cached, received *signed) {
	if c == nil {
		return
	}
	weight := 1 << 10
	for _, certificate := range p.signer.certificates {
		weight += weightOf(certificate)
	}
	if !p.signer.kept {
		c.keepSigner(p.signer, received, weight)
	}
	c.put(forSigner, s.found, p, weight+3*p.size)
}

// keepSigner remembers the certificates of a signer, together and one by one.
func (c *Cache) keepSigner(s *signerChain, received *signed, weight int) {
	s.kept = true
	for _, certificate := range s.certificates {
		c.put(forSigner, key{aCertificate, string(certificate.Raw)}, certificate, weightOf(certificate))
	}
	if received.token == nil {
		c.put(forSigner, bagKey(received.certificates), s, weight)
		return
	}
	s.header = received.token.Header()
	c.put(forSigner, key{aHeader, s.header.Text()}, s, weight)
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

// path finds the longest path for certificates that were shown and their pathKey, if
// longestPath would find the same at that time, in whole seconds.
func (c *Cache) path(u use, k key, shown []*x509.Certificate, at time.Time) (best path, ok bool) {
	known, ok := get[*way](c, u, k)
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
func (c *Cache) learn(u use, k key, shown []*x509.Certificate, found [][]*x509.Certificate, best path, at time.Time) {
	if len(best.chain) < 2 {
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
	c.put(u, k, w, 1<<9)
}
