package news

import (
	"bufio"
	"net"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/internal/watch"
)

// TestRealMail sends news through a real sendmail program, msmtp, to a mail server.
func TestRealMail(t *testing.T) {
	realtest.Need(t, "msmtp")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	type received struct {
		commands []string
		message  []byte
		err      error
	}
	got := make(chan received, 1)
	go func() {
		var r received
		r.commands, r.message, r.err = receive(l)
		got <- r
	}()

	dir := t.TempDir()
	program, err := exec.LookPath("msmtp")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(program, filepath.Join(dir, "sendmail")); err != nil {
		t.Fatal(err)
	}
	host, port, _ := net.SplitHostPort(l.Addr().String())
	config := "account default\nhost " + host + "\nport " + port + "\nfrom watch@b.example\ntls off\nauth off\n"
	if err := os.WriteFile(filepath.Join(dir, ".msmtprc"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("HOME", dir)
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	m, err := NewMail([]string{"admin@b.example"})
	if err != nil {
		t.Fatal(err)
	}
	f := &watch.Finding{Severity: watch.SeverityError, Name: watch.Refused, Detail: "a line\n.\nQUIT", Hint: "."}
	if err := m.Tell(t.Context(), []Item{item(New, f)}); err != nil {
		t.Fatal(err)
	}
	r := <-got
	if r.err != nil {
		t.Fatal(r.err)
	}
	if commands := strings.Join(r.commands, "\n"); !strings.Contains(commands, "MAIL FROM:<watch@b.example>") || !strings.Contains(commands, "RCPT TO:<admin@b.example>") {
		t.Errorf("commands %q", r.commands)
	}
	if text := string(r.message); !strings.Contains(text, "Subject: dnaverify watch: b.example: new: error refused\n") || !strings.Contains(text, "\n\nb.example _xmpp-server._tcp\n  NEW      error refused: a line?.?QUIT\n    hint: .\n") {
		t.Errorf("message %q", text)
	}
}

// receive is a mail server for one message (RFC 5321).
func receive(l net.Listener) (commands []string, message []byte, err error) {
	conn, err := l.Accept()
	if err != nil {
		return nil, nil, err
	}
	defer conn.Close()
	c := textproto.Conn{Reader: textproto.Reader{R: bufio.NewReader(conn)}, Writer: textproto.Writer{W: bufio.NewWriter(conn)}}
	reply := "220 mail.b.example"
	for {
		if err := c.PrintfLine("%s", reply); err != nil {
			return commands, message, err
		}
		if len(commands) > 0 && commands[len(commands)-1] == "QUIT" {
			return commands, message, nil
		}
		line, err := c.ReadLine()
		if err != nil {
			return commands, message, err
		}
		commands = append(commands, line)
		reply = "250 OK"
		switch line {
		case "QUIT":
			reply = "221 bye"
		case "DATA":
			if err := c.PrintfLine("354 go on"); err != nil {
				return commands, message, err
			}
			if message, err = c.ReadDotBytes(); err != nil {
				return commands, message, err
			}
		}
	}
}
