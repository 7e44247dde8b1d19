package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/internal/clitest"
)

// TestReadme runs the terminal session at the top of the README and compares
// what it prints, but for times, sizes and signatures.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(readme), "```console\n")
	session, _, found := strings.Cut(rest, "```\n")
	if !found {
		t.Fatal("the README has no terminal session")
	}
	bin, dir := build(t), t.TempDir()
	if err := clitest.WriteWorld(dir); err != nil {
		t.Fatal(err)
	}
	for old, name := range map[string]string{"b.pem": "fullchain.pem", "b.key": "privkey.pem"} {
		if err := os.Rename(filepath.Join(dir, old), filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	var got strings.Builder
	commands := 0
	for _, line := range strings.Split(session, "\n") {
		command, ok := strings.CutPrefix(line, "$ ")
		if !ok {
			continue
		}
		commands++
		args := strings.Fields(command)
		cmd := exec.Command(filepath.Join(bin, args[0]), args[1:]...)
		cmd.Dir = dir
		out, _ := cmd.CombinedOutput() // one of them is refused, as its text says
		got.WriteString(line + "\n" + string(out))
	}
	if commands < 4 {
		t.Fatalf("only %d commands in the session", commands)
	}
	if diff := cmp.Diff(masked(session), masked(got.String())); diff != "" {
		t.Errorf("(-README +printed)\n%s", diff)
	}
}

// masked leaves out what differs from run to run.
func masked(s string) string {
	for pattern, with := range map[string]string{
		`\d{4}-\d\d-\d\dT[\d:]+Z`:    "TIME",
		`\d{4}-\d\d-\d\d [\d:]+ UTC`: "TIME",
		`\d+ octets`:                 "N octets",
		`s=ey[^"]*"( "[^"]*")*`:      "s=VALUE",
	} {
		s = regexp.MustCompile(pattern).ReplaceAllString(s, with)
	}
	return s
}
