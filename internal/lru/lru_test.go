package lru

import (
	"testing"

	"pgregory.net/rapid"
)

// TestModel holds the cache to a simple model.
func TestModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const limit = 20
		l := New[int, int](limit)
		var order []int // the last used in front
		weights := map[int]int64{}
		drop := func(k int) {
			for i, o := range order {
				if o == k {
					order = append(order[:i:i], order[i+1:]...)
				}
			}
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			k := rapid.IntRange(0, 9).Draw(t, "key")
			_, has := weights[k]
			switch rapid.IntRange(0, 2).Draw(t, "step") {
			case 0:
				if _, ok := l.Get(k); ok != has {
					t.Fatalf("get %d: %t", k, ok)
				}
				if has {
					drop(k)
					order = append([]int{k}, order...)
				}
			case 1:
				if _, ok := l.Remove(k); ok != has {
					t.Fatalf("remove %d: %t", k, ok)
				}
				drop(k)
				delete(weights, k)
			case 2:
				drop(k) // of the value that it replaces
				w := rapid.Int64Range(1, limit+1).Draw(t, "weight")
				evicted := l.Put(k, k, w)
				order, weights[k] = append([]int{k}, order...), w
				for sum(weights) > limit {
					last := order[len(order)-1]
					if len(evicted) == 0 || evicted[0] != last {
						t.Fatalf("evicted %v, want %d first", evicted, last)
					}
					evicted = evicted[1:]
					drop(last)
					delete(weights, last)
				}
				if len(evicted) > 0 {
					t.Fatalf("evicted %v too", evicted)
				}
			}
			if l.Weight() != sum(weights) || l.Len() != len(weights) || l.order.Len() != len(order) {
				t.Fatalf("weight %d, %d entries; want %d, %d", l.Weight(), l.Len(), sum(weights), len(weights))
			}
		}
	})
}

func sum(weights map[int]int64) (all int64) {
	for _, w := range weights {
		all += w
	}
	return all
}
