package memory

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/delegation"
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
