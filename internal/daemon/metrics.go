package daemon

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/dnasign/dnasign/discovery/verifier"
)

// Metrics are what /metrics shows. No label holds what a stranger chooses.
type Metrics struct {
	// Engine counts those of the cache and the lookups.
	Engine verifier.Metrics

	handler   http.Handler
	questions *prometheus.CounterVec
	latency   *prometheus.HistogramVec
	bad       *prometheus.CounterVec
	reloads   *prometheus.CounterVec
}

// NewMetrics makes a registry of its own.
func NewMetrics() *Metrics {
	registry := prometheus.NewRegistry()
	m := &Metrics{
		Engine:  newEngineMetrics(registry),
		handler: promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}),
		questions: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dnaverify_questions_total", Help: "Answers by outcome, reason, the method by which the peer counts, direction, and who verified the path of its certificate.",
		}, []string{"outcome", "reason", "method", "direction", "chain_verified_by"}),
		latency: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "dnaverify_answer_seconds", Help: "Time to answer, by whether a lookup was needed.",
			Buckets: []float64{.0003, .001, .003, .01, .03, .1, .3, 1, 3, 10},
		}, []string{"cached"}),
		bad: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dnaverify_bad_requests_total", Help: "Requests that were no question, by status.",
		}, []string{"status"}),
		reloads: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dnaverify_reloads_total", Help: "Reloads of the configuration by result.",
		}, []string{"result"}),
	}
	for _, ok := range []bool{true, false} {
		m.reloads.WithLabelValues(reloadResult(ok)) // so that the first one is an increase
	}
	start := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "dnaverify_start_time_seconds", Help: "When the daemon began, in seconds since 1970.",
	})
	start.SetToCurrentTime()
	registry.MustRegister(m.questions, m.latency, m.bad, m.reloads, start,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Reloaded counts a reload of the configuration.
func (m *Metrics) Reloaded(ok bool) {
	m.reloads.WithLabelValues(reloadResult(ok)).Inc()
}

func reloadResult(ok bool) string {
	if ok {
		return "done"
	}
	return "failed"
}

// answered counts an answer.
func (m *Metrics) answered(a *Answer, took time.Duration) {
	m.questions.WithLabelValues(string(a.Outcome), string(a.Reason), string(value0(a.Method)), string(a.Direction), value0(a.ChainVerifiedBy)).Inc()
	cached := "false"
	if a.Cached {
		cached = "true"
	}
	m.latency.WithLabelValues(cached).Observe(took.Seconds())
}
