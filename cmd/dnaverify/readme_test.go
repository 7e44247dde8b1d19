package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/internal/testkit/clitest"
)

// TestReadme runs the terminal sessions of the README, in order, and compares
// what they print, but for times, sizes and signatures.
func TestReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	var session string
	for _, block := range strings.Split(string(readme), "```console\n")[1:] {
		text, _, _ := strings.Cut(block, "```\n")
		session += text
	}
	bin, dir := build(t), t.TempDir()
	if err := clitest.WriteWorld(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.CopyFS(filepath.Join(dir, "docs", "example"), os.DirFS("../../docs/example")); err != nil {
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
		if strings.HasPrefix(command, "dnasign sign ") {
			args = append(args, "--offline") // the test asks nobody
		}
		cmd := exec.Command(filepath.Join(bin, args[0]), args[1:]...)
		cmd.Dir = dir
		out, _ := cmd.CombinedOutput() // one of them is refused, as its text says
		got.WriteString(line + "\n" + string(out))
	}
	if commands < 5 {
		t.Fatalf("only %d commands in the sessions", commands)
	}
	if diff := cmp.Diff(masked(session), masked(got.String())); diff != "" {
		t.Errorf("(-README +printed)\n%s", diff)
	}
}

// masked leaves out what differs from run to run, and that the machine of the
// tests has no DNS.
func masked(s string) string {
	for pattern, with := range map[string]string{
		`(?m)^dnasign: warning: what is published in DNS cannot be seen.*\n`: "",
		`\d{4}-\d\d-\d\dT[\d:]+Z`: "TIME",
		`\d+ octets`:              "N octets",
		`s=ey[^"]*"( "[^"]*")*`:   "s=VALUE",
	} {
		s = regexp.MustCompile(pattern).ReplaceAllString(s, with)
	}
	return s
}
