// Command faults puts one deliberate fault after another into this verifier
// and runs the test vectors against each. A fault that no vector catches is a
// hole in the vectors. It changes nothing in the tree: the compiler is given
// an overlay, and builds this program again, which then runs the vectors. From
// the root of the module:
//
//	go run ./internal/faults [-only REGEXP]
//
// It ends with 0 if every fault was caught.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"

	"github.com/dnasign/dnasign/internal/vectors"
	"github.com/dnasign/dnasign/internal/vectors/run"
)

// A fault is a change of one line or so in one file.
type fault struct {
	name     string
	file     string
	old, new string // old stands in the file exactly once
}

func main() {
	only := flag.String("only", "", "regular expression of the names of faults to try")
	here := flag.Bool("here", false, "try no fault; run the vectors against the verifier in this program and write what failed")
	flag.Parse()
	try := func() error { return tryAll(os.Stdout, *only) }
	if *here {
		try = func() error { return runVectors(os.Stdout) }
	}
	if err := try(); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

func tryAll(out io.Writer, only string) error {
	wanted, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "faults")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	// Without a fault every vector passes, else the rest says nothing.
	if failed, err := try(dir, fault{name: "none"}); err != nil || len(failed) > 0 {
		return fmt.Errorf("without a fault: %d vectors fail, %w", len(failed), err)
	}
	// As many at a time as there are processors, shown in their order.
	type end struct {
		failed []string
		err    error
	}
	ends := make([]chan end, len(faults))
	turns := make(chan struct{}, runtime.GOMAXPROCS(0))
	for i, f := range faults {
		if !wanted.MatchString(f.name) {
			continue
		}
		ends[i] = make(chan end, 1)
		go func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			own := filepath.Join(dir, strconv.Itoa(i))
			if err := os.Mkdir(own, 0o700); err != nil {
				ends[i] <- end{err: err}
				return
			}
			failed, err := try(own, f)
			ends[i] <- end{failed, err}
		}()
	}
	bad := 0
	for i, f := range faults {
		if ends[i] == nil {
			continue
		}
		switch e := <-ends[i]; {
		case e.err != nil:
			bad++
			fmt.Fprintf(out, "BROKEN  %s: %v\n", f.name, e.err)
		case len(e.failed) == 0:
			bad++
			fmt.Fprintf(out, "MISSED  %s\n", f.name)
		default:
			fmt.Fprintf(out, "caught  %s: by %d vectors, such as %s\n", f.name, len(e.failed), e.failed[0])
		}
	}
	if bad > 0 {
		return fmt.Errorf("%d faults that no vector catches, or that are none", bad)
	}
	return nil
}

// try builds this program with a fault and returns the vectors that fail with
// it.
func try(dir string, f fault) ([]string, error) {
	overlay := map[string]map[string]string{"Replace": {}}
	if f.file != "" {
		text, err := os.ReadFile(f.file)
		if err != nil {
			return nil, err
		}
		if n := strings.Count(string(text), f.old); n != 1 {
			return nil, fmt.Errorf("%q stands %d times in %s, not once", f.old, n, f.file)
		}
		changed := filepath.Join(dir, "changed.go")
		if err := os.WriteFile(changed, []byte(strings.Replace(string(text), f.old, f.new, 1)), 0o600); err != nil {
			return nil, err
		}
		path, err := filepath.Abs(f.file)
		if err != nil {
			return nil, err
		}
		overlay["Replace"][path] = changed
	}
	data, err := json.Marshal(overlay)
	if err != nil {
		return nil, err
	}
	overlayFile, binary := filepath.Join(dir, "overlay.json"), filepath.Join(dir, "faulty")
	if err := os.WriteFile(overlayFile, data, 0o600); err != nil {
		return nil, err
	}
	if output, err := exec.Command("go", "build", "-overlay", overlayFile, "-o", binary, "./internal/faults").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, output)
	}
	output, err := exec.Command(binary, "-here").Output()
	if err != nil {
		return nil, fmt.Errorf("%w: %s", err, output)
	}
	var came outcome
	if err := json.Unmarshal(output, &came); err != nil {
		return nil, fmt.Errorf("the outcome: %w", err)
	}
	if came.Cases < 300 {
		return nil, fmt.Errorf("only %d vectors ran", came.Cases)
	}
	return came.Failed, nil
}

// An outcome is what one program writes and the other reads.
type outcome struct {
	Cases  int      // how many vectors ran
	Failed []string // the ids of those that did not come out as expected
}

// runVectors runs all vectors against the verifier that this program was built
// with.
func runVectors(out io.Writer) error {
	files, err := run.Load(os.DirFS("testvectors"))
	if err != nil {
		return err
	}
	var came outcome
	err = run.Run(context.Background(), run.This{}, files, func(_ vectors.Case, r run.Result) {
		came.Cases++
		if !r.Passed() {
			came.Failed = append(came.Failed, r.ID)
		}
	})
	if err != nil {
		return err
	}
	return json.NewEncoder(out).Encode(came)
}
