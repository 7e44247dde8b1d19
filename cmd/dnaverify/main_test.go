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

// The scripts verify what dnasign signs, so they need it beside them.
func TestScripts(t *testing.T) { clitest.Run(t, 8, build(t)) }

// build builds both commands into a folder.
func build(t *testing.T) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if out, err := exec.Command("go", "build", "-o", dir, ".", "../dnasign").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return dir
}
