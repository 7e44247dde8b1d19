// Package realtest lets tests say which software they need that is not part of
// this module: the programs and files against which interoperability is tested.
// If one is missing the test is skipped, so that the module can be tested on
// any machine. With DNA_REQUIRE_REAL=1, as in continuous integration, the test
// fails instead, so that no machine passes by testing nothing.
//
// It starts real servers too, on free ports of the loopback address and in
// temporary folders, and stops them when the test ends. It installs nothing.
package realtest

import (
	"os"
	"os/exec"
	"testing"
)

// requireReal is the environment variable that turns a skip into a failure.
// Its one meaningful value is "1".
const requireReal = "DNA_REQUIRE_REAL"

// Need skips the test, with the reason, unless each of the programs can be
// found the way a shell would find it.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			missing(t, "program", program)
		}
	}
}

// NeedFile skips the test, with the reason, unless each path exists.
func NeedFile(t testing.TB, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if _, err := os.Stat(path); err != nil {
			missing(t, "file", path)
		}
	}
}

// missing ends the test for want of one component.
func missing(t testing.TB, kind, name string) {
	t.Helper()
	if os.Getenv(requireReal) == "1" {
		t.Fatalf("%s %s is missing and %s=1", kind, name, requireReal)
	}
	t.Skipf("%s %s is missing", kind, name)
}
