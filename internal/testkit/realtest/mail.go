package realtest

import (
	"fmt"
	"os"
	"os/user"
	"strings"
	"testing"
)

// Ports are those of a service on 127.0.0.1.
type Ports struct{ STARTTLS, Direct int }

func (p Ports) ready() bool {
	return open(fmt.Sprintf("127.0.0.1:%d", p.STARTTLS)) && open(fmt.Sprintf("127.0.0.1:%d", p.Direct))
}

// Dovecot runs a real dovecot for IMAP, POP3 and submission, and returns the ports
// of each role. Nobody can log in.
func Dovecot(t testing.TB, cert, key string) map[string]Ports {
	t.Helper()
	Need(t, "dovecot")
	NeedFile(t, "/usr/lib/dovecot/imap-login", "/usr/lib/dovecot/pop3-login", "/usr/lib/dovecot/submission-login")
	// The path of a socket is at most 107 octets long (unix(7)), and that of a
	// test's own folder often longer.
	dir, err := os.MkdirTemp("", "dovecot")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil { // its processes without privilege use sockets there
		t.Fatal(err)
	}
	var conf strings.Builder
	fmt.Fprintf(&conf, `base_dir = %[1]s/run
state_dir = %[1]s/run
log_path = /dev/stderr
protocols = imap pop3 submission
listen = 127.0.0.1
ssl = required
ssl_cert = <%[2]s
ssl_key = <%[3]s
hostname = mail.hosting.example
passdb {
  driver = static
  args = nologin=y
}
`, dir, cert, key)
	chroot := ""
	if os.Geteuid() != 0 {
		us, err := user.Current()
		if err != nil {
			t.Fatal(err)
		}
		group, err := user.LookupGroupId(us.Gid)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&conf, "default_internal_user = %[1]s\ndefault_login_user = %[1]s\ndefault_internal_group = %[2]s\n", us.Username, group.Name)
		conf.WriteString("service anvil {\n  chroot =\n}\nservice stats {\n  chroot =\n}\n")
		chroot = "  chroot =\n"
	}
	all := map[string]Ports{}
	for _, name := range []string{"imap", "pop3", "submission"} {
		p := Ports{Port(t), Port(t)}
		fmt.Fprintf(&conf, "service %[1]s-login {\n  inet_listener %[1]s {\n    port = %[2]d\n  }\n  inet_listener %[1]ss {\n    port = %[3]d\n    ssl = yes\n  }\n%[4]s}\n",
			name, p.STARTTLS, p.Direct, chroot)
		all["_"+name+"._tcp"] = p
	}
	Server(t, func() bool {
		for _, p := range all {
			if !p.ready() {
				return false
			}
		}
		return true
	}, "dovecot", "-F", "-c", WriteFile(t, dir, "dovecot.conf", conf.String()))
	return all
}
