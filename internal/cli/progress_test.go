package cli

import (
	"bytes"
	"os"
	"testing"
)

// TestNoProgress: a bar is for terminals only.
func TestNoProgress(t *testing.T) {
	var buffer bytes.Buffer
	step := Progress(&buffer, "working")(2)
	step()
	step()
	if buffer.Len() > 0 {
		t.Errorf("wrote %q", &buffer)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	step = Progress(w, "working")(1)
	step()
	w.Close()
	if _, err := buffer.ReadFrom(r); err != nil || buffer.Len() > 0 {
		t.Errorf("wrote %q to a pipe, %v", &buffer, err)
	}
}
