package starttls

import (
	"net"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/text"
)

// Limits of what is read before TLS.
const (
	// maxTime bounds the whole. It takes three round trips or so.
	maxTime = 30 * time.Second
	// maxOctets bounds all that the peer says. Servers in use send one or two
	// thousand octets.
	maxOctets = 64 << 10
	// maxLine bounds a line of IMAP, POP3 or SMTP, in octets. The capabilities
	// of IMAP are one line.
	maxLine = 8 << 10
	// maxLines bounds those lines. Servers in use send twenty or so.
	maxLines = 200
	// maxText bounds what is shown of the peer's words, in octets.
	maxText = 200
)

// A wire is a connection before TLS. It reads single octets: what it has not
// been asked for stays in the connection.
type wire struct {
	conn    net.Conn
	waiting string // for what, for messages
	left    int    // octets that may still come
	lines   int    // that have come
	err     error  // that ended it
}

// ReadByte reads one octet. With it, the decoder of XML reads no further than it
// needs to.
func (w *wire) ReadByte() (byte, error) {
	var octet [1]byte
	_, err := w.Read(octet[:])
	return octet[0], err
}

// Read reads one octet.
func (w *wire) Read(p []byte) (int, error) {
	if w.left == 0 && w.err == nil {
		w.err = delegation.Errorf(reasons.STARTTLSFailed, "the peer sends more than %d octets before the %s", maxOctets, w.waiting)
	}
	if w.err != nil {
		return 0, w.err
	}
	for {
		n, err := w.conn.Read(p[:1])
		switch {
		case n == 1 && w.left == maxOctets && (p[0] == 0x15 || p[0] == 0x16): // alert and handshake (RFC 8446, Section 5.1)
			w.err = delegation.Errorf(reasons.STARTTLSFailed, "the peer speaks TLS from the first byte, and not STARTTLS")
			return 0, w.err
		case n == 1:
			w.left--
			return 1, nil
		case err != nil:
			w.err = err
			return 0, err
		}
	}
}

// perhapsTLS is a remark for a peer that said nothing at all.
func (w *wire) perhapsTLS() string {
	if w.left < maxOctets {
		return ""
	}
	return ", as with a server where TLS begins with the first byte"
}

// say sends words, and sets what is waited for then.
func (w *wire) say(words, waiting string) error {
	w.waiting = waiting
	_, err := w.conn.Write([]byte(words))
	if err != nil {
		w.err = err
	}
	return err
}

// line reads a line, which ends with CRLF, and gives it without its end.
func (w *wire) line() (string, error) {
	if w.lines++; w.lines > maxLines {
		return "", delegation.Errorf(reasons.STARTTLSFailed, "the peer sends more than %d lines before TLS", maxLines)
	}
	var line []byte
	for {
		octet, err := w.ReadByte()
		switch {
		case err != nil:
			return "", err
		case octet == '\n' && len(line) > 0 && line[len(line)-1] == '\r':
			return string(line[:len(line)-1]), nil
		case octet == 0 || octet == '\n' || len(line) > 0 && line[len(line)-1] == '\r':
			return "", delegation.Errorf(reasons.STARTTLSFailed, "the peer sends %q in a line where the %s should come", octet, w.waiting)
		case len(line) == maxLine:
			return "", delegation.Errorf(reasons.STARTTLSFailed, "the peer sends a line of more than %d octets", maxLine)
		}
		line = append(line, octet)
	}
}

// unexpected is an error about what came instead of what was waited for.
func (w *wire) unexpected(words string) error {
	return delegation.Errorf(reasons.STARTTLSFailed, "what should be the %s is %q", w.waiting, shown(words))
}

// shown is a piece of the peer's words for a message.
func shown(words string) string { return text.Short(words, maxText) }

// begins reports whether a line begins with words, in upper or lower case, that
// end there or before a space.
func begins(line, words string) bool {
	return len(line) >= len(words) && strings.EqualFold(line[:len(words)], words) && (len(line) == len(words) || line[len(words)] == ' ')
}
