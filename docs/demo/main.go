// The demo of dnaverify, as a program of its own. It does the same as "dnaverify
// demo", and compiles without the daemon, its stores and its metrics.
//
//	go run ./docs/demo
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/dnasign/dnasign/internal/demo"
)

func main() {
	fmt.Fprintln(os.Stderr, demo.Begins)
	if err := demo.Run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}
