package main

import (
	"os/exec"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/dnasign/dnasign/internal/clitest"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"dnaverify": main})
}

func TestScripts(t *testing.T) {
	// The scripts verify what dnasign signs, so they need it beside them.
	dir := t.TempDir()
	if out, err := exec.Command("go", "build", "-o", dir, "../dnasign").CombinedOutput(); err != nil {
		t.Fatalf("building dnasign: %v\n%s", err, out)
	}
	clitest.Run(t, 1, dir)
}
