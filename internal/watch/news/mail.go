package news

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"mime/quotedprintable"
	"net/mail"
	"os/exec"
	"strings"
	"time"

	"github.com/dnasign/dnasign/internal/program"
)

// mailTime is how long a sendmail program may take to accept a message.
const mailTime = time.Minute

// Mail sends news through the machine's sendmail program, as cron does.
type Mail struct {
	to       []string
	sendmail string // the program
}

// NewMail makes a Mail to addresses. Its errors are those of the caller's input, or
// say that there is no sendmail program.
func NewMail(addresses []string) (*Mail, error) {
	m := &Mail{}
	for _, a := range addresses {
		parsed, err := mail.ParseAddress(a)
		if err != nil || parsed.Address != a || strings.HasPrefix(a, "-") {
			return nil, fmt.Errorf("%q is no mail address (want admin@b.example)", a)
		}
		m.to = append(m.to, a)
	}
	for _, place := range []string{"sendmail", "/usr/sbin/sendmail", "/usr/lib/sendmail"} {
		if found, err := exec.LookPath(place); err == nil {
			m.sendmail = found
			return m, nil
		}
	}
	return nil, errors.New("no sendmail program in PATH, /usr/sbin or /usr/lib: install a mail transfer agent, such as msmtp-mta, or use --webhook")
}

// To implements [Teller].
func (m *Mail) To() string { return "mail to " + strings.Join(m.to, ", ") }

// Tell hands a message to the sendmail program.
func (m *Mail) Tell(ctx context.Context, items []Item) error {
	p := program.Program{
		Args:  append([]string{m.sendmail, "-i", "--"}, m.to...),
		Input: m.message(items), Patience: mailTime, MaxOutput: 64 << 10,
	}
	if _, _, err := p.Run(ctx); err != nil {
		return fmt.Errorf("%s %w", m.sendmail, err)
	}
	return nil
}

// message is the text with its header (RFC 5322). The sendmail program adds the date
// and the sender.
func (m *Mail) message(items []Item) []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "To: %s\nSubject: %s\n", strings.Join(m.to, ", "), subject(items))
	b.WriteString("Auto-Submitted: auto-generated\nMIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n")
	w := quotedprintable.NewWriter(&b)
	fmt.Fprint(w, body(items)) // neither this nor Close fails: a buffer takes everything
	w.Close()
	return bytes.ReplaceAll(b.Bytes(), []byte("\r\n"), []byte("\n"))
}
