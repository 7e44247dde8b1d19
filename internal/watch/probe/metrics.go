package probe

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/dnasign/dnasign/internal/watch"
)

// metrics are those of the program itself. No label holds what a caller
// chooses.
type metrics struct {
	handler http.Handler
	probes  *prometheus.CounterVec
	refused *prometheus.CounterVec
	latency prometheus.Histogram
}

func newMetrics() *metrics {
	registry := prometheus.NewRegistry()
	m := &metrics{
		handler: promhttp.HandlerFor(registry, promhttp.HandlerOpts{MaxRequestsInFlight: 4}),
		probes: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dnaverify_watch_probes_total", Help: "Probes by the status that was answered.",
		}, []string{"status"}),
		refused: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "dnaverify_watch_refused_total", Help: "Requests that were not answered, by HTTP status.",
		}, []string{"code"}),
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "dnaverify_watch_probe_seconds", Help: "How long probes took that were not answered from the cache.",
			Buckets: []float64{.01, .03, .1, .3, 1, 2, 5, 10, 20, 30},
		}),
	}
	for _, s := range statuses {
		m.probes.WithLabelValues(string(s))
	}
	registry.MustRegister(m.probes, m.refused, m.latency,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

var statuses = []watch.Status{watch.StatusOK, watch.StatusWarning, watch.StatusUndetermined, watch.StatusError}

// answer shows one report as metrics, in a registry of its own, in the manner
// of Prometheus's blackbox_exporter.
func answer(r watch.Report, took time.Duration) http.Handler {
	registry := prometheus.NewRegistry()
	gauge := func(name, help string, value float64) {
		g := prometheus.NewGauge(prometheus.GaugeOpts{Name: name, Help: help})
		g.Set(value)
		registry.MustRegister(g)
	}
	vector := func(name, help string, labels ...string) *prometheus.GaugeVec {
		v := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
		registry.MustRegister(v)
		return v
	}
	success := 0.0
	if r.Status == watch.StatusOK || r.Status == watch.StatusWarning {
		success = 1
	}
	gauge("probe_success", "Whether others conclude through every resolver what the owner says.", success)
	gauge("probe_duration_seconds", "How long the lookups took.", took.Seconds())
	gauge("dnaverify_probe_resolvers", "Resolvers that were asked.", float64(len(r.Verdicts)))
	gauge("dnaverify_probe_resolvers_agreeing", "Resolvers that lead to the most common conclusion.", float64(r.Agreeing))

	status := vector("dnaverify_probe_status", "1 for the worst that was found, 0 for the others.", "status")
	for _, s := range statuses {
		status.WithLabelValues(string(s)).Set(0)
	}
	status.WithLabelValues(string(r.Status)).Set(1)

	verdict := vector("dnaverify_probe_verdict", "1 for the outcome and reason of the verdict through each resolver.", "resolver", "outcome", "reason")
	host := vector("dnaverify_probe_host", "1 for the outcome and reason of the verdict about the target, through each resolver.", "resolver", "outcome", "reason")
	for _, v := range r.Verdicts {
		verdict.WithLabelValues(v.Resolver, string(v.Outcome), string(v.Reason)).Set(1)
		if v.Host != nil {
			host.WithLabelValues(v.Resolver, string(v.Host.Outcome), string(v.Host.Reason)).Set(1)
		}
	}

	finding := vector("dnaverify_probe_finding", "How often each finding was made.", "name")
	for _, n := range watch.Names() {
		finding.WithLabelValues(string(n)).Set(0)
	}
	severity := vector("dnaverify_probe_findings", "How many findings were made, by severity.", "severity")
	for _, s := range watch.Severities() {
		severity.WithLabelValues(string(s)).Set(0)
	}
	for _, f := range r.Findings {
		finding.WithLabelValues(string(f.Name)).Inc()
		severity.WithLabelValues(string(f.Severity)).Inc()
	}

	if r.StatementEnds != nil {
		gauge("dnaverify_probe_statement_expiry_timestamp_seconds", "When the statement ends, in seconds since 1970; absent if none is verified.", float64(r.StatementEnds.Unix()))
	}
	if r.CertificateEnds != nil {
		gauge("dnaverify_probe_certificate_expiry_timestamp_seconds", "When the certificate of its signer ends, in seconds since 1970; absent if none is verified.", float64(r.CertificateEnds.Unix()))
	}
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{})
}
