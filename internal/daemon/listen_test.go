package daemon

import (
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestListenUnix(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s")
	address := []string{"unix:" + path}
	listeners, err := Listen(address, false)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != socketMode {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if _, err := Listen(address, false); err == nil || !strings.Contains(err.Error(), "another daemon") {
		t.Errorf("got %v", err)
	}
	listeners[0].(*net.UnixListener).SetUnlinkOnClose(false) // as if it had been killed
	listeners[0].Close()
	listeners, err = Listen(address, false)
	if err != nil {
		t.Fatalf("the socket left behind is in the way: %v", err)
	}
	listeners[0].Close()
	if _, err := os.Stat(path); err == nil {
		t.Error("a socket is left behind")
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Listen(address, false); err == nil {
		t.Error("a file was replaced")
	}
	if data, _ := os.ReadFile(path); string(data) != "precious" {
		t.Error("a file was changed")
	}
}

func TestListenTCP(t *testing.T) {
	for address, public := range map[string]bool{
		"127.0.0.1:0": false, "[::1]:0": false, "[::ffff:127.0.0.1]:0": false,
		"0.0.0.0:0": true, "[::]:0": true,
	} {
		listeners, err := Listen([]string{address}, false)
		if errors.Is(err, ErrPublic) != public {
			t.Errorf("%s: got %v", address, err)
		}
		for _, l := range listeners {
			l.Close()
		}
	}
	for _, address := range []string{"", "localhost:80", "127.0.0.1", "unix:", "unix:relative", ":80", "tcp:127.0.0.1:80"} {
		if listeners, err := Listen([]string{address}, true); err == nil {
			listeners[0].Close()
			t.Errorf("%q: no error", address)
		}
	}
	// All or nothing.
	path := filepath.Join(t.TempDir(), "s")
	if _, err := Listen([]string{"unix:" + path, "nonsense"}, false); err == nil {
		t.Error("no error")
	}
	if _, err := os.Stat(path); err == nil {
		t.Error("a socket is left behind")
	}
}

// TestInherited: a number of sockets that cannot be is an error, and not none.
func TestInherited(t *testing.T) {
	t.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()))
	for _, n := range []string{"", "0", "-1", "x", "17"} {
		t.Setenv("LISTEN_FDS", n)
		if listeners, err := Inherited(false); err == nil {
			t.Errorf("LISTEN_FDS=%q: %d listeners and no error", n, len(listeners))
		}
	}
	t.Setenv("LISTEN_PID", "1")
	if listeners, err := Inherited(false); len(listeners) > 0 || err != nil {
		t.Errorf("sockets of another process: %v, %v", listeners, err)
	}
}

func TestNotify(t *testing.T) {
	path := filepath.Join(t.TempDir(), "n")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	for notice, want := range map[Notice]string{Ready: "READY=1", Reloading: "RELOADING=1\nMONOTONIC_USEC=", Stopping: "STOPPING=1"} {
		if err := Notify(notice); err != nil {
			t.Fatal(err)
		}
		got := make([]byte, 200)
		n, err := conn.Read(got)
		if err != nil || !strings.HasPrefix(string(got[:n]), want) {
			t.Errorf("got %q, %v", got[:n], err)
		}
	}
	t.Setenv("NOTIFY_SOCKET", "")
	if err := Notify(Ready); err != nil {
		t.Error(err)
	}
}
