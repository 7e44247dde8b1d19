package discovery_test

import (
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/vectortest"
)

// TestVectors: every case of testvectors about replies of resolvers and addresses.
func TestVectors(t *testing.T) { vectortest.Run(t, 80, "dnssec", "self-test", "address") }
