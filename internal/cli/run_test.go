package cli

import (
	"bytes"
	"log"
	"testing"

	"github.com/spf13/cobra"
)

// TestDefaultLog: net/http writes what hostile web servers send into the default
// log. People and programs that read standard error do not get it.
func TestDefaultLog(t *testing.T) {
	var seen bytes.Buffer
	before := log.Writer()
	log.SetOutput(&seen)
	t.Cleanup(func() { log.SetOutput(before) })
	root := &cobra.Command{Use: "program", RunE: func(*cobra.Command, []string) error {
		log.Print("Unsolicited response")
		return nil
	}}
	root.SetArgs([]string{})
	if code := Run(root); code != ExitDone || seen.Len() > 0 {
		t.Errorf("exit code %d, logged %q", code, &seen)
	}
}
