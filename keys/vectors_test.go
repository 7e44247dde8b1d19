package keys_test

import (
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/vectortest"
)

// TestVectors: every case of testvectors about what a signer is given.
func TestVectors(t *testing.T) { vectortest.Run(t, 20, "signer-files") }
