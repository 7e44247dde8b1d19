package realtest

import (
	"os"
	"testing"
)

// Table logs what a test of real servers found, for people. If DNA_TABLES names a
// folder, the table is also in a file of that name there.
func Table(t testing.TB, name, text string) {
	t.Helper()
	t.Logf("\n%s", text)
	if folder := os.Getenv("DNA_TABLES"); folder != "" {
		WriteFile(t, folder, name, text+"\n")
	}
}
