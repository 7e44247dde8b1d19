package daemon

import (
	"bytes"
	"crypto/x509"
	"hash/maphash"
	"sync"

	"github.com/dnasign/dnasign/internal/lru"
)

const (
	// chainsRoom bounds what is kept of chains, in bytes.
	chainsRoom = 32 << 20
	// parsedWeight is how many bytes a chain takes at most for each byte of its text.
	// A usual chain takes 6. One full of short URIs takes 22.
	parsedWeight = 24
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
