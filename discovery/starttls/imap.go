package starttls

import (
	"slices"
	"strings"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// imap asks for TLS as RFC 9051, Section 6.2.1 says. Untagged responses are
// passed over: nothing that is said in clear text is kept.
func imap(w *wire, _ Request) error {
	w.waiting = "greeting"
	greeting, err := w.line()
	switch {
	case err != nil:
		return err
	case begins(greeting, "* PREAUTH"):
		// RFC 9051, Section 7.1.4: no TLS can begin then. Somebody on the path
		// can say it, too.
		return delegation.Errorf(reasons.STARTTLSMissing, "the peer greets with PREAUTH, after which TLS cannot begin")
	case !begins(greeting, "* OK"):
		return w.unexpected(greeting)
	}
	offered := false
	if err := imapCommand(w, "a", "CAPABILITY", "list of capabilities", func(line string) {
		offered = offered || begins(line, "* CAPABILITY") &&
			slices.ContainsFunc(strings.Fields(line), func(word string) bool { return begins(word, "STARTTLS") })
	}); err != nil {
		return err
	}
	if !offered {
		return delegation.Errorf(reasons.STARTTLSMissing, "the peer does not offer STARTTLS")
	}
	return imapCommand(w, "b", "STARTTLS", "answer to STARTTLS", func(string) {})
}

// imapCommand sends a command and reads the responses up to the one with its tag.
func imapCommand(w *wire, tag, command, waiting string, untagged func(line string)) error {
	if err := w.say(tag+" "+command+"\r\n", waiting); err != nil {
		return err
	}
	for {
		line, err := w.line()
		switch {
		case err != nil:
			return err
		case begins(line, tag+" OK"):
			return nil
		case !strings.HasPrefix(line, "* ") || begins(line, "* BYE"):
			return w.unexpected(line)
		}
		untagged(line)
	}
}
