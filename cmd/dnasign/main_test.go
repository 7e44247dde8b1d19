package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/dnasign/dnasign/internal/testkit/clitest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"dnasign": main})
}

// The scripts look at what was published as others would, with dnaverify.
func TestScripts(t *testing.T) { clitest.Run(t, 8, build(t)) }

// build gives a folder with both commands. They look for certificates in the
// folder "machine" where they run, and not among those of this machine.
var build = clitest.Builder("-ldflags", "-X main.machine=machine", ".", "../dnaverify")
