package prosody

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"
)

// A question is what the daemon takes, and nothing else.
type question struct {
	Source    string `json:"source"`
	Service   string `json:"service"`
	Direction string `json:"direction"`
	Chain     string `json:"chain"`
	Peer      string `json:"peer"`
}

// An answer is what the daemon gives.
type answer map[string]any

func (q question) answer(outcome, reason string) answer {
	return answer{
		"version": 1, "outcome": outcome, "reason": reason, "detail": "the detail of " + reason, "hint": "do this about " + reason,
		"source": q.Source, "service": q.Service, "direction": q.Direction, "method": nil, "name": nil, "names": []any{},
		"required": false, "valid_until": nil, "refresh_at": in(5 * time.Minute), "cached": false, "message": "a sentence",
	}
}

func (q question) verified() answer {
	a := q.answer("verified", "")
	a["method"], a["name"], a["required"], a["valid_until"] = "delegation", hostB, true, in(time.Hour)
	return a
}

// with changes a member.
func (a answer) with(name string, value any) answer {
	a[name] = value
	return a
}

// without leaves a member out.
func (a answer) without(name string) answer {
	delete(a, name)
	return a
}

// cut is an answer in pieces.
func (a answer) cut(size int) (pieces []string) {
	all, _ := json.Marshal(a)
	for piece := range slices.Chunk(all, size) {
		pieces = append(pieces, string(piece))
	}
	return pieces
}

// in is a time from now.
func in(d time.Duration) string { return time.Now().Add(d).UTC().Format(time.RFC3339) }

// daemon answers questions with what a function returns: an answer, or text
// that is sent as it is, or a status, or nothing at all. It keeps the questions.
func daemon(t *testing.T, respond func(question) any) (url string, questions chan question) {
	t.Helper()
	questions = make(chan question, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var q question
		decoder := json.NewDecoder(http.MaxBytesReader(w, r.Body, 256<<10))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&q); err != nil || r.Method != http.MethodPost || r.URL.Path != "/v1/check" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("not a question: %s %s %v", r.Method, r.URL, err)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		questions <- q
		switch a := respond(q).(type) {
		case answer:
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
