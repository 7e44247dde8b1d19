package x509attr

import (
	"testing"

	"golang.org/x/crypto/cryptobyte"
)

// TestValidAny covers the check of parts without a structure of their own.
func TestValidAny(t *testing.T) {
	for _, tt := range []struct {
		name string
		der  []byte
		want bool
	}{
		{"NULL", []byte{5, 0}, true},
		{"NULL with content", []byte{5, 1, 0}, false},
		{"constructed NULL", []byte{0x25, 0}, false},
		{"end-of-contents", []byte{0, 0}, false},
		{"TRUE", []byte{1, 1, 0xff}, true},
		{"other true", []byte{1, 1, 1}, false},
		{"integer", []byte{2, 2, 0, 0x80}, true},
		{"long integer", []byte{2, 2, 0, 0x7f}, false},
		{"long enumerated", []byte{10, 2, 0xff, 0x80}, false},
		{"bit string", []byte{3, 2, 1, 2}, true},
		{"bit string with bits beyond its end", []byte{3, 2, 1, 3}, false},
		{"identifier", []byte{6, 1, 0x2a}, true},
		{"empty identifier", []byte{6, 0}, false},
		{"string", []byte{12, 1, 'x'}, true},
		{"constructed string", []byte{0x2c, 3, 12, 1, 'x'}, false},
		{"primitive sequence", []byte{0x10, 0}, false},
		{"primitive set", []byte{0x11, 0}, false},
		{"external", []byte{0x28, 0}, true},
		{"primitive external", []byte{8, 0}, false},
		{"embedded value", []byte{0x2b, 0}, true},
		{"nested fault", []byte{0x30, 5, 0xa0, 3, 1, 1, 1}, false},
		{"nested rest", []byte{0x30, 3, 5, 0, 5}, false},
		{"fault in an opaque string", []byte{4, 2, 5, 1}, true},
		{"primitive of another class", []byte{0x85, 1, 1}, true},
		{"long tag", []byte{0x9f, 0x1f, 0}, false},
		{"nothing", nil, false},
	} {
		s := cryptobyte.String(tt.der)
		if got := validAny(&s, maxDepth) && s.Empty(); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}
