// Command scenarios puts a whole daemon under a load that an operator may meet, in
// real time, and prints how it fared. The resolver is in the same process and is as
// far away as it is told. From the root of the module:
//
//	go run ./internal/tools/scenarios restart [-domains 10000] [-over 60s] [-distance 20ms] [-silent] [-encoding jws]
//	go run ./internal/tools/scenarios new [-domains 600] [-over 1s] [-distance 20ms]
//	go run ./internal/tools/scenarios flood [-domains 160] [-over 40s] [-distance 20ms]
//
// It ends with status 1 if the daemon did not do what docs/operations.md says.
// Other work on the machine makes everything slower.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"

	"github.com/dnasign/dnasign/delegation"
)

// A scenario is one command. Each has a file of its own.
type scenario struct {
	name, about string
	options     options // what the flags say if nobody gives them
	run         func(ctx context.Context, out io.Writer, o options) error
}

var scenarios = []scenario{restart, strangers, flood}

// options are the flags.
type options struct {
	domains  int
	over     time.Duration
	distance time.Duration
	silent   bool
	encoding delegation.Encoding
}

// errMissed is that of a daemon that did not do what it should.
var errMissed = errors.New("that is not what it should do")

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := command(ctx, os.Stdout, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "scenarios:", err)
		os.Exit(1)
	}
}

func command(ctx context.Context, out io.Writer, args []string) error {
	for _, s := range scenarios {
		if len(args) == 0 || args[0] != s.name {
			continue
		}
		o := s.options
		flags := flag.NewFlagSet(s.name, flag.ContinueOnError)
		flags.IntVar(&o.domains, "domains", o.domains, "how many domains are asked about")
		flags.DurationVar(&o.over, "over", o.over, "the time during which they are asked about")
		flags.DurationVar(&o.distance, "distance", o.distance, "how long the resolver takes for an answer")
		flags.BoolVar(&o.silent, "silent", o.silent, "the resolver answers nothing after the start")
		flags.StringVar((*string)(&o.encoding), "encoding", string(o.encoding), "of the statements: jws or ac")
		if err := flags.Parse(args[1:]); err != nil {
			return err
		}
		if o.domains < 1 || o.over < 0 || o.distance < 0 || o.encoding != delegation.JWS && o.encoding != delegation.AC {
			return errors.New("a flag has a value that makes no sense")
		}
		return s.run(ctx, out, o)
	}
	for _, s := range scenarios {
		fmt.Fprintf(os.Stderr, "  %-10s %s\n", s.name, s.about)
	}
	return errors.New("which scenario?")
}
