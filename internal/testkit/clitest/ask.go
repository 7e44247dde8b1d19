package clitest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// ask puts a question to a daemon that listens at a socket, as soon as it does,
// and prints the answer, indented. The chain is the file NAME.pem.
func ask(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: ask SOCKET SOURCE DIRECTION NAME [JSON]")
	}
	question := map[string]any{
		"source": args[1], "service": "_xmpp-server._tcp", "direction": args[2], "chain": ts.ReadFile(args[3] + ".pem"),
	}
	if len(args) > 4 {
		ts.Check(json.Unmarshal([]byte(args[4]), &question))
	}
	body, err := json.Marshal(question)
	ts.Check(err)
	response, err := client(ts.MkAbs(args[0])).Post("http://daemon/v1/check", "application/json", bytes.NewReader(body))
	ts.Check(err)
	answer := read(ts, response)
	var indented bytes.Buffer
	ts.Check(json.Indent(&indented, []byte(answer), "", "  "))
	_, err = indented.WriteTo(ts.Stdout())
	ts.Check(err)
}

// get prints what a daemon has at a path, when it has a text.
func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: get SOCKET PATH [TEXT]")
	}
	for deadline := time.Now().Add(realtest.Timeout); ; time.Sleep(10 * time.Millisecond) {
		response, err := client(ts.MkAbs(args[0])).Get("http://daemon" + args[1])
		ts.Check(err)
		text := response.Status + "\n" + read(ts, response)
		if len(args) == 3 && !strings.Contains(text, args[2]) {
			if time.Now().Before(deadline) {
				continue
			}
			ts.Fatalf("%s does not come to have %q:\n%s", args[1], args[2], text)
		}
		_, err = io.WriteString(ts.Stdout(), text)
		ts.Check(err)
		return
	}
}

// signals are those that a script can send.
var signals = map[string]syscall.Signal{"HUP": syscall.SIGHUP, "TERM": syscall.SIGTERM}

// signal sends a signal to every program in the background.
func signal(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 || signals[args[0]] == 0 {
		ts.Fatalf("usage: signal HUP|TERM")
	}
	for _, cmd := range ts.BackgroundCmds() {
		ts.Check(cmd.Process.Signal(signals[args[0]]))
	}
}

func read(ts *testscript.TestScript, response *http.Response) string {
	defer response.Body.Close()
	data, err := io.ReadAll(response.Body)
	ts.Check(err)
	return string(data)
}

// client talks to a socket, as soon as somebody listens there.
func client(socket string) *http.Client {
	return &http.Client{Timeout: realtest.Timeout, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			for {
				conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
				if err == nil || ctx.Err() != nil {
					return conn, err
				}
				time.Sleep(10 * time.Millisecond)
			}
		},
	}}
}
