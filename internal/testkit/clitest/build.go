package clitest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
)

// Builder makes a function that gives each test a folder with programs. They are
// built once, by "go build" with these arguments, since linking takes seconds.
// If DNA_PROGRAMS names a folder, the dnasign and dnaverify that are installed
// there are tested instead.
func Builder(args ...string) func(t *testing.T) (dir string) {
	programs := sync.OnceValues(func() (map[string][]byte, error) { return build(args) })
	return func(t *testing.T) string {
		t.Helper()
		built, err := programs()
		if err != nil {
			t.Fatal(err)
		}
		// A process that begins now must not inherit a file that is being written:
		// nobody could run it.
		syscall.ForkLock.RLock()
		defer syscall.ForkLock.RUnlock()
		dir := t.TempDir()
		for name, program := range built {
			if err := os.WriteFile(filepath.Join(dir, name), program, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		return dir
	}
}

func build(args []string) (programs map[string][]byte, err error) {
	if installed := os.Getenv("DNA_PROGRAMS"); installed != "" {
		return readPrograms(installed, "dnasign", "dnaverify")
	}
	dir, err := os.MkdirTemp("", "programs")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	if out, err := exec.Command("go", append([]string{"build", "-o", dir}, args...)...).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("go build: %w\n%s", err, out)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, file := range files {
		names = append(names, file.Name())
	}
	return readPrograms(dir, names...)
}

func readPrograms(dir string, names ...string) (programs map[string][]byte, err error) {
	programs = map[string][]byte{}
	for _, name := range names {
		if programs[name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
			return nil, err
		}
	}
	return programs, nil
}
