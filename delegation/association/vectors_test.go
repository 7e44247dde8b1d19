package association_test

import (
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/vectortest"
)

// TestVectors: every case of testvectors about a decision or a connection.
func TestVectors(t *testing.T) { vectortest.Run(t, 230, "associate", "reuse") }
