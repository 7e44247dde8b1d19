// Command faults puts one deliberate mistake after another into the verifiers,
// in Go, in JavaScript and in Java, and runs test vectors against each. A
// mistake that no vector catches is a hole in the vectors. Mistakes of another
// kind are for package internal/tools/model, and for the state machine of
// discovery/verifier, whose laws must catch them. Where no vector can look, such
// as into a cache, tests must. From the root of the module:
//
//	go run ./internal/tools/faults [-in go,javascript,java,model,machine,tests] [-only REGEXP] [-all]
//
// It changes nothing in the tree. Each mistake names the vectors that must catch
// it, and only these run, up to the first that does; -all runs every vector, and
// says which ones catch it. The command ends with 0 if every mistake was caught.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"regexp"
	"runtime"
	"strings"
	"sync"

	"github.com/dnasign/dnasign/internal/vectors"
	"github.com/dnasign/dnasign/internal/vectors/run"
)

// A fault is one mistake, which several verifiers may make.
type fault struct {
	name string
	// vectors are beginnings of the IDs of vectors that must catch it in every
	// language, with spaces between.
	vectors string
	edits   []edit
}

// An edit is a change in one file of one verifier.
type edit struct {
	file     string // from the root of the module
	old, new string // old is there exactly once
}

// in are the edits in a language.
func (f fault) in(l language) []edit {
	var list []edit
	for _, e := range f.edits {
		if strings.HasSuffix(e.file, l.suffix()) {
			list = append(list, e)
		}
	}
	return list
}

// changed is the text of each file with the edits made.
func changed(edits []edit) (map[string]string, error) {
	texts := map[string]string{}
	for _, e := range edits {
		text, ok := texts[e.file]
		if !ok {
			data, err := os.ReadFile(e.file)
			if err != nil {
				return nil, err
			}
			text = string(data)
		}
		if n := strings.Count(text, e.old); n != 1 {
			return nil, fmt.Errorf("%q is %d times in %s, not once", e.old, n, e.file)
		}
		texts[e.file] = strings.Replace(text, e.old, e.new, 1)
	}
	return texts, nil
}

func main() {
	only := flag.String("only", "", "regular expression of the names of mistakes to try")
	in := flag.String("in", "go,javascript,java,model,machine,tests", "languages to try them in, the models, and the tests")
	all := flag.Bool("all", false, "run all vectors, and show which ones catch a mistake")
	flag.Parse()
	os.Setenv("GOGC", "400") // of the compiler and all else that is started: a tenth less work
	if err := tryAll(context.Background(), os.Stdout, *only, *in, *all); err != nil {
		fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

// A trial is one mistake in one language.
type trial struct {
	fault  fault
	name   string // of the language
	in     language
	failed []string // the vectors that caught it
	err    error
}

func tryAll(ctx context.Context, out io.Writer, only, in string, all bool) (err error) {
	wanted, err := regexp.Compile(only)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "faults")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var trials []*trial
	for _, name := range strings.Split(in, ",") {
		l, known := languages[name]
		if !known {
			return fmt.Errorf("unknown language %q (want go, javascript, java, model, machine or tests)", name)
		}
		if err := l.prepare(ctx, dir); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		defer func() { err = errors.Join(err, l.close()) }()
		// Without a mistake every vector passes, else the rest says nothing.
		trials = append(trials, &trial{fault: fault{name: "none"}, name: name, in: l})
		list := faults
		if own, ok := l.(ownFaults); ok {
			list = own.list()
		}
		for _, f := range list {
			if wanted.MatchString(f.name) && len(f.in(l)) > 0 {
				trials = append(trials, &trial{fault: f, name: name, in: l})
			}
		}
	}
	bad := 0
	for t := range inOrder(trials, func(t *trial) { t.run(ctx, dir, all) }) {
		text, good := t.describe(all)
		if !good {
			bad++
		}
		fmt.Fprintln(out, text)
	}
	if bad > 0 {
		return fmt.Errorf("%d of %d trials did not end as they should", bad, len(trials))
	}
	return nil
}

// inOrder works on as many at a time as there are processors, and yields them in
// their order.
func inOrder(trials []*trial, work func(*trial)) func(yield func(*trial) bool) {
	var done []chan struct{}
	turns := make(chan struct{}, runtime.GOMAXPROCS(0))
	var mu sync.Mutex
	next := 0
	for range trials {
		done = append(done, make(chan struct{}))
	}
	for range cap(turns) {
		go func() {
			for {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				if i >= len(trials) {
					return
				}
				work(trials[i])
				close(done[i])
			}
		}()
	}
	return func(yield func(*trial) bool) {
		for i, t := range trials {
			<-done[i]
			if !yield(t) {
				return
			}
		}
	}
}

func (t *trial) run(ctx context.Context, dir string, all bool) {
	own, err := os.MkdirTemp(dir, "trial")
	if err != nil {
		t.err = err
		return
	}
	defer os.RemoveAll(own)
	ids := t.fault.vectors
	if _, own := t.in.(ownFaults); all && !own {
		ids = ""
	}
	texts, err := changed(t.fault.in(t.in))
	if err != nil {
		t.err = err
		return
	}
	t.failed, t.err = t.in.try(ctx, own, texts, ids)
}

func (t *trial) describe(all bool) (text string, good bool) {
	name := t.name + ": " + t.fault.name
	switch none := t.fault.name == "none"; {
	case t.err != nil:
		return fmt.Sprintf("BROKEN  %s: %v", name, t.err), false
	case none && len(t.failed) > 0:
		return fmt.Sprintf("BROKEN  %s: without a mistake %d vectors fail, such as %s", name, len(t.failed), t.failed[0]), false
	case none:
		return "passes  " + name, true
	case len(t.failed) == 0:
		return fmt.Sprintf("MISSED  %s: by the vectors %s", name, t.fault.vectors), false
	case all:
		return fmt.Sprintf("caught  %s: by %d: %s", name, len(t.failed), strings.Join(t.failed, " ")), true
	}
	return fmt.Sprintf("caught  %s: by %s", name, t.failed[0]), true
}

// errBroken: a verifier gave no answer to a vector.
var errBroken = errors.New("it broke down")

var load = sync.OnceValues(func() ([]vectors.File, error) { return run.Load(os.DirFS("testvectors")) })

// failed runs the vectors whose IDs begin so, up to the first that fails, or all of
// them, and gives the IDs of those that fail. A verifier that breaks down over a
// vector has failed at it, and the error says so.
func failed(ctx context.Context, v run.Verifier, ids string) (list []string, err error) {
	files, err := load()
	if err != nil {
		return nil, err
	}
	cases := 0
	for _, f := range files {
		for _, c := range f.Cases {
			if !chooses(ids, c.ID) {
				continue
			}
			cases++
			err := run.Run(ctx, v, []vectors.File{{Cases: []vectors.Case{c}}}, func(_ vectors.Case, r run.Result) {
				if len(r.Differences) > 0 {
					list = append(list, c.ID)
				}
			})
			switch {
			case err != nil:
				return append(list, c.ID), fmt.Errorf("%w: %w", errBroken, err)
			case ids != "" && len(list) > 0:
				return list, nil
			}
		}
	}
	if cases == 0 {
		return nil, errors.New("there are no such vectors")
	}
	return list, nil
}

// chooses reports whether an ID begins with one of the texts, or there are none.
func chooses(ids, id string) bool {
	list := strings.Fields(ids)
	for _, begin := range list {
		if strings.HasPrefix(id, begin) {
			return true
		}
	}
	return len(list) == 0
}
