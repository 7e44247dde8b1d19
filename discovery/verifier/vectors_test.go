package verifier_test

import (
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/vectortest"
)

// TestVectors: every case of testvectors about the end of several attempts.
func TestVectors(t *testing.T) { vectortest.Run(t, 20, "attempts") }
