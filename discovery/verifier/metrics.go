package verifier

import "time"

// Metrics is told what happens in a Verifier. Names and labels are few and fixed:
// no stranger chooses one. The methods may be called by several goroutines at the
// same time, and must not wait.
type Metrics interface {
	// Count adds 1 to a counter: questions, lookups, evictions, refused,
	// refreshes, brought or memory.
	Count(name, label string)
	// Add changes a gauge by delta: in-flight or waiting.
	Add(name string, delta int)
	// Set sets a gauge: entries and bytes, by class, or watched, 0 or 1.
	Set(name, label string, value int64)
	// Took is how long a lookup took, until every place was looked at.
	Took(time.Duration)
}

type nobody struct{}

func (nobody) Count(string, string)      {}
func (nobody) Add(string, int)           {}
func (nobody) Set(string, string, int64) {}
func (nobody) Took(time.Duration)        {}

// sizes tells how full the cache is. It is called with the lock held.
func (d *Verifier) sizes() {
	for class := range classes {
		part := d.cache.of[class]
		d.config.Metrics.Set("entries", class.String(), int64(part.Len()))
		d.config.Metrics.Set("bytes", class.String(), part.Weight())
	}
}
