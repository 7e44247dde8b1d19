package daemon

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/dnasign/dnasign/discovery/verifier"
)

// A slowBody sends part of a question at once, and the rest when it may.
type slowBody struct {
	io.Reader
	sent atomic.Int64
}

func (b *slowBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	b.sent.Add(int64(n))
	return n, err
}

// TestLargeQuestions: clients that stop in the middle of large questions do not fill
// the memory. Who has a large one waits for them, and others do not.
func TestLargeQuestions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHandler(NewMetrics(), nil)
		answered := func(body io.Reader) <-chan int {
			status := make(chan int, 1)
			go func() {
				r, w := httptest.NewRequest("POST", "/v1/check", body), httptest.NewRecorder()
				r.Header.Set("Content-Type", "application/json")
				h.ServeHTTP(w, r)
				status <- w.Code
			}()
			synctest.Wait()
			return status
		}
		blanks := func(n int) io.Reader { return strings.NewReader(strings.Repeat(" ", n)) }
		var ends []*io.PipeWriter
		for range largeBodies {
			rest, end := io.Pipe()
			ends = append(ends, end)
			answered(io.MultiReader(blanks(largeBody+1), rest))
		}
		waiting := &slowBody{Reader: blanks(maxBody)}
		large := answered(waiting)
		if n := waiting.sent.Load(); n != largeBody {
			t.Errorf("%d octets were read beside %d large questions", n, largeBodies)
		}
		if got := <-answered(blanks(largeBody - 1)); got != http.StatusBadRequest {
			t.Errorf("a usual question is answered with %d", got)
		}
		ends[0].Close()
		if got := <-large; got != http.StatusBadRequest || waiting.sent.Load() != maxBody {
			t.Errorf("status %d after %d octets", got, waiting.sent.Load())
		}
		for _, end := range ends {
			end.Close()
		}
	})
}

// TestShownStays: the chain of a question keeps its text while other questions arrive.
// Otherwise one text would be remembered with the certificates of another.
func TestShownStays(t *testing.T) {
	h := NewHandler(NewMetrics(), nil)
	h.Use(&State{})
	for range 100 { // the pool may give any buffer
		r := httptest.NewRequest("POST", "/v1/check", strings.NewReader(with()))
		r.Header.Set("Content-Type", "application/json")
		h.ask(httptest.NewRecorder(), r, readQuestion, func(_ *State, _ context.Context, _ *Handler, q question) (*Answer, verifier.Mark) {
			before := bytes.Clone(q.shown)
			other := bodies.Get().(*bytes.Buffer)
			other.WriteString(strings.Repeat("x", usualBody))
			if !bytes.Equal(q.shown, before) {
				t.Error("another question was written over the chain of this one")
			}
			other.Reset()
			bodies.Put(other)
			return newAnswer(q), verifier.Mark{}
		})
	}
}
