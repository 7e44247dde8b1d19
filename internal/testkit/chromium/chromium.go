// Package chromium shows pages in a real Chromium, for tests. It steers the
// browser by the DevTools protocol over a pipe, so nothing listens.
package chromium

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// A Browser is a running Chromium with one tab. It is for one goroutine.
type Browser struct {
	in      *os.File
	pipe    *os.File // that out reads
	out     *bufio.Reader
	session string
	last    int
}

// patience is how long an answer may take on a busy machine.
const patience = time.Minute

// A message is one of the DevTools protocol.
type message struct {
	ID        int             `json:"id,omitempty"`
	Method    string          `json:"method,omitempty"`
	Params    any             `json:"params,omitempty"`
	SessionID string          `json:"sessionId,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     json.RawMessage `json:"error,omitempty"`
}

// Start starts a browser, which ends with the test.
func Start(t testing.TB) *Browser {
	t.Helper()
	realtest.Need(t, "chromium")
	cmd := exec.Command("chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--hide-scrollbars", "--user-data-dir="+t.TempDir(), "--remote-debugging-pipe", "about:blank")
	theirIn, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.ExtraFiles = []*os.File{theirIn, theirOut} // 3 and 4
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	theirIn.Close()
	theirOut.Close()
	b := &Browser{in: in, pipe: out, out: bufio.NewReaderSize(out, 1<<16)}
	t.Cleanup(func() {
		_, _ = b.call("", "Browser.close", nil) // it may end before it answers
		in.Close()
		_ = cmd.Wait()
		out.Close()
	})
	var target struct {
		TargetID string `json:"targetId"`
	}
	b.must(t, &target, "", "Target.createTarget", map[string]any{"url": "about:blank"})
	var attached struct {
		SessionID string `json:"sessionId"`
	}
	b.must(t, &attached, "", "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true})
	b.session = attached.SessionID
	b.must(t, nil, b.session, "Page.enable", nil)
	return b
}

// call sends a command and waits for its result. It passes over events.
func (b *Browser) call(session, method string, params any) (json.RawMessage, error) {
	b.last++
	data, err := json.Marshal(message{ID: b.last, Method: method, Params: params, SessionID: session})
	if err != nil {
		return nil, err
	}
	if _, err := b.in.Write(append(data, 0)); err != nil {
		return nil, err
	}
	if err := b.pipe.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	for {
		m, err := b.next()
		switch {
		case err != nil:
			return nil, err
		case m.ID != b.last:
		case m.Error != nil:
			return nil, fmt.Errorf("%s: %s", method, m.Error)
		default:
			return m.Result, nil
		}
	}
}

// next reads a message.
func (b *Browser) next() (m message, err error) {
	data, err := b.out.ReadBytes(0)
	if errors.Is(err, io.EOF) {
		return m, errors.New("the browser has ended")
	}
	if err != nil {
		return m, err
	}
	return m, json.Unmarshal(data[:len(data)-1], &m)
}

func (b *Browser) must(t testing.TB, result any, session, method string, params any) {
	t.Helper()
	data, err := b.call(session, method, params)
	if err == nil && result != nil {
		err = json.Unmarshal(data, result)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// A View is how a page is looked at.
type View struct {
	Width int
	Dark  bool
}

// Open loads a page and waits until it is there.
func (b *Browser) Open(t testing.TB, url string, v View) {
	t.Helper()
	scheme := "light"
	if v.Dark {
		scheme = "dark"
	}
	b.must(t, nil, b.session, "Emulation.setDeviceMetricsOverride", map[string]any{"width": v.Width, "height": 800, "deviceScaleFactor": 1, "mobile": v.Width < 600})
	b.must(t, nil, b.session, "Emulation.setEmulatedMedia", map[string]any{"features": []map[string]string{{"name": "prefers-color-scheme", "value": scheme}}})
	b.must(t, nil, b.session, "Page.navigate", map[string]any{"url": url}) // answers when the new page has begun
	var there string
	b.Eval(t, `new Promise(done => {
		if (document.readyState == "complete") done(location.href)
		else addEventListener("load", () => done(location.href))
	})`, &there)
	if there != url {
		t.Fatalf("%s instead of %s", there, url)
	}
}

// Eval gives the value of a JavaScript expression in the page. It is the test's, and
// runs whatever the page forbids.
func (b *Browser) Eval(t testing.TB, expression string, value any) {
	t.Helper()
	var r struct {
		Result struct {
			Value json.RawMessage `json:"value"`
		} `json:"result"`
		Exception json.RawMessage `json:"exceptionDetails"`
	}
	b.must(t, &r, b.session, "Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true})
	if r.Exception != nil {
		t.Fatalf("%s: %s", expression, r.Exception)
	}
	if err := json.Unmarshal(r.Result.Value, value); err != nil {
		t.Fatalf("%s: %s: %v", expression, r.Result.Value, err)
	}
}

// Screenshot is the whole page as a PNG.
func (b *Browser) Screenshot(t testing.TB) []byte {
	t.Helper()
	var r struct {
		Data string `json:"data"`
	}
	b.must(t, &r, b.session, "Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true})
	data, err := base64.StdEncoding.DecodeString(r.Data)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
