package starttls

import (
	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// pop3 asks for TLS as RFC 2595, Section 4 says.
func pop3(w *wire, _ Request) error {
	w.waiting = "greeting"
	if err := pop3OK(w); err != nil {
		return err
	}
	if err := w.say("CAPA\r\n", "list of capabilities"); err != nil {
		return err
	}
	// RFC 2449, Section 5: a server without CAPA answers -ERR.
	first, err := w.line()
	switch {
	case err != nil:
		return err
	case begins(first, "-ERR"):
		return delegation.Errorf(reasons.STARTTLSMissing, "the peer does not say what it can do, so it does not offer STLS")
	case !begins(first, "+OK"):
		return w.unexpected(first)
	}
	offered := false
	for {
		line, err := w.line()
		if err != nil {
			return err
		}
		if line == "." {
			break
		}
		offered = offered || begins(line, "STLS")
	}
	if !offered {
		return delegation.Errorf(reasons.STARTTLSMissing, "the peer does not offer STLS")
	}
	if err := w.say("STLS\r\n", "answer to STLS"); err != nil {
		return err
	}
	return pop3OK(w)
}

func pop3OK(w *wire) error {
	line, err := w.line()
	if err == nil && !begins(line, "+OK") {
		return w.unexpected(line)
	}
	return err
}
