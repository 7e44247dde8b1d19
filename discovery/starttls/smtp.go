package starttls

import (
	"slices"
	"strings"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// submission asks for TLS as RFC 3207, Section 4 says.
func submission(w *wire, _ Request) error {
	w.waiting = "greeting"
	if _, err := smtpReply(w, "220"); err != nil {
		return err
	}
	// RFC 5321, Section 4.1.1.1 wants a name or an address. In clear text nobody
	// needs ours: the client says EHLO again when TLS protects it.
	if err := w.say("EHLO [127.0.0.1]\r\n", "answer to EHLO"); err != nil {
		return err
	}
	extensions, err := smtpReply(w, "250")
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(extensions[1:], func(e string) bool { return begins(e, "STARTTLS") }) { // the first is its name
		return delegation.Errorf(reasons.STARTTLSMissing, "the peer does not offer STARTTLS")
	}
	if err := w.say("STARTTLS\r\n", "answer to STARTTLS"); err != nil {
		return err
	}
	_, err = smtpReply(w, "220")
	return err
}

// smtpReply reads a reply with a code, of one line or more (RFC 5321, Section
// 4.2.1), and gives the text of its lines.
func smtpReply(w *wire, code string) (lines []string, err error) {
	for {
		line, err := w.line()
		if err != nil {
			return nil, err
		}
		more := strings.HasPrefix(line, code+"-")
		if !more && !begins(line, code) {
			return nil, w.unexpected(line)
		}
		lines = append(lines, line[min(len(line), len(code)+1):])
		if !more {
			return lines, nil
		}
	}
}
