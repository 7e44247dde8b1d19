package daemon

import (
	"context"
	"net/http"
	"sync"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/internal/hints"
)

const (
	// healthLife is how long the result of the tests is used. So frequent
	// questions to the daemon do not become frequent questions to the resolver.
	healthLife = 30 * time.Second
	// healthTimeout bounds the tests.
	healthTimeout = 8 * time.Second
)

// Health tells whether the daemon can do its work.
type Health struct {
	// Memory is read.
	Memory floors.Store
	// SelfTest asks the validating resolver; nil if there is nothing to test.
	SelfTest func(context.Context) error

	mu     sync.Mutex
	tested time.Time
	last   HealthReport
}

// A HealthReport is the answer to /healthz.
type HealthReport struct {
	Version int    `json:"version"`
	Status  string `json:"status"` // ok or failing
	// Since is when the status became what it is, as far as somebody asked for
	// it.
	Since time.Time     `json:"since"`
	Tests []HealthCheck `json:"tests"`
}

// A HealthCheck is one of its tests.
type HealthCheck struct {
	Name   string         `json:"name"` // memory, resolver
	OK     bool           `json:"ok"`
	Reason reasons.Reason `json:"reason,omitempty"`
	Detail string         `json:"detail,omitempty"`
	Hint   string         `json:"hint,omitempty"`
}

// probe is a name that is nobody's.
const probe = "healthz.example"

// report runs the tests, unless they ran a short while ago.
func (h *Health) report(ctx context.Context) HealthReport {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.tested.IsZero() && time.Since(h.tested) < healthLife {
		return h.last
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), healthTimeout)
	defer cancel()
	r := HealthReport{Version: 1, Status: "ok", Since: time.Now().UTC().Truncate(time.Second)}
	test := func(name string, otherwise reasons.Reason, err error) {
		c := HealthCheck{Name: name, OK: err == nil}
		if err != nil {
			r.Status = "failing"
			if c.Reason = delegation.ReasonOf(err); c.Reason == "" {
				c.Reason = otherwise
			}
			c.Detail, c.Hint = err.Error(), hints.For(c.Reason)
		}
		r.Tests = append(r.Tests, c)
	}
	_, err := h.Memory.Load(ctx, probe, "_xmpp-server._tcp")
	test("memory", reasons.MemoryFailed, err)
	if h.SelfTest != nil {
		test("resolver", reasons.SelfTestFailed, h.SelfTest(ctx))
	}
	if r.Status == h.last.Status {
		r.Since = h.last.Since
	}
	h.last, h.tested = r, time.Now()
	return r
}

// health answers 200, or 503 if a test fails.
func (h *Handler) health(w http.ResponseWriter, r *http.Request) {
	var report HealthReport
	h.using(func(s *State) { report = s.Health.report(r.Context()) })
	status := http.StatusOK
	if report.Status != "ok" {
		status = http.StatusServiceUnavailable
	}
	h.write(w, status, h.encode(report))
}
