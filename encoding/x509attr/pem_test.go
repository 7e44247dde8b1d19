package x509attr

import (
	"bytes"
	"encoding/pem"
	"strings"
	"testing"
)

// TestPEM: the text form has the label of RFC 7468 and holds the same octets.
func TestPEM(t *testing.T) {
	der := create(t, plainTemplate(t))
	text := string(EncodePEM(der))
	if !strings.HasPrefix(text, "-----BEGIN ATTRIBUTE CERTIFICATE-----\n") || !strings.HasSuffix(text, "\n-----END ATTRIBUTE CERTIFICATE-----\n") {
		t.Errorf("wrong form:\n%s", text)
	}
	if block, rest := pem.Decode([]byte(text)); block == nil || len(rest) > 0 || !bytes.Equal(block.Bytes, der) {
		t.Errorf("encoding/pem reads another certificate:\n%s", text)
	}
}
