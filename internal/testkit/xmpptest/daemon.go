package xmpptest

import (
	"net/http/httptest"
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/fakedaemon"
)

// Daemon answers questions with what a function returns, see [fakedaemon.Handler].
// It keeps the questions.
func Daemon(t *testing.T, respond func(fakedaemon.Question) any) (url string, questions chan fakedaemon.Question) {
	t.Helper()
	questions = make(chan fakedaemon.Question, 1000)
	server := httptest.NewServer(fakedaemon.Handler(func(q fakedaemon.Question) any {
		questions <- q
		return respond(q)
	}, func(err error) { t.Error(err) }))
	t.Cleanup(server.Close)
	return server.URL + "/v1/check", questions
}
