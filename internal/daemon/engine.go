package daemon

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/dnasign/dnasign/discovery/verifier"
)

// engineMetrics shows what Verifiers tell: verifier.Metrics.
type engineMetrics struct {
	counters  map[string]*prometheus.CounterVec
	gauges    map[string]*prometheus.GaugeVec
	sums      map[string]prometheus.Gauge
	refreshes prometheus.Counter
	watched   prometheus.Gauge
	latency   prometheus.Histogram
}

var _ verifier.Metrics = (*engineMetrics)(nil)

func (m *engineMetrics) Count(name, label string) {
	if name == "refreshes" {
		m.refreshes.Inc()
		return
	}
	m.counters[name].WithLabelValues(label).Inc()
}

func (m *engineMetrics) Add(name string, delta int) { m.sums[name].Add(float64(delta)) }

func (m *engineMetrics) Set(name, label string, value int64) {
	if name == "watched" {
		m.watched.Set(float64(value))
		return
	}
	m.gauges[name].WithLabelValues(label).Set(float64(value))
}

func (m *engineMetrics) Took(d time.Duration) { m.latency.Observe(d.Seconds()) }

// newEngineMetrics registers them.
func newEngineMetrics(registry prometheus.Registerer) *engineMetrics {
	counter := func(name, help, label string, values ...string) *prometheus.CounterVec {
		v := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, []string{label})
		for _, value := range values {
			v.WithLabelValues(value) // so that it is there from the beginning, as 0
		}
		return v
	}
	gauge := func(name, help string) *prometheus.GaugeVec {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, []string{"class"})
		for _, class := range []string{"statement", "dnssec", "other"} {
			v.WithLabelValues(class)
		}
		return v
	}
	m := &engineMetrics{
		counters: map[string]*prometheus.CounterVec{
			"questions": counter("dnaverify_cache_questions_total", "Questions by how they met the cache: hit; miss, which began a lookup; shared, which waited for one under way.", "result", "hit", "miss", "shared"),
			"lookups":   counter("dnaverify_lookups_total", "Lookups by what came of them: proven, more names than the source's count; none, they do not; kept, an unexpired proof stayed; failed, a place could not be looked at; refused, there was no decision.", "result", "proven", "none", "kept", "failed", "refused"),
			"evictions": counter("dnaverify_cache_evictions_total", "Decisions that made room for others.", "class", "statement", "dnssec", "other"),
			"refused":   counter("dnaverify_lookups_refused_total", "Lookups that were not made, by the limit that was reached until their time in the queue was over: in-flight, of all; network, of the peer's; domain, of the names below the same one. waiting: questions that were sent away.", "limit", "in-flight", "network", "domain", "waiting"),
			"brought":   counter("dnaverify_statements_brought_total", "Statements that peers brought in their XMPP streams and that were judged, by what came of them: proven; none, they are not good; refused, too many were to be judged.", "result", "proven", "none", "refused"),
			"memory":    counter("dnaverify_memory_errors_total", "Failures of the memory of statements: it cannot be read, cannot be written, or is full.", "operation", "read", "write", "full"),
		},
		gauges: map[string]*prometheus.GaugeVec{
			"entries": gauge("dnaverify_cache_entries", "Decisions in the cache, by what they rest on."),
			"bytes":   gauge("dnaverify_cache_bytes", "Memory of the decisions in the cache, estimated."),
		},
		sums: map[string]prometheus.Gauge{
			"in-flight": prometheus.NewGauge(prometheus.GaugeOpts{Name: "dnaverify_lookups_in_flight", Help: "Lookups under way."}),
			"waiting":   prometheus.NewGauge(prometheus.GaugeOpts{Name: "dnaverify_questions_waiting", Help: "Questions that wait for lookups, begun or not."}),
		},
		latency:   prometheus.NewHistogram(prometheus.HistogramOpts{Name: "dnaverify_lookup_seconds", Help: "How long lookups took, until every place was looked at.", Buckets: []float64{.01, .03, .1, .3, 1, 2, 5, 10, 20}}),
		refreshes: prometheus.NewCounter(prometheus.CounterOpts{Name: "dnaverify_refreshes_total", Help: "Lookups begun ahead of time, with nobody waiting."}),
		watched:   prometheus.NewGauge(prometheus.GaugeOpts{Name: "dnaverify_memory_watched", Help: "1 while the memory tells of newer statements that others raise, 0 while it is read for each question instead."}),
	}
	registry.MustRegister(m.latency, m.refreshes, m.watched)
	for _, c := range m.counters {
		registry.MustRegister(c)
	}
	for _, g := range m.gauges {
		registry.MustRegister(g)
	}
	for _, g := range m.sums {
		registry.MustRegister(g)
	}
	return m
}
