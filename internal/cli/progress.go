package cli

import (
	"io"
	"os"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
)

// Terminal reports whether w is a terminal that can do more than write lines.
func Terminal(w io.Writer) bool {
	f, ok := w.(interface{ Fd() uintptr })
	return ok && os.Getenv("TERM") != "dumb" && term.IsTerminal(int(f.Fd()))
}

// Progress shows on w, if it is a terminal, how far a batch is. It returns a
// function that is told the number of steps and returns what to call for each
// of them, from any goroutine. The bar is gone when the last step is done.
func Progress(w io.Writer, what string) func(total int) (step func()) {
	return func(total int) func() {
		if !Terminal(w) {
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
