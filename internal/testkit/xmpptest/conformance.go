package xmpptest

import (
	"fmt"
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/clitest"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// A Conformance is a run of the program integrations/conformance.
type Conformance struct {
	Domain               string // that the server hosts
	Server, Daemon, Back int    // ports
	Cert, Key            string // files, of the peers
}

var conformance = clitest.Builder("github.com/dnasign/dnasign/integrations/conformance")

// Run fails the test if a rule is broken, and prints the table of a server.
func (c Conformance) Run(t *testing.T, server string) {
	t.Helper()
	at := func(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }
	realtest.Table(t, "conformance of "+server, realtest.Output(t, t.TempDir(), conformance(t)+"/conformance", "--server", at(c.Server), "--domain", c.Domain,
		"--cert", c.Cert, "--key", c.Key, "--daemon", at(c.Daemon), "--back", at(c.Back)))
}
