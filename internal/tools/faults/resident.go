package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/dnasign/dnasign/internal/vectors"
	"github.com/dnasign/dnasign/internal/vectors/run"
)

// A resident verifier is a program that is slow to start. As many as there are
// processors stay, and load one mistake after another.
type resident struct {
	extension string
	// begin makes what all programs share, and gives the command line of one.
	begin func(ctx context.Context, dir string) (line string, err error)
	// lay puts the verifier with the texts of some files changed into a folder.
	lay func(dir string, texts map[string]string) error

	line string
	idle chan *run.Harness // nil: to be started
}

func (r *resident) suffix() string { return r.extension }

func (r *resident) prepare(ctx context.Context, dir string) (err error) {
	r.line, err = r.begin(ctx, dir)
	r.idle = make(chan *run.Harness, runtime.GOMAXPROCS(0))
	for range cap(r.idle) {
		r.idle <- nil
	}
	return err
}

func (r *resident) close() error {
	var all []error
	for range cap(r.idle) {
		if h := <-r.idle; h != nil {
			all = append(all, h.Close())
		}
	}
	return errors.Join(all...)
}

func (r *resident) try(ctx context.Context, dir string, texts map[string]string, ids string) (list []string, err error) {
	if err := r.lay(dir, texts); err != nil {
		return nil, err
	}
	h := <-r.idle
	defer func() { r.idle <- h }()
	if h == nil {
		if h, err = run.Start(ctx, r.line, os.Stderr); err != nil {
			return nil, err
		}
		h.Patience = time.Minute // to start, and to compile
	}
	answer, err := h.Answer(ctx, vectors.Case{ID: "load", Operation: "load", Address: dir})
	if err != nil {
		h = nil // it was killed
		return nil, err
	}
	if why := answer["reason"]; why != "" {
		return nil, fmt.Errorf("it cannot be loaded: %.2000v", why)
	}
	list, err = failed(ctx, h, ids)
	if errors.Is(err, errBroken) {
		_ = h.Close() // it was killed, and says so
		h, err = nil, nil
	}
	return list, err
}

// The programs that stay.
var (
	//go:embed loader.mjs
	jsLoader []byte
	//go:embed Loader.java
	javaLoader []byte
)

// The verifiers.
const (
	jsFolder   = "integrations/javascript"
	javaFolder = "integrations/java"
)

// javascript has a copy of the verifier for each mistake, but for its libraries.
func javascript() *resident {
	var files []string
	var libraries string
	return &resident{extension: ".js",
		begin: func(_ context.Context, dir string) (string, error) {
			var err error
			if libraries, err = filepath.Abs(filepath.Join(jsFolder, "node_modules")); err != nil {
				return "", err
			}
			if _, err := os.Stat(libraries); err != nil {
				return "", fmt.Errorf("its libraries are missing (run npm ci in %s): %w", jsFolder, err)
			}
			files, err = filepath.Glob(filepath.Join(jsFolder, "src", "*.js"))
			loader := filepath.Join(dir, "loader.mjs")
			return "node " + loader, errors.Join(err, os.WriteFile(loader, jsLoader, 0o600))
		},
		lay: func(dir string, texts map[string]string) error {
			if err := os.Mkdir(filepath.Join(dir, "src"), 0o700); err != nil {
				return err
			}
			for _, file := range append([]string{jsFolder + "/package.json"}, files...) {
				text, ok := texts[file]
				if !ok {
					data, err := os.ReadFile(file)
					if err != nil {
						return err
					}
					text = string(data)
				}
				if err := os.WriteFile(filepath.Join(dir, strings.TrimPrefix(file, jsFolder)), []byte(text), 0o600); err != nil {
					return err
				}
			}
			return os.Symlink(libraries, filepath.Join(dir, "node_modules"))
		},
	}
}

// java has only the changed files for each mistake. The classes of the others are
// compiled once.
func java() *resident {
	return &resident{extension: ".java",
		begin: func(ctx context.Context, dir string) (string, error) {
			jars := os.Getenv("JARS")
			if jars == "" {
				jars = "/usr/share/java"
			}
			var list []string
			for _, jar := range []string{"bcprov.jar", "bcpkix.jar", "bcutil.jar", "icu4j.jar"} {
				list = append(list, filepath.Join(jars, jar))
			}
			libraries, classes, loader := strings.Join(list, ":"), filepath.Join(dir, "classes"), filepath.Join(dir, "Loader.java")
			sources, err := filepath.Glob(filepath.Join(javaFolder, "src", "*.java"))
			if err != nil {
				return "", err
			}
			_, err = command(ctx, "javac", append([]string{"-J-XX:TieredStopAtLevel=1", "-nowarn", "-encoding", "UTF-8", "-d", classes, "-cp", libraries}, sources...)...)
			line := fmt.Sprintf("java -XX:TieredStopAtLevel=1 -XX:+UseSerialGC %s %s %s", loader, classes, libraries)
			return line, errors.Join(err, os.WriteFile(loader, javaLoader, 0o600))
		},
		lay: func(dir string, texts map[string]string) error {
			for file, text := range texts {
				if err := os.WriteFile(filepath.Join(dir, filepath.Base(file)), []byte(text), 0o600); err != nil {
					return err
				}
			}
			return nil
		},
	}
}
