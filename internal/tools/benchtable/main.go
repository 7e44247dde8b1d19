// Command benchtable runs the benchmarks of this module in turn, many short
// rounds of all of them, and prints a table of ratios. The machine may be
// noisy: the least of the rounds counts, to which other work added least. At the
// end it prints the goals, met or not, and what each operation of a person costs.
// From the root of the module:
//
//	go run ./internal/tools/benchtable [-rounds 15] [-only REGEXP] [-raw FILE]
//
// The raw lines are in the form that benchstat reads.
package main

import (
	"bufio"
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
)

func main() {
	rounds := flag.Int("rounds", 15, "how often each benchmark runs")
	only := flag.String("only", "", "regular expression of the titles of tables to make")
	raw := flag.String("raw", "", "file for the raw lines, for benchstat")
	flag.Parse()
	if err := run(os.Stdout, *rounds, *only, *raw); err != nil {
		fmt.Fprintln(os.Stderr, "benchtable:", err)
		os.Exit(1)
	}
}

func run(out io.Writer, rounds int, only, raw string) (err error) {
	wanted, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "benchtable")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	lines := io.Discard
	if raw != "" {
		f, err := os.Create(raw)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		lines = f
	}
	fmt.Fprintf(out, "%s, %s/%s, %d CPUs, the least of %d rounds\n", runtime.Version(), runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), rounds)
	all := measured{}
	for _, t := range tables {
		if !wanted.MatchString(t.title) {
			continue
		}
		measured, err := t.measure(dir, rounds, lines)
		if err != nil {
			return fmt.Errorf("%s: %w", t.title, err)
		}
		if err := t.write(out, measured); err != nil {
			return fmt.Errorf("%s: %w", t.title, err)
		}
		maps.Copy(all, measured)
	}
	if err := writeGoals(out, all, passes); err != nil {
		return err
	}
	return writeOperations(out, all)
}

// passes reports whether a test of a package passes.
func passes(pkg, test string) bool {
	output, err := exec.Command("go", "test", "-count=1", "-v", "-run", "^"+test+"$", pkg).CombinedOutput()
	return err == nil && bytes.Contains(output, []byte("--- PASS: "+test))
}

// Measured are the values of each round, by benchmark and unit.
type measured map[string]map[string][]float64

// measure builds the test of the table's package once and runs its benchmarks
// round after round, each benchmark once in a round.
func (t table) measure(dir string, rounds int, raw io.Writer) (measured, error) {
	binary := filepath.Join(dir, strings.ReplaceAll(t.pkg, "/", "_")+".test")
	if build, err := exec.Command("go", "test", "-c", "-o", binary, t.pkg).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, build)
	}
	found := measured{}
	if t.rounds > 0 {
		rounds = min(rounds, t.rounds)
	}
	for range rounds {
		for _, bench := range t.benchmarks() {
			cmd := exec.Command(binary, "-test.run", "^$", "-test.bench", pattern(bench), "-test.benchtime", t.time, "-test.benchmem")
			cmd.Dir = t.pkg
			output, err := cmd.CombinedOutput()
			if err != nil {
				return nil, fmt.Errorf("%s: %w: %s", bench, err, output)
			}
			if _, err := raw.Write(output); err != nil {
				return nil, err
			}
			found.add(output)
		}
	}
	return found, nil
}

// pattern selects one benchmark by its whole name.
func pattern(bench string) string {
	var parts []string
	for part := range strings.SplitSeq("Benchmark"+bench, "/") {
		parts = append(parts, "^"+regexp.QuoteMeta(part)+"$")
	}
	return strings.Join(parts, "/")
}

// add reads lines such as "BenchmarkX/a=b-2  100  123 ns/op  4 B/op".
func (m measured) add(output []byte) {
	lines := bufio.NewScanner(bytes.NewReader(output))
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 4 || !strings.HasPrefix(fields[0], "Benchmark") {
			continue
		}
		name := strings.TrimPrefix(fields[0], "Benchmark")
		if i := strings.LastIndexByte(name, '-'); i > 0 {
			name = name[:i] // the number of CPUs
		}
		if m[name] == nil {
			m[name] = map[string][]float64{}
		}
		for i := 2; i+1 < len(fields); i += 2 {
			if value, err := strconv.ParseFloat(fields[i], 64); err == nil {
				m[name][fields[i+1]] = append(m[name][fields[i+1]], value)
			}
		}
	}
}

// least of the rounds; false without any.
func (m measured) least(bench, unit string) (float64, bool) {
	values := m[bench][unit]
	if len(values) == 0 {
		return 0, false
	}
	return slices.Min(values), true
}
