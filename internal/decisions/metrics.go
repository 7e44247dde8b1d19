package decisions

import "github.com/prometheus/client_golang/prometheus"

// Metrics counts what the Deciders do that are given it. No label holds what a
// stranger chooses.
type Metrics struct {
	questions *prometheus.CounterVec
	hits      prometheus.Counter // of them
	lookups   *prometheus.CounterVec
	latency   prometheus.Histogram
	inFlight  prometheus.Gauge
	entries   *prometheus.GaugeVec
	octets    *prometheus.GaugeVec
	evictions *prometheus.CounterVec
	refused   *prometheus.CounterVec
	refreshes prometheus.Counter
	memory    *prometheus.CounterVec
}

// NewMetrics registers metrics, unless the registry is nil.
func NewMetrics(registry prometheus.Registerer) *Metrics {
	counter := func(name, help, label string, values ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
		for _, value := range values {
			v.WithLabelValues(value) // so that it is there from the beginning, as 0
		}
		return v
	}
	gauge := func(name, help string) *prometheus.GaugeVec {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, []string{"class"})
		for c := range classes {
			v.WithLabelValues(c.String())
		}
		return v
	}
	m := &Metrics{
		questions: counter("dnaverify_cache_questions_total", "Questions by how they met the cache: hit; miss, which began a look-up; shared, which waited for one under way.", "result", "hit", "miss", "shared"),
		lookups:   counter("dnaverify_lookups_total", "Look-ups by what came of them: proven, more names than the source's count; none, they do not; kept, an unexpired proof stayed; failed, a place could not be looked at; refused, there was no decision.", "result", "proven", "none", "kept", "failed", "refused"),
		latency:   prometheus.NewHistogram(prometheus.HistogramOpts{Name: "dnaverify_lookup_seconds", Help: "How long look-ups took, until every place was looked at.", Buckets: []float64{.01, .03, .1, .3, 1, 2, 5, 10, 20}}),
		inFlight:  prometheus.NewGauge(prometheus.GaugeOpts{Name: "dnaverify_lookups_in_flight", Help: "Look-ups under way."}),
		entries:   gauge("dnaverify_cache_entries", "Decisions in the cache, by what they rest on."),
		octets:    gauge("dnaverify_cache_bytes", "Memory of the decisions in the cache, estimated."),
		evictions: counter("dnaverify_cache_evictions_total", "Decisions that made room for others.", "class", signed.String(), secured.String(), rest.String()),
		refused:   counter("dnaverify_lookups_refused_total", "Look-ups that were not begun, by the limit that was reached.", "limit", "rate", "in-flight", "peer", "waiting"),
		refreshes: prometheus.NewCounter(prometheus.CounterOpts{Name: "dnaverify_refreshes_total", Help: "Look-ups begun ahead of time, with nobody waiting."}),
		memory:    counter("dnaverify_memory_errors_total", "Failures of the memory of statements: it cannot be read, cannot be written, or is full.", "operation", "read", "write", "full"),
	}
	m.hits = m.questions.WithLabelValues("hit")
	if registry != nil {
		registry.MustRegister(m.questions, m.lookups, m.latency, m.inFlight, m.entries, m.octets, m.evictions, m.refused, m.refreshes, m.memory)
	}
	return m
}

// size notes how full a cache is.
func (m *Metrics) size(c *cache) {
	for class := range classes {
		m.entries.WithLabelValues(class.String()).Set(float64(len(c.of[class].nodes)))
		m.octets.WithLabelValues(class.String()).Set(float64(c.of[class].weight))
	}
}
