package verifier

import (
	"errors"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/lru"
)

// A class is what an entry rests on. Each class has its own part of the memory.
// Nobody can have a statement for a name without a certificate. But anybody can
// have endless names that prove nothing, or that one signed zone makes secure.
type class int

const (
	signed  class = iota // verified statements, revocations among them
	secured              // secure SRV records
	rest
	classes
)

func (c class) String() string { return [...]string{"statement", "dnssec", "other"}[c] }

func (e *entry) class() class {
	switch {
	case !e.association.Floor().IsZero():
		return signed
	case e.proves():
		return secured
	}
	return rest
}

// lightest is the weight of an association of one statement, measured, without what
// weight adds.
const lightest = 3200

// weight is roughly how many octets of memory the entry takes, rather too many
// than too few. Strangers choose how many names there are, and how long they
// are.
func (e *entry) weight() int64 {
	const element = 200 // of a list, with the room that lists grow into
	n := lightest + len(e.evidence.packed) + len(e.nothing.packed)
	if e.brought != nil {
		n += len(e.brought.Body)
	}
	for _, c := range e.association.Checks() {
		n += element + len(c.Origin) + len(c.Detail)
	}
	for _, p := range e.association.Proofs() {
		n += len(p.Detail)
		for _, r := range p.References {
			n += element + len(r.Name)
		}
	}
	dial, _ := e.association.Dial() // without any, there is nothing to count
	for _, d := range dial {
		n += element + len(d.Host)
	}
	result, err := e.association.Statement()
	if failed, ok := errors.AsType[*delegation.Error](err); ok {
		for _, u := range failed.Unverified {
			n += element + len(u.Origin) + len(u.Raw)
		}
		return int64(n)
	}
	for _, t := range result.Targets() {
		// With the octets of the claims, which the names are part of.
		n += 3*element + 3*len(t.Host) + 150*len(t.SPKI)
	}
	return int64(n)
}

// A cache holds entries, of each class those that were used last.
type cache struct {
	of      [classes]*lru.Cache[key, *entry]
	evicted func(*entry)
	keeps   bool // there is room for an entry
}

func newCache(bytes int64, evicted func(*entry)) *cache {
	c := &cache{evicted: evicted, keeps: bytes/2 >= lightest}
	for i := range c.of {
		c.of[i] = lru.New[key, *entry](bytes / 4)
	}
	c.of[signed] = lru.New[key, *entry](bytes / 2)
	return c
}

// get finds an entry, fresh or not, and counts as use.
func (c *cache) get(k key) *entry {
	for i := range c.of {
		if e, ok := c.of[i].Get(k); ok {
			return e
		}
	}
	return nil
}

// peek is get that counts as no use.
func (c *cache) peek(k key) *entry {
	for i := range c.of {
		if e, ok := c.of[i].Peek(k); ok {
			return e
		}
	}
	return nil
}

// put replaces what there is.
func (c *cache) put(k key, e *entry) {
	c.remove(k)
	for _, old := range c.of[e.class()].Put(k, e, e.weight()) {
		old.stop()
		c.evicted(old)
	}
}

func (c *cache) clear() {
	for i := range c.of {
		for k := range c.of[i].Keys() {
			c.remove(k)
		}
	}
}

// remove takes an entry out and stops its timer.
func (c *cache) remove(k key) {
	for i := range c.of {
		if e, ok := c.of[i].Remove(k); ok {
			e.stop()
		}
	}
}
