package delegation_test

import (
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/vectortest"
)

// TestVectors: every case of testvectors that verifies a statement.
func TestVectors(t *testing.T) { vectortest.Run(t, 900, "verify") }
