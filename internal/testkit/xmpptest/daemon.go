package xmpptest

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
)

// A Question is what the daemon takes, and nothing else.
type Question struct {
	Source        string `json:"source"`
	Service       string `json:"service"`
	Direction     string `json:"direction"`
	Chain         string `json:"chain"`
	Peer          string `json:"peer"`
	Recheck       bool   `json:"recheck"`
	ChainVerified bool   `json:"chain_verified"`
}

// An Answer is what the daemon gives.
type Answer map[string]any

// Answer is an answer that accepts nobody and requires nothing.
func (q Question) Answer(outcome, reason string) Answer {
	return Answer{
		"version": 1, "outcome": outcome, "reason": reason, "detail": "the detail of " + reason, "hint": "do this about " + reason,
		"source": q.Source, "service": q.Service, "direction": q.Direction, "method": nil, "name": nil, "chain_verified_by": nil, "names": []any{},
		"required": false, "valid_until": nil, "refresh_at": In(5 * time.Minute), "cached": false, "message": "a sentence",
	}
}

// Verified is an answer that accepts the peer by a name for an hour.
func (q Question) Verified(name string) Answer {
	a := q.Answer("verified", "")
	a["method"], a["name"], a["required"], a["valid_until"] = "delegation", name, true, In(time.Hour)
	return a
}

// With changes a member.
func (a Answer) With(name string, value any) Answer {
	a[name] = value
	return a
}

// Without leaves a member out.
func (a Answer) Without(name string) Answer {
	delete(a, name)
	return a
}

// Cut is an answer in pieces.
func (a Answer) Cut(size int) (pieces []string) {
	all, _ := json.Marshal(a)
	for piece := range slices.Chunk(all, size) {
		pieces = append(pieces, string(piece))
	}
	return pieces
}

// In is a time from now.
func In(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }

// Daemon answers questions with what a function returns: an answer, or text
// that is sent as it is, or a status, or nothing at all. It keeps the questions.
func Daemon(t *testing.T, respond func(Question) any) (url string, questions chan Question) {
	t.Helper()
	questions = make(chan Question, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q Question
		decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 256<<10))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&q); err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/check" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("not a question: %s %s %v", r.Method, r.URL, err)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		questions <- q
		switch a := respond(q).(type) {
		case Answer:
			json.NewEncoder(w).Encode(a)
		case string:
			w.Write([]byte(a))
		case []string: // in pieces
			for _, piece := range a {
				w.Write([]byte(piece))
				w.(http.Flusher).Flush()
			}
		case int:
			w.WriteHeader(a)
		case nil:
			<-r.Context().Done() // the module went away
		}
	}))
	t.Cleanup(server.Close)
	return server.URL + "/v1/check", questions
}
