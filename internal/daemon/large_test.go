package daemon

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
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
