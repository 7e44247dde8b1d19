package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

const unitFolder = "../../integrations/systemd"

// TestUnitCommand: the command of the systemd unit is one of this program.
func TestUnitCommand(t *testing.T) {
	unit, err := os.ReadFile(filepath.Join(unitFolder, "dnasign-renew.service"))
	if err != nil {
		t.Fatal(err)
	}
	_, line, found := strings.Cut(string(unit), "\nExecStart=dnasign ")
	line, _, _ = strings.Cut(line, "\n")
	cmd, args, err := rootCommand().Find(strings.Fields(line))
	if !found || err != nil || cmd.Name() != "renew" {
		t.Fatalf("command %q: %v", line, err)
	}
	if err := cmd.ParseFlags(args); err != nil || cmd.Flags().NArg() > 0 {
		t.Errorf("flags %q: %v", args, err)
	}
}

// TestUnits: systemd reads the units without a word.
func TestUnits(t *testing.T) {
	realtest.Need(t, "systemd-analyze")
	dir := t.TempDir()
	var files []string
	for _, name := range []string{"dnasign-renew.service", "dnasign-renew.timer"} {
		unit, err := os.ReadFile(filepath.Join(unitFolder, name))
		if err != nil {
			t.Fatal(err)
		}
		// The program need not be installed to read them.
		text := strings.ReplaceAll(string(unit), "ExecStart=dnasign", "ExecStart=/bin/true")
		files = append(files, realtest.WriteFile(t, dir, name, text))
	}
	if err := os.Chmod(files[0], 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(files[1], 0o644); err != nil {
		t.Fatal(err)
	}
	// What it does not understand it says on standard error, and goes on.
	out, err := exec.Command("systemd-analyze", append([]string{"verify"}, files...)...).CombinedOutput()
	if err != nil || len(out) > 0 {
		t.Errorf("%v\n%s", err, out)
	}
}
