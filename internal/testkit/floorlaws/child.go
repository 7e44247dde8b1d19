package floorlaws

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	"go.uber.org/goleak"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/internal/testkit/world"
)

// The test binary is its own other process: with childVariable it does what
// that names on the place in placeVariable.
const (
	childVariable = "FLOORS_TEST_CHILD"
	placeVariable = "FLOORS_TEST_PLACE"
)

// Main runs the tests of a store. If the environment says so, the test binary
// is another process instead. It opens the place it is given, or several, and
// raises floors there or holds it open.
func Main(m *testing.M, open Opener, more map[string]func(place string) int) {
	name, place := os.Getenv(childVariable), os.Getenv(placeVariable)
	switch name {
	case "":
		goleak.VerifyTestMain(m)
	case "raise":
		os.Exit(raiseForEver(open, place))
	case "hold":
		os.Exit(holdForEver(open, place))
	default:
		os.Exit(more[name](place))
	}
}

// Child starts the test binary again and returns it with its output, line by
// line.
func Child(t *testing.T, name, place string) (*exec.Cmd, *bufio.Scanner) {
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
func raiseForEver(open Opener, place string) int {
	s, err := open(context.Background(), place, Plenty, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	failed := make(chan error)
	for w := range childWorkers {
		go func() {
			name := WorkerSource(w)
			have, err := s.Load(context.Background(), name, world.Service)
			i := 0
			if !have.Floor.IsZero() {
				i = int(have.Floor.Order.Issued.Sub(world.Noon).Hours())
			}
			for ; err == nil; i++ {
				// Other roles now and then, to move pages.
				for n := range i % 8 {
					_, _ = s.Raise(context.Background(), name, fmt.Sprintf("_s%d._tcp", n), floors.Record{Floor: Floor(0, i+1, "x.example")})
				}
				if _, err = s.Raise(context.Background(), name, world.Service, floors.Record{Floor: Floor(0, i+1, []string{"x.example", ""}[i%2])}); err == nil {
					fmt.Printf("%d %d\n", w, i+1)
				}
			}
			failed <- err
		}()
	}
	fmt.Fprintln(os.Stderr, <-failed)
	return 1
}

// WorkerSource is the source that one of several workers raises.
func WorkerSource(w int) string { return fmt.Sprintf("w%d.b.example", w) }

// holdForEver has the memory open until it is killed.
func holdForEver(open Opener, place string) int {
	s, err := open(context.Background(), place, Plenty, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer s.Close()
	fmt.Println("open")
	select {}
}

// Kill kills a process in the midst of raising, again and again: what was
// acknowledged is there, and nothing else is.
func Kill(t *testing.T, k Kind) {
	place := k.Fresh()
	acknowledged := make([]int, childWorkers)
	for round := range 15 {
		cmd, lines := Child(t, "raise", place)
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
		s := k.Open.Must(t, place, Plenty, nil)
		for w, want := range acknowledged {
			got := MustFloor(t, s, WorkerSource(w))
			if got.IsZero() != (want == 0) && want > 0 || got.Order.Compare(Floor(0, want, "").Order) < 0 && want > 0 {
				t.Fatalf("round %d: %d was acknowledged, and %s has %v", round, want, WorkerSource(w), got)
			}
			if i := int(got.Order.Issued.Sub(world.Noon).Hours()); !got.IsZero() && i > want+1 {
				t.Errorf("round %d: %s has %d, and only %d was acknowledged", round, WorkerSource(w), i, want)
			}
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for w, i := range acknowledged {
		if i == 0 {
			t.Errorf("%s was never raised", WorkerSource(w))
		}
	}
}

// Processes lets several processes raise the same sources at once.
func Processes(t *testing.T, k Kind) {
	place := k.Fresh()
	s := k.Open.Must(t, place, Plenty, nil)
	highest := make([]delegation.Order, childWorkers)
	var outputs []*bufio.Scanner
	for range 3 {
		_, lines := Child(t, "raise", place)
		outputs = append(outputs, lines)
	}
	for n := range 300 {
		lines := outputs[n%len(outputs)]
		if !lines.Scan() {
			t.Fatal("a process ended")
		}
		var w, i int
		fmt.Sscan(lines.Text(), &w, &i)
		at := MustFloor(t, s, WorkerSource(w)).Order
		if at.Compare(Floor(0, i, "").Order) < 0 || at.Compare(highest[w]) < 0 {
			t.Fatalf("%d was acknowledged and %v seen before, and it is %v", i, highest[w], at)
		}
		highest[w] = at
	}
}
