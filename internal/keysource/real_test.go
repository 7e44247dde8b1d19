package keysource

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/keys"
)

// TestOpenSSL is the program of docs/keys.md.
func TestOpenSSL(t *testing.T) {
	realtest.Need(t, "openssl")
	for kind, options := range map[string]string{"P-256": "", "P-384": "", "RSA-2048": " -pkeyopt digest:sha256"} {
		t.Run(kind, func(t *testing.T) {
			site, cert, key := files(t, kind)
			sign(t, site, cert, "command:openssl pkeyutl -sign -inkey "+key+options)
		})
	}
}

// TestToken: the key is in a token of SoftHSM.
func TestToken(t *testing.T) {
	token := realtest.SoftHSM(t)
	run := time.Now().UnixNano() % 1e9 // keys of an earlier run are still there
	for i, kind := range []string{"P-256", "P-384", "RSA-2048"} {
		site, cert, key := files(t, kind)
		object, id := fmt.Sprintf("%s-%d", kind, run), fmt.Sprintf("a%d%02x", i, run%256)
		token.Import(t, key, object, id)
		for _, name := range []string{"object=" + object, "id=%" + id[:2] + "%" + id[2:], "object=" + object + ";id=%" + id[:2] + "%" + id[2:] + ";type=private"} {
			t.Run(name, func(t *testing.T) {
				sign(t, site, cert, token.URI(name))
			})
		}
		if i > 0 {
			continue
		}
		_, others, _ := files(t, kind)
		uri := token.URI("object=" + object)
		for _, c := range []struct{ cert, uri, want string }{
			{cert, token.URI("object=absent"), "list them: pkcs11-tool"},
			{others, uri, "another key"},
			{cert, strings.Replace(uri, "token=dna", "token=other", 1), `the token "other"`},
			{cert, uri + ".absent", "no such file"},
			{cert, strings.Replace(uri, "/usr/lib/softhsm/", "/absent/", 1), "/absent/"},
		} {
			_, _, err := keys.Loader{Open: new(Source).Open}.LoadSigner(c.cert, c.uri)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: %v, want %s", c.uri, err, c.want)
			}
		}
	}
}

// TestSSH: the key is on another machine, whose sshd lets us do nothing but sign.
func TestSSH(t *testing.T) {
	realtest.Need(t, "ssh", "sshd", "ssh-keygen", "openssl")
	sshd, err := exec.LookPath("sshd")
	if err != nil {
		t.Fatal(err)
	}
	site, cert, key := files(t, "P-256")
	dir, at := site.Dir, site.Path
	read := func(name string) string { return string(localca.Must(os.ReadFile(at(name)))) }
	for _, name := range []string{"host", "user"} {
		realtest.Output(t, dir, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", at(name))
	}
	user, host := read("user.pub"), read("host.pub")
	port := realtest.Port(t)
	site.Write("authorized_keys", `restrict,command="openssl pkeyutl -sign -inkey `+key+`" `+user)
	site.Write("known_hosts", fmt.Sprintf("[127.0.0.1]:%d %s", port, host))
	site.Write("sshd_config", fmt.Sprintf("ListenAddress 127.0.0.1:%d\nHostKey %s\nAuthorizedKeysFile %s\nPidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin forced-commands-only\n",
		port, at("host"), at("authorized_keys")))
	if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
		t.Skipf("only root can start sshd here: %v", err)
	}
	answers := func() bool {
		c, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			c.Close()
		}
		return err == nil
	}
	realtest.Server(t, answers, sshd, "-D", "-e", "-f", at("sshd_config"))
	line := fmt.Sprintf("command:ssh -F none -p %d -i %s -o BatchMode=yes -o UserKnownHostsFile=%s 127.0.0.1 sign", port, at("user"), at("known_hosts"))
	sign(t, site, cert, line)
}
