package decisions

import "container/list"

// A class is what an entry rests on. Each has its own part of the memory:
// nobody can have a statement for a name without a certificate, but anybody
// can have names without end that prove nothing, or that one signed zone
// makes secure.
type class int

const (
	signed  class = iota // verified statements, revocations among them
	secured              // secure SRV records
	rest
	classes
)

func (c class) String() string { return [...]string{"statement", "dnssec", "other"}[c] }

// class of the entry.
func (e *entry) class() class {
	switch {
	case len(e.association.Floors()) > 0:
		return signed
	case e.proves():
		return secured
	}
	return rest
}

// weight is about how many octets of memory the entry takes, rather more than
// fewer: strangers choose how many names there are, and how long they are.
func (e *entry) weight() int64 {
	// An association of one statement, measured, without what follows; and each
	// element of a list, with the room that lists grow into.
	const empty, element = 3200, 200
	n := empty + len(e.evidence)
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
	if result := e.association.Result(); result != nil {
		for _, s := range result.Statements() {
			for _, t := range s.Statement.Targets {
				// With the octets of the claims, which the names are part of.
				n += 3*element + 3*len(t.Host) + 150*len(t.SPKI)
			}
		}
	}
	return int64(n)
}

// A cache holds entries, of each class those that were used last.
type cache struct {
	of      [classes]lru[key, *entry]
	evicted func(class)
}

func newCache(bytes int64, evicted func(class)) *cache {
	c := &cache{evicted: evicted}
	for i := range c.of {
		c.of[i] = newLRU[key, *entry](bytes / 4)
	}
	c.of[signed].limit = bytes / 2
	return c
}

// get finds an entry, fresh or not, and counts as use.
func (c *cache) get(k key) *entry {
	for i := range c.of {
		if e, ok := c.of[i].get(k); ok {
			return e
		}
	}
	return nil
}

// peek is get that counts as no use.
func (c *cache) peek(k key) *entry {
	for i := range c.of {
		if n, ok := c.of[i].nodes[k]; ok {
			return n.Value.(*node[key, *entry]).value
		}
	}
	return nil
}

// put replaces what there is.
func (c *cache) put(k key, e *entry) {
	c.remove(k)
	for _, old := range c.of[e.class()].put(k, e, e.weight()) {
		old.stop()
		c.evicted(e.class())
	}
}

// clear takes all out.
func (c *cache) clear() {
	for i := range c.of {
		for k := range c.of[i].nodes {
			c.remove(k)
		}
	}
}

// remove takes an entry out and stops its timer.
func (c *cache) remove(k key) {
	for i := range c.of {
		if e, ok := c.of[i].remove(k); ok {
			e.stop()
		}
	}
}

// An lru holds values up to a weight in all, those that were used last.
type lru[K comparable, V any] struct {
	limit, weight int64
	order         *list.List // of *node; the last used in front
	nodes         map[K]*list.Element
}

type node[K comparable, V any] struct {
	key    K
	value  V
	weight int64
}

func newLRU[K comparable, V any](limit int64) lru[K, V] {
	return lru[K, V]{limit: limit, order: list.New(), nodes: map[K]*list.Element{}}
}

func (l *lru[K, V]) get(k K) (v V, ok bool) {
	e, ok := l.nodes[k]
	if !ok {
		return v, false
	}
	l.order.MoveToFront(e)
	return e.Value.(*node[K, V]).value, true
}

func (l *lru[K, V]) remove(k K) (v V, ok bool) {
	e, ok := l.nodes[k]
	if !ok {
		return v, false
	}
	delete(l.nodes, k)
	n := l.order.Remove(e).(*node[K, V])
	l.weight -= n.weight
	return n.value, true
}

// put adds a value that is not there and returns what had to make room. One
// that is too heavy by itself does not stay.
func (l *lru[K, V]) put(k K, v V, weight int64) (evicted []V) {
	l.nodes[k] = l.order.PushFront(&node[K, V]{k, v, weight})
	l.weight += weight
	for l.weight > l.limit {
		n := l.order.Back().Value.(*node[K, V])
		l.remove(n.key)
		evicted = append(evicted, n.value)
	}
	return evicted
}
