package main

import (
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/dnasign/dnasign/internal/testkit/clitest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"dnaverify": main})
}

// The scripts verify what dnasign signs, so they need it beside them.
func TestScripts(t *testing.T) { clitest.Run(t, 8, build(t)) }

// build gives a folder with both commands.
var build = clitest.Builder(".", "../dnasign")
