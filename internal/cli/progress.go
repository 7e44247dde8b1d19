package cli

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Progress shows on w, if it is a terminal, how far a batch is. It returns a
// function that is told the number of steps and returns what to call for each
// of them, from any goroutine. The bar is gone when the last step is done.
func Progress(w io.Writer, what string) func(total int) (step func()) {
	return func(total int) func() {
		if f, ok := w.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) || os.Getenv("TERM") == "dumb" {
			return func() {}
		}
		bar := progressbar.NewOptions(total,
			progressbar.OptionSetWriter(w),
			progressbar.OptionSetDescription(what),
			progressbar.OptionShowCount(),
			progressbar.OptionThrottle(100*time.Millisecond),
			progressbar.OptionClearOnFinish(),
		)
		return func() { _ = bar.Add(1) } // a terminal that went away is no reason to stop
	}
}
