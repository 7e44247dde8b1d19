package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/dnasign/dnasign/internal/vectors/run"
)

// A language is a verifier that mistakes are put into.
type language interface {
	// suffix is that of its files.
	suffix() string
	// prepare makes what all trials share, in a folder, and close ends it.
	prepare(ctx context.Context, dir string) error
	close() error
	// try runs vectors with the texts of some files changed, and gives those
	// that fail. dir is for this trial alone.
	try(ctx context.Context, dir string, texts map[string]string, ids string) ([]string, error)
}

// ownFaults is a language that has mistakes of its own, which are not caught by
// vectors.
type ownFaults interface{ list() []fault }

var languages = map[string]language{"go": goVerifier{}, "javascript": javascript(), "java": java(), "model": worlds, "machine": machine, "tests": tests{}}

// command runs a program and gives its output; what it writes to standard error
// is in the error.
func command(ctx context.Context, name string, args ...string) ([]byte, error) {
	output, err := exec.CommandContext(ctx, name, args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		err = fmt.Errorf("%s: %w: %.2000s", name, err, exit.Stderr)
	}
	return output, err
}

// goVerifier is a small program, built again for each trial.
type goVerifier struct{}

func (goVerifier) suffix() string                            { return ".go" }
func (goVerifier) prepare(_ context.Context, _ string) error { return nil }
func (goVerifier) close() error                              { return nil }

// writeOverlay makes the file with which the compiler takes other texts.
func writeOverlay(dir string, texts map[string]string) (string, error) {
	replace := map[string]string{}
	for file, text := range texts {
		path, err := filepath.Abs(file)
		if err != nil {
			return "", err
		}
		replace[path] = filepath.Join(dir, strings.ReplaceAll(file, "/", "_"))
		if err := os.WriteFile(replace[path], []byte(text), 0o600); err != nil {
			return "", err
		}
	}
	data, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	return file, os.WriteFile(file, data, 0o600)
}

// quickBuild has this module built without optimization and without what debuggers
// read, which takes half of the time. Most of a trial in Go is the build.
const quickBuild = "-gcflags=./...=-N -l -dwarf=false"

func (goVerifier) try(ctx context.Context, dir string, texts map[string]string, ids string) (list []string, err error) {
	overlay, err := writeOverlay(dir, texts)
	if err != nil {
		return nil, err
	}
	binary := filepath.Join(dir, "faulty")
	if _, err := command(ctx, "go", "build", quickBuild, "-ldflags=-s -w", "-overlay", overlay, "-o", binary, "./internal/tools/faults/harness"); err != nil {
		return nil, err
	}
	h, err := run.Start(ctx, binary, os.Stderr)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, h.Close()) }()
	return failed(ctx, h, ids)
}
