package realtest

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// A Token is one of SoftHSM, with the label "dna".
type Token struct{ dir string }

// SoftHSM gives the token in the folder of the configuration that SOFTHSM2_CONF
// names, and makes it first if it is not there. SoftHSM reads this variable once in
// a process.
func SoftHSM(t testing.TB) Token {
	t.Helper()
	Need(t, "softhsm2-util")
	NeedFile(t, softHSM)
	config := os.Getenv("SOFTHSM2_CONF")
	token := Token{filepath.Dir(config)}
	if _, err := os.Stat(config); err != nil {
		WriteFile(t, token.dir, filepath.Base(config), fmt.Sprintf("directories.tokendir = %s\nobjectstore.backend = file\n", token.dir))
		WriteFile(t, token.dir, "pin", softPIN+"\n")
		Output(t, token.dir, "softhsm2-util", "--init-token", "--free", "--label", "dna", "--pin", softPIN, "--so-pin", "5678")
	}
	return token
}

const (
	softHSM = "/usr/lib/softhsm/libsofthsm2.so"
	softPIN = "1234"
)

// Import moves a key from a PEM file into the token. The id is in hexadecimal.
func (k Token) Import(t testing.TB, file, label, id string) {
	t.Helper()
	Output(t, k.dir, "softhsm2-util", "--import", file, "--token", "dna", "--label", label, "--id", id, "--pin", softPIN)
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}

// URI names a key in the token by attributes such as object=b.example.
func (k Token) URI(attributes string) string {
	return "pkcs11:token=dna;" + attributes + "?module-path=" + softHSM + "&pin-source=file:" + filepath.Join(k.dir, "pin")
}
