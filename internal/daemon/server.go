package daemon

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"mime"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery/verifier"
	"github.com/dnasign/dnasign/internal/hints"
)

// Limits of the protocol.
const (
	// maxBody bounds a question in octets: ten certificates of 8 KB, in PEM and
	// JSON, twice over.
	maxBody = 256 << 10
	// usualBody is for how many of them there is room before they arrive.
	usualBody = 8 << 10
	// largeBody is what a question has at most that begins to be read at once. Ten
	// certificates of a usual size fit. Of those with more, largeBodies are read at
	// a time, since a client may stop in the middle.
	largeBody   = 32 << 10
	largeBodies = 64
	// maxHeader bounds the header of a request in octets.
	maxHeader = 16 << 10
	// questionTimeout bounds the time until a question is answered. A server
	// with a stream waiting gives up at about that.
	questionTimeout = 15 * time.Second
)

// A State is what questions are answered with. A reload makes another one.
type State struct {
	Verifier *verifier.Verifier
	// Health says whether the daemon can do its work.
	Health *Health

	users sync.WaitGroup // questions that are answered with it
}

// Close ends the state, which is no longer in use, once the questions under way
// are answered.
func (s *State) Close() {
	s.users.Wait()
	s.Verifier.Close()
}

// A Handler answers questions.
type Handler struct {
	metrics *Metrics
	log     *slog.Logger
	chains  *chains
	answers *answers
	large   chan struct{} // a place for each large question that is being read

	mu    sync.Mutex
	state *State
}

// NewHandler makes a Handler that has no state yet. A nil logger discards.
func NewHandler(m *Metrics, log *slog.Logger) *Handler {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	return &Handler{metrics: m, log: log, chains: newChains(), answers: newAnswers(), large: make(chan struct{}, largeBodies)}
}

// Use answers questions with another state from now on. It returns the one
// before, for the caller to close; the first time that is nil. Questions under
// way end with what they began with.
func (h *Handler) Use(s *State) *State {
	h.mu.Lock()
	defer h.mu.Unlock()
	before := h.state
	h.state = s
	return before
}

// using calls f with the state of now, which stays open meanwhile.
func (h *Handler) using(f func(*State)) {
	h.mu.Lock()
	s := h.state
	s.users.Add(1)
	h.mu.Unlock()
	defer s.users.Done()
	f(s)
}

// ServeHTTP sorts requests. Whatever is wrong with one is told as an [Answer].
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	if err := local(r); err != nil {
		h.refuse(w, http.StatusForbidden, err)
		return
	}
	var want string
	var serve func()
	switch r.URL.Path {
	case "/v1/check":
		want, serve = http.MethodPost, func() { h.ask(w, r, readQuestion, (*State).answer) }
	case "/v1/targets":
		want, serve = http.MethodPost, func() { h.ask(w, r, readPlace, (*State).place) }
	case "/healthz":
		want, serve = http.MethodGet, func() { h.health(w, r) }
	case "/metrics":
		want, serve = http.MethodGet, func() { h.metrics.handler.ServeHTTP(w, r) }
	default:
		h.refuse(w, http.StatusNotFound, bad("there is /v1/check, /v1/targets, /healthz and /metrics"))
		return
	}
	if r.Method != want {
		w.Header().Set("Allow", want)
		h.refuse(w, http.StatusMethodNotAllowed, bad("%s takes %s", r.URL.Path, want))
		return
	}
	serve()
}

// local refuses what a web page could send through somebody's browser. This is
// a request with an Origin and, on TCP, one for a host name that is not this
// machine's, however it resolves.
func local(r *http.Request) error {
	if len(r.Header.Values("Origin")) > 0 {
		return bad("web pages are not answered (Origin)")
	}
	addr, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr)
	if !ok || addr.Network() != "tcp" {
		return nil
	}
	listener, err := netip.ParseAddrPort(addr.String())
	if err != nil {
		return bad("the address of the listener is not known")
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	if ip, err := netip.ParseAddr(strings.Trim(host, "[]")); err == nil && (ip.Unmap().IsLoopback() || ip.Unmap() == listener.Addr().Unmap()) || host == "localhost" {
		return nil
	}
	return bad("the Host %.80q is not this machine", r.Host)
}

// refuse answers a request that is no question. The error itself says what to do.
func (h *Handler) refuse(w http.ResponseWriter, status int, err error) {
	h.reject(w, status, question{}, err, func(reasons.Reason) string { return "" })
}

// reject answers a question that cannot be understood, with what was read of it.
func (h *Handler) reject(w http.ResponseWriter, status int, q question, err error, hint func(reasons.Reason) string) {
	h.metrics.bad.WithLabelValues(strconv.Itoa(status)).Inc()
	a := newAnswer(q)
	a.Required = !q.nameless // nobody can say
	a.explain(err, hint)
	h.log.Debug(a.Message, "status", status)
	h.write(w, status, h.encode(a))
}

// ask reads a question and answers it.
func (h *Handler) ask(w http.ResponseWriter, r *http.Request, read func([]byte, *chains) (question, error), answer func(*State, context.Context, *Handler, question) (*Answer, verifier.Mark)) {
	begun := time.Now()
	if !isJSON(r.Header.Get("Content-Type")) {
		h.refuse(w, http.StatusUnsupportedMediaType, bad("the question is to be application/json"))
		return
	}
	body := bodies.Get().(*bytes.Buffer)
	defer func() {
		if body.Cap() <= usualBody {
			body.Reset()
			bodies.Put(body)
		}
	}()
	err := h.receive(body, http.MaxBytesReader(w, r.Body, maxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		h.refuse(w, http.StatusRequestEntityTooLarge, bad("the question has more than %d octets", maxBody))
		return
	case err != nil:
		h.refuse(w, http.StatusBadRequest, bad("the question did not arrive whole: %v", err))
		return
	}
	q, err := read(body.Bytes(), h.chains)
	if err != nil {
		h.reject(w, http.StatusBadRequest, q, err, hints.For)
		return
	}
	h.using(func(s *State) {
		if t := h.answers.find(q, s.Verifier); t != nil {
			h.tell(w, q, t, begun)
			return
		}
		ctx, cancel := context.WithTimeout(r.Context(), questionTimeout)
		defer cancel()
		a, mark := answer(s, ctx, h, q)
		if a.Outcome == reasons.OutcomeVerified && len(q.chain) > 0 {
			h.chains.keep(q)
		}
		t := &told{a, h.encode(a), mark}
		h.answers.keep(q, t)
		h.tell(w, q, t, begun)
	})
}

// receive reads the text of a question.
func (h *Handler) receive(body *bytes.Buffer, from io.Reader) error {
	n, err := body.ReadFrom(io.LimitReader(from, largeBody))
	if err == nil && n == largeBody {
		h.large <- struct{}{} // who waits here is not read from, and the time of the connection goes on
		_, err = body.ReadFrom(from)
		<-h.large
	}
	return err
}

// bodies are buffers for questions. A question refers to its text until it is
// answered. What is kept of it is copied.
var bodies = sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, usualBody)) }}

func isJSON(contentType string) bool {
	const want = "application/json"
	if contentType == want {
		return true
	}
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && t == want
}

// answer answers a question. The mark is that of the proof, if there is one.
func (s *State) answer(ctx context.Context, h *Handler, q question) (*Answer, verifier.Mark) {
	a := newAnswer(q)
	if q.unusable != nil {
		d, err := s.Verifier.Decide(ctx, verifier.Question{Source: q.source, Service: q.service, Direction: q.direction, Addr: q.peer, Recheck: q.recheck})
		if err != nil {
			return a.failed(h, q, err), verifier.Mark{}
		}
		return a.decided(h, q, d).refused(q.unusable), verifier.Mark{}
	}
	proof, err := s.Verifier.Check(ctx, q.source, q.service, verifier.Peer{
		Direction: q.direction, Chain: q.chain, ChainVerified: q.verified, Endpoint: q.target, Addr: q.peer, Recheck: q.recheck, Lookup: q.evidence,
		Statement: q.brought,
	})
	if err != nil {
		a.failed(h, q, err)
		if q.illegible != nil && a.Unpublished {
			a.refused(q.illegible)
		}
		return a, verifier.Mark{}
	}
	if proof.Decision == nil {
		// The certificate of the source itself counts whatever a lookup finds.
		a.Cached = true
		a.name(proof.Reference)
	} else {
		a.decided(h, q, proof.Decision)
	}
	return a.accepted(q, proof), s.Verifier.Mark(proof)
}

// tell sends the answer to a question, counts and logs it.
func (h *Handler) tell(w http.ResponseWriter, q question, t *told, begun time.Time) {
	a := t.answer
	h.metrics.answered(a, time.Since(begun))
	level := slog.LevelInfo
	if a.Outcome == reasons.OutcomeVerified {
		level = slog.LevelDebug
	}
	if ctx := context.Background(); h.log.Enabled(ctx, level) {
		h.log.Log(ctx, level, a.Message, "source", a.Source, "service", a.Service, "direction", a.Direction,
			"peer", peerText(q.peer), "outcome", a.Outcome, "reason", a.Reason, "method", value0(a.Method), "chain_verified_by", value0(a.ChainVerifiedBy), "required", a.Required,
			"cached", a.Cached, "took", time.Since(begun))
	}
	h.write(w, http.StatusOK, t.text)
}

func peerText(peer netip.Addr) string {
	if !peer.IsValid() {
		return ""
	}
	return peer.String()
}

func value0[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// encode gives the JSON form of an answer, or of what else is told. It is nil if
// there is none, which no type of ours brings about.
func (h *Handler) encode(v any) []byte {
	var text bytes.Buffer
	if err := json.NewEncoder(&text).Encode(v); err != nil {
		h.log.Error("an answer has no JSON form", "error", err)
		return nil
	}
	return text.Bytes()
}

// write sends JSON.
func (h *Handler) write(w http.ResponseWriter, status int, text []byte) {
	if text == nil {
		http.Error(w, "", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(text)))
	w.WriteHeader(status)
	_, _ = w.Write(text) // a client that is gone is no concern of ours
}
