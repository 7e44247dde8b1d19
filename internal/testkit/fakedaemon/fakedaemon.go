// Package fakedaemon is a daemon that answers as a test wants.
package fakedaemon

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"
)

// A Question is what the daemon takes, and nothing else.
type Question struct {
	Source        string          `json:"source"`
	Service       string          `json:"service"`
	Direction     string          `json:"direction"`
	Chain         string          `json:"chain"`
	Peer          string          `json:"peer"`
	Target        json.RawMessage `json:"target"`
	Evidence      bool            `json:"evidence"`
	Recheck       bool            `json:"recheck"`
	ChainVerified bool            `json:"chain_verified"`
	Statement     *Statement      `json:"statement"`
}

// A Statement is what the peer brought in its stream.
type Statement struct {
	Encoding string `json:"encoding"`
	Text     string `json:"text"`
}

// An Answer is what the daemon gives, with the members of docs/openapi.yaml.
type Answer map[string]any

// Answer is an answer that accepts nobody and requires nothing.
func (q Question) Answer(outcome, reason string) Answer {
	return Answer{
		"version": 1, "outcome": outcome, "reason": reason, "detail": "the detail of " + reason, "hint": "do this about " + reason,
		"source": q.Source, "service": q.Service, "direction": q.Direction, "method": nil, "name": nil, "tlsa": nil, "chain_verified_by": nil, "names": []any{},
		"required": false, "valid_until": nil, "refresh_at": In(5 * time.Minute), "cached": false, "found": nil, "unpublished": false, "message": "a sentence",
	}
}

// Verified is an answer that accepts the peer by a name for an hour.
func (q Question) Verified(name string) Answer {
	by := "daemon"
	if q.ChainVerified {
		by = "caller"
	}
	a := q.Answer("verified", "verified")
	a["method"], a["name"], a["chain_verified_by"], a["required"], a["valid_until"] = "delegation", name, by, true, In(time.Hour)
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

// Handler answers questions with what respond returns: an [Answer], text that is
// sent as it is, text in pieces, a status, or nothing at all. bad is told of requests
// that are no question.
func Handler(respond func(Question) any, bad func(error)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q Question
		decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 256<<10))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&q); err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/check" || r.Header.Get("Content-Type") != "application/json" {
			bad(fmt.Errorf("not a question: %s %s: %v", r.Method, r.URL, err))
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		switch a := respond(q).(type) {
		case Answer:
			_ = json.NewEncoder(w).Encode(a)
		case string:
			_, _ = w.Write([]byte(a))
		case []string:
			for _, piece := range a {
				_, _ = w.Write([]byte(piece))
				w.(http.Flusher).Flush()
			}
		case int:
			w.WriteHeader(a)
		case nil:
			<-r.Context().Done() // whoever asked went away
		}
	})
}
