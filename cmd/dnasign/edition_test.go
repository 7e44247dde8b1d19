package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/encoding/jws"
	"github.com/dnasign/dnasign/internal/testkit/clitest"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
	"github.com/dnasign/dnasign/keys"
)

// TestFirstEdition: the first edition signed statements for the second label of
// a role. Such a statement is refused everywhere, and each program says what to
// sign instead.
func TestFirstEdition(t *testing.T) {
	dir, programs := t.TempDir(), build(t)
	if err := clitest.WriteWorld(dir); err != nil {
		t.Fatal(err)
	}
	signer, _, err := keys.LoadSigner(filepath.Join(dir, "b.pem"), filepath.Join(dir, "b.key"))
	if err != nil {
		t.Fatal(err)
	}
	algorithm, err := keys.AlgorithmFor(signer.Leaf().PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now().Unix()
	claims := fmt.Sprintf(`{"iss":"b.example","iat":%d,"exp":%d,"jti":"%s","service":"_xmpps-server._tcp","targets":[{"host":"h.example","port":5270,"priority":0,"weight":0}]}`,
		now, now+86400, base64.RawURLEncoding.EncodeToString(append([]byte{1}, make([]byte, 15)...)))
	raw, err := jws.Sign([]byte(claims), delegation.Type, algorithm, signer)
	if err != nil {
		t.Fatal(err)
	}
	realtest.WriteFile(t, dir, "old.jws", string(raw))
	const instead = "sign for _xmpp-server._tcp"
	for command, code := range map[string]int{
		"dnasign inspect old.jws":                                                              0,
		"dnasign publish zone old.jws":                                                         1,
		"dnasign publish https --webroot . old.jws":                                            1,
		"dnasign publish dns --tsig tsig.key old.jws":                                          1,
		"dnaverify verify old.jws --domain b.example --service xmpps-server --roots roots.pem": 1,
		"dnaverify verify old.jws --domain b.example --service xmpp-server --roots roots.pem":  1,
	} {
		args := strings.Fields(command)
		cmd := exec.CommandContext(t.Context(), filepath.Join(programs, args[0]), args[1:]...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		got := 0
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			got = exit.ExitCode()
		} else if err != nil {
			t.Fatal(err)
		}
		if got != code || !strings.Contains(string(out), instead) || (code == 1) != strings.Contains(string(out), "service-mismatch") {
			t.Errorf("%s: exit code %d, want %d\n%s", command, got, code, out)
		}
	}
}
