package daemon

import (
	"bytes"
	"crypto/x509"
	"hash/maphash"
	"sync"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery/verifier"
	"github.com/dnasign/dnasign/internal/lru"
)

// What is remembered of questions whose peer was verified: how its chain was parsed,
// and what was answered.

const (
	// chainsRoom bounds what is kept of chains, in bytes.
	chainsRoom = 32 << 20
	// parsedWeight is how many bytes a chain takes at most for each byte of its text.
	// A usual chain takes 6. One full of short URIs takes 22.
	parsedWeight = 24
	// answersRoom bounds what is kept of answers, in bytes.
	answersRoom = 16 << 20
	// toldWeight is how many bytes an answer takes at most for each byte of its JSON
	// form, and emptyWeight those that any answer takes.
	toldWeight, emptyWeight = 4, 2 << 10
)

// chains remembers how chains of verified peers were parsed, by the exact text of
// the question. It saves the parsing and nothing else: each question has the
// certificates judged. What a peer shows that is not verified leaves no trace.
type chains struct {
	seed maphash.Seed

	mu    sync.Mutex
	known *lru.Cache[uint64, parsed] // by the hash of the text
	last  uint64                     // number that was given
}

// A parsed chain and its text.
type parsed struct {
	number uint64 // its own, never 0, and never that of another chain
	text   []byte
	chain  []*x509.Certificate
}

func newChains() *chains {
	return &chains{seed: maphash.MakeSeed(), known: lru.New[uint64, parsed](chainsRoom)}
}

// find gives the certificates of a text, and the number of the chain. That is 0 if it
// is not known.
func (c *chains) find(text []byte) (chain []*x509.Certificate, number uint64) {
	key := maphash.Bytes(c.seed, text)
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.known.Get(key)
	if !ok || !bytes.Equal(p.text, text) {
		return nil, 0
	}
	return p.chain, p.number
}

// keep remembers the chain of a question whose peer is verified.
func (c *chains) keep(q question) {
	if q.known != 0 {
		return
	}
	key, p := maphash.Bytes(c.seed, q.shown), parsed{text: bytes.Clone(q.shown), chain: q.chain}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	p.number = c.last
	c.known.Put(key, p, parsedWeight*int64(len(p.text)))
}

// answers remembers what was answered to questions whose peer was verified by a
// decision in the cache. It saves checking the same certificates against the same
// decision, and writing the same JSON. Whether the answer still stands, the Verifier
// says for each question. Of other answers nothing is kept.
type answers struct {
	mu    sync.Mutex
	known *lru.Cache[asked, *told]
}

// asked is all of a question that its answer rests on. There is no peer's address,
// which only lookups are counted for.
type asked struct {
	chain     uint64 // its number in chains, not 0
	source    string
	service   string
	direction association.Direction
	target    delegation.Endpoint
	verified  bool
}

// A told is an answer, and its JSON form.
type told struct {
	answer *Answer
	text   []byte
	mark   verifier.Mark
}

func newAnswers() *answers { return &answers{known: lru.New[asked, *told](answersRoom)} }

// key is what a question is remembered by. There is none if its chain is new, or if
// the answer is to say more than others.
func (q question) key() (k asked, ok bool) {
	return asked{q.known, q.source, q.service, q.direction, q.target, q.verified}, q.known != 0 && !q.evidence
}

// find gives the answer to a question that was answered before and still stands, or
// nil.
func (c *answers) find(q question, v *verifier.Verifier) *told {
	k, ok := q.key()
	if !ok {
		return nil
	}
	c.mu.Lock()
	t, ok := c.known.Get(k)
	c.mu.Unlock()
	if !ok || !v.Stands(t.mark) {
		return nil
	}
	return t
}

// keep remembers an answer, if it is one to remember.
func (c *answers) keep(q question, t *told) {
	if t.answer.Outcome == reasons.OutcomeVerified && t.answer.Cached && t.mark != (verifier.Mark{}) {
		c.put(q, t)
	}
}

func (c *answers) put(q question, t *told) {
	k, ok := q.key()
	if !ok {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known.Put(k, t, emptyWeight+toldWeight*int64(len(t.text)))
}
