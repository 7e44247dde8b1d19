// Command harness answers test vectors, one a line, with the verifier of this
// module. It is small because command faults builds it once for each mistake.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/dnasign/dnasign/internal/vectors"
	"github.com/dnasign/dnasign/internal/vectors/run"
)

func main() {
	if err := answerAll(context.Background(), os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "harness:", err)
		os.Exit(1)
	}
}

func answerAll(ctx context.Context, in io.Reader, out io.Writer) error {
	asked, said := json.NewDecoder(in), json.NewEncoder(out)
	for {
		var c vectors.Case
		switch err := asked.Decode(&c); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		answer, err := run.This{}.Answer(ctx, c)
		if err != nil {
			answer = run.Answer{"outcome": "error", "reason": err.Error()}
		}
		answer["id"] = c.ID
		if err := said.Encode(answer); err != nil {
			return err
		}
	}
}
