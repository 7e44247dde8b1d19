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
}

// A parsed chain and its text.
type parsed struct {
	text  []byte
	chain []*x509.Certificate
}

func newChains() *chains {
	return &chains{seed: maphash.MakeSeed(), known: lru.New[uint64, parsed](chainsRoom)}
}

// find gives the certificates of a text.
func (c *chains) find(text []byte) (chain []*x509.Certificate, ok bool) {
	key := maphash.Bytes(c.seed, text)
	c.mu.Lock()
	defer c.mu.Unlock()
	p, ok := c.known.Get(key)
	if !ok || !bytes.Equal(p.text, text) {
		return nil, false
	}
	return p.chain, true
}

// keep remembers the chain of a question whose peer is verified.
func (c *chains) keep(q question) {
	if q.known {
		return
	}
	key, p := maphash.Bytes(c.seed, q.shown), parsed{bytes.Clone(q.shown), q.chain}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.known.Put(key, p, parsedWeight*int64(len(p.text)))
}
