// Package lru keeps the values that were used last, up to a weight in all.
package lru

import (
	"container/list"
	"iter"
	"maps"
)

// A Cache is not safe for use by several goroutines at once. Make it with [New].
type Cache[K comparable, V any] struct {
	limit, weight int64
	order         *list.List // of *node; the last used in front
	nodes         map[K]*list.Element
}

type node[K comparable, V any] struct {
	key    K
	value  V
	weight int64
}

// New makes an empty cache that holds values of so much weight in all.
func New[K comparable, V any](limit int64) *Cache[K, V] {
	return &Cache[K, V]{limit: limit, order: list.New(), nodes: map[K]*list.Element{}}
}

// Len is how many values there are.
func (c *Cache[K, V]) Len() int { return len(c.nodes) }

// Weight is that of all values.
func (c *Cache[K, V]) Weight() int64 { return c.weight }

// Keys are those of all values, in any order. Values may be removed meanwhile.
func (c *Cache[K, V]) Keys() iter.Seq[K] { return maps.Keys(c.nodes) }

// Get finds a value, which is now the one that was used last.
func (c *Cache[K, V]) Get(k K) (v V, ok bool) {
	e, ok := c.nodes[k]
	if !ok {
		return v, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*node[K, V]).value, true
}

// Peek finds a value and does not count as use.
func (c *Cache[K, V]) Peek(k K) (v V, ok bool) {
	e, ok := c.nodes[k]
	if !ok {
		return v, false
	}
	return e.Value.(*node[K, V]).value, true
}

// Remove takes a value out.
func (c *Cache[K, V]) Remove(k K) (v V, ok bool) {
	e, ok := c.nodes[k]
	if !ok {
		return v, false
	}
	delete(c.nodes, k)
	n := c.order.Remove(e).(*node[K, V])
	c.weight -= n.weight
	return n.value, true
}

// Put adds a value in place of the one that is there, and returns what had to
// make room. A value that is too heavy by itself does not stay.
func (c *Cache[K, V]) Put(k K, v V, weight int64) (evicted []V) {
	c.Remove(k)
	c.nodes[k] = c.order.PushFront(&node[K, V]{k, v, weight})
	c.weight += weight
	for c.weight > c.limit {
		n := c.order.Back().Value.(*node[K, V])
		c.Remove(n.key)
		evicted = append(evicted, n.value)
	}
	return evicted
}
