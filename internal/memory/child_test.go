package memory

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/realtest"
)

// The test binary is its own other process: with childVariable it runs one of
// children on the place in placeVariable.
const (
	childVariable = "MEMORY_TEST_CHILD"
	placeVariable = "MEMORY_TEST_PLACE"
)

var children = map[string]func() int{
	"raise": raiseForEver,
	"hold":  holdForEver,
	"full":  fillDisk,
	"cut":   cutOffWhileReading,
}

// child starts the test binary again and returns it with its output, line by
// line.
func child(t *testing.T, name, place string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), childVariable+"="+name, placeVariable+"="+place)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return cmd, bufio.NewScanner(out)
}

// childWorkers raise at the same time, so that they share transactions.
const childWorkers = 4

// raiseForEver raises higher and higher, from what is remembered on, and says
// so after each.
func raiseForEver() int {
	s, err := open(childContext, os.Getenv(placeVariable), Options{}, plenty)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	failed := make(chan error)
	for w := range childWorkers {
		go func() {
			name := workerSource(w)
			have, err := s.Floors(childContext, name)
			i := 0
			if len(have) > 0 {
				i = int(have[0].Order.Issued.Sub(t0).Hours())
			}
			for ; err == nil; i++ {
				// A revocation now and then, and many labels, to move pages.
				list := floors{floor(service, 0, i+1, []string{"x.example", ""}[i%2])}
				for n := range i % MaxServices {
					list = append(list, floor(fmt.Sprintf("_s%d._tcp", n), 0, i+1, "x.example"))
				}
				if _, err = s.Raise(childContext, name, list); err == nil {
					fmt.Printf("%d %d\n", w, i+1)
				}
			}
			failed <- err
		}()
	}
	fmt.Fprintln(os.Stderr, <-failed)
	return 1
}

func workerSource(w int) string { return fmt.Sprintf("w%d.b.example", w) }

// holdForEver has the memory open until it is killed.
func holdForEver() int {
	s, err := open(childContext, os.Getenv(placeVariable), Options{}, plenty)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer s.Close()
	fmt.Println("open")
	select {}
}

// cutOffWhileReading reads in many goroutines and then cuts the file off. Some of
// them can be left behind by the library; the callers are not.
func cutOffWhileReading() int {
	path := os.Getenv(placeVariable)
	s, err := open(childContext, path, Options{}, plenty)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	const readers = 20
	begun, ended := make(chan bool, readers), make(chan error, readers)
	for range readers {
		go func() {
			begun <- true
			var err error
			for err == nil {
				_, err = s.Floors(childContext, source)
			}
			ended <- err
		}()
	}
	for range readers {
		<-begun
	}
	if err := os.Truncate(path, 0); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for range readers {
		if err := <-ended; !errors.Is(err, ErrDamaged) {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
	if err := s.Close(); !errors.Is(err, ErrDamaged) {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func TestCutOffWhileReading(t *testing.T) {
	for range 5 {
		path := filepath.Join(t.TempDir(), "memory.db")
		mustOpen(t, path, plenty, nil).Close()
		cmd, _ := child(t, "cut", path)
		hung := time.AfterFunc(realtest.Timeout, func() { cmd.Process.Kill() })
		if err := cmd.Wait(); err != nil {
			t.Errorf("%v (killed, if a reader was held up)", err)
		}
		hung.Stop()
	}
}

// TestKill kills a process in the midst of raising, again and again: what was
// acknowledged is there, and nothing else is.
func TestKill(t *testing.T) {
	eachStore(t, func(t *testing.T, fresh func() string) {
		place := fresh()
		acknowledged := make([]int, childWorkers)
		for round := range 15 {
			cmd, lines := child(t, "raise", place)
			for n := 0; lines.Scan(); n++ {
				var w, i int
				if _, err := fmt.Sscan(lines.Text(), &w, &i); err != nil {
					break // a line cut off by the kill
				}
				acknowledged[w] = max(acknowledged[w], i)
				if n == 7*round {
					cmd.Process.Kill() // the rest of the lines still counts
				}
			}
			cmd.Wait()
			s := mustOpen(t, place, plenty, nil)
			for w, want := range acknowledged {
				got := mustFloors(t, s, workerSource(w))
				for _, f := range got {
					if i := int(f.Order.Issued.Sub(t0).Hours()); i > want+1 {
						t.Errorf("round %d: %s has %d, and only %d was acknowledged", round, workerSource(w), i, want)
					}
				}
				if want == 0 {
					continue
				}
				if len(got) == 0 || got[len(got)-1].Service != service ||
					got[len(got)-1].Order.Compare(floor(service, 0, want, "").Order) < 0 {
					t.Fatalf("round %d: %d was acknowledged, and %s has %v", round, want, workerSource(w), got)
				}
			}
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		for w, i := range acknowledged {
			if i == 0 {
				t.Errorf("%s was never raised", workerSource(w))
			}
		}
	})
}

// TestProcesses lets several processes raise the same sources at once.
func TestProcesses(t *testing.T) {
	eachStore(t, func(t *testing.T, fresh func() string) {
		place := fresh()
		if strings.HasSuffix(t.Name(), "file") {
			_, lines := child(t, "hold", place)
			if !lines.Scan() {
				t.Fatal("the other process did not open it")
			}
			ctx, cancel := shortly(t)
			defer cancel()
			s, err := Open(ctx, place, Options{})
			if !errors.Is(err, ErrLocked) || !strings.Contains(err.Error(), "one process at a time") {
				t.Error(s, err)
			}
			return
		}
		s := mustOpen(t, place, plenty, nil)
		highest := make([]delegation.Order, childWorkers)
		var outputs []*bufio.Scanner
		for range 3 {
			_, lines := child(t, "raise", place)
			outputs = append(outputs, lines)
		}
		for n := range 300 {
			lines := outputs[n%len(outputs)]
			if !lines.Scan() {
				t.Fatal("a process ended")
			}
			var w, i int
			fmt.Sscan(lines.Text(), &w, &i)
			got := mustFloors(t, s, workerSource(w))
			at := got[len(got)-1].Order
			if at.Compare(floor(service, 0, i, "").Order) < 0 || at.Compare(highest[w]) < 0 {
				t.Fatalf("%d was acknowledged and %v seen before, and it is %v", i, highest[w], at)
			}
			highest[w] = at
		}
	})
}
