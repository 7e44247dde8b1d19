package run

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/dnasign/dnasign/internal/vectors"
)

// A spy is a verifier that keeps what it sees.
type spy struct{ c vectors.Case }

func (s *spy) Answer(_ context.Context, c vectors.Case) (Answer, error) {
	s.c = c
	return Answer{}, nil
}

func unmarshal(t *testing.T, text string, into any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}
