package news

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/quotedprintable"
	"net/http"
	"net/http/httptest"
	"net/mail"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/watch"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// told keeps what it is told, or fails.
type told struct {
	items []Item
	err   error
	to    string
}

func (t *told) To() string { return t.to }

func (t *told) Tell(_ context.Context, items []Item) error {
	t.items = append(t.items, items...)
	return t.err
}

// TestTell: news is told once, and again if telling failed.
func TestTell(t *testing.T) {
	file := filepath.Join(t.TempDir(), "watch.json")
	reports := []watch.Report{report(accepted("xmpp.hosting.example", 0, 1), "warning left-over")}
	fails := &told{err: errors.New("no mail today")}
	if err := Tell(t.Context(), file, reports, start, []Teller{fails}); err == nil || !strings.Contains(err.Error(), "no mail today") {
		t.Errorf("got %v", err)
	}
	for run, want := range []int{2, 0, 0} {
		to := &told{}
		if err := Tell(t.Context(), file, reports, start.Add(time.Duration(run)*time.Hour), []Teller{to}); err != nil || len(to.items) != want {
			t.Errorf("run %d: %v, %+v", run, err, to.items)
		}
	}
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
}

// TestOwed: if telling somebody fails, the next run tries again. Others are told once.
func TestOwed(t *testing.T) {
	file := filepath.Join(t.TempDir(), "watch.json")
	looks := [][]string{{"error refused"}, {"error refused"}, nil, nil}
	var mails, posts []string
	for i, found := range looks {
		mail, post := &told{to: "mail"}, &told{to: "webhook"}
		if i < 3 {
			post.err = errors.New("gone")
		}
		err := Tell(t.Context(), file, []watch.Report{report(nil, found...)}, start.Add(time.Duration(i)*time.Hour), []Teller{mail, post})
		if (err != nil) != (i < 3) {
			t.Fatalf("look %d: %v", i, err)
		}
		mails, posts = append(mails, kinds(mail.items)), append(posts, kinds(post.items))
	}
	if want := []string{"begins new", "", "over", ""}; !slices.Equal(mails, want) {
		t.Errorf("mails %q, want %q", mails, want)
	}
	if want := []string{"begins new", "begins new", "begins new over", "begins new over"}; !slices.Equal(posts, want) {
		t.Errorf("posts %q, want %q", posts, want)
	}
	if data, err := os.ReadFile(file); err != nil || strings.Contains(string(data), "owed") {
		t.Errorf("%s, %v", data, err)
	}
}

func kinds(items []Item) string {
	var list []string
	for _, i := range items {
		list = append(list, string(i.Kind))
	}
	return strings.Join(list, " ")
}

// TestOwedBound: somebody who can never be told does not make the file grow for ever.
func TestOwedBound(t *testing.T) {
	file := filepath.Join(t.TempDir(), "watch.json")
	for i := range 3 {
		var reports []watch.Report
		for j := range maxOwed / 2 {
			r := report(nil)
			r.Source = fmt.Sprintf("d%d-%d.example", i, j)
			reports = append(reports, r)
		}
		to := &told{err: errors.New("gone")}
		if err := Tell(t.Context(), file, reports, start, []Teller{to}); err == nil || len(to.items) > maxOwed+maxOwed/2 {
			t.Fatalf("%v, %d items", err, len(to.items))
		}
	}
	d, err := read(file)
	if owed := d.Owed[""]; err != nil || len(owed) != maxOwed || owed[0].Source != "d1-0.example" {
		t.Errorf("%d items, %v", len(owed), err)
	}
}

// TestNotWritten: nobody is told what cannot be remembered, or would be told for ever.
func TestNotWritten(t *testing.T) {
	file := filepath.Join(t.TempDir(), strings.Repeat("x", 254)) // no room for the name of a new file beside it
	to := &told{}
	err := Tell(t.Context(), file, []watch.Report{report(nil)}, start, []Teller{to})
	if err == nil || !strings.Contains(err.Error(), "file name too long") || len(to.items) > 0 {
		t.Errorf("%v, %+v", err, to.items)
	}
}

// TestHeaderInjection: what a damaged state file says has no line of its own.
func TestHeaderInjection(t *testing.T) {
	evil := Item{Kind: "over\nBcc: a@b.example", Source: "b.example\nBcc: a@b.example\n\n", Service: "x\ny",
		Finding: &watch.Finding{Severity: "s\nBcc: s", Name: "n\r\nBcc: n", Reason: "r\nr"}}
	m := &Mail{to: []string{"admin@b.example"}}
	read, err := mail.ReadMessage(bytes.NewReader(m.message([]Item{evil})))
	if err != nil || len(read.Header) != 6 || read.Header.Get("Bcc") != "" {
		t.Errorf("%v, %v", read, err)
	}
	if text := body([]Item{evil}); strings.Count(text, "\n") != 2 {
		t.Errorf("%q", text)
	}
}

func TestDamagedState(t *testing.T) {
	for content, want := range map[string]string{
		"":                           "is damaged",
		`{"version":1,"domains":`:    "is damaged",
		`{"version":2,"domains":{}}`: "has version 2, and this program reads version 1",
		`{"version":1,"more":1}`:     "is damaged",
		`{"version":1,"domains":{"b.example _xmpp-server._tcp":null}}`: "is damaged",
	} {
		file := filepath.Join(t.TempDir(), "watch.json")
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		to := &told{}
		err := Tell(t.Context(), file, []watch.Report{report(nil)}, start, []Teller{to})
		if err == nil || !strings.Contains(err.Error(), want) || len(to.items) > 0 {
			t.Errorf("%q: %v, %+v", content, err, to.items)
		}
		if after, err := os.ReadFile(file); err != nil || string(after) != content {
			t.Errorf("%q: the file has %q, %v", content, after, err)
		}
	}
}

func item(k Kind, f *watch.Finding) Item {
	return Item{Kind: k, Source: source, Service: service, Finding: f, Detail: "something"}
}

// sendmail puts a program that does this first in PATH, in place of sendmail.
func sendmail(t *testing.T, script string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "sendmail"), []byte("#!/bin/sh\ncd '"+dir+"'\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	return dir
}

// TestMail: the message is one that mail programs can read, whatever a stranger
// wrote into a detail.
func TestMail(t *testing.T) {
	dir := sendmail(t, `printf '%s\n' "$@" > arguments; cat > message`)
	m, err := NewMail([]string{"admin@b.example", "other@b.example"})
	if err != nil {
		t.Fatal(err)
	}
	long := "evil\r\n.\r\nBcc: all@b.example \x1b[31m" + strings.Repeat(" grüße", 500)
	f := &watch.Finding{Severity: watch.SeverityError, Name: watch.Refused, Reason: "no-statement", Detail: long, Hint: "publish one"}
	if err := m.Tell(t.Context(), []Item{item(Begins, nil), item(New, f)}); err != nil {
		t.Fatal(err)
	}
	arguments, err := os.ReadFile(filepath.Join(dir, "arguments"))
	if string(arguments) != "-i\n--\nadmin@b.example\nother@b.example\n" {
		t.Errorf("arguments %q, %v", arguments, err)
	}
	raw, err := os.ReadFile(filepath.Join(dir, "message"))
	if err != nil {
		t.Fatal(err)
	}
	for line := range bytes.Lines(raw) {
		if len(line) > 78 && !bytes.HasPrefix(line, []byte("Subject: ")) || bytes.ContainsAny(line, "\r\x1b") {
			t.Errorf("a line of %d bytes: %.80q", len(line), line)
		}
	}
	read, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	if to, err := read.Header.AddressList("To"); err != nil || len(to) != 2 || read.Header.Get("Bcc") != "" {
		t.Errorf("to %v, %v: %v", to, err, read.Header)
	}
	if got := read.Header.Get("Subject"); got != "dnaverify watch: b.example: begins, and 1 more" {
		t.Errorf("subject %q", got)
	}
	text, err := io.ReadAll(quotedprintable.NewReader(read.Body))
	if err != nil || !strings.HasPrefix(string(text), "b.example _xmpp-server._tcp\n  BEGINS   something\n  NEW      error refused: no-statement: evil??.??Bcc: all@b.example ?[31m grüße") ||
		!strings.HasSuffix(string(text), "\n    hint: publish one\n") {
		t.Errorf("%v: %.200q", err, text)
	}
}

func TestMailFails(t *testing.T) {
	sendmail(t, `echo "no route to b.example" >&2; exit 75`)
	m, err := NewMail([]string{"admin@b.example"})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Tell(t.Context(), []Item{item(Begins, nil)}); err == nil || !strings.Contains(err.Error(), "exit status 75") || !strings.Contains(err.Error(), "no route to b.example") {
		t.Errorf("got %v", err)
	}
}

func TestMailAddress(t *testing.T) {
	sendmail(t, "")
	for _, a := range []string{"", "admin", "-oQ/tmp@b.example", "Admin <admin@b.example>", "a@b.example, c@b.example", "a@b.example\nBcc: c@b.example"} {
		if _, err := NewMail([]string{a}); err == nil || !strings.Contains(err.Error(), "is no mail address") {
			t.Errorf("%q: %v", a, err)
		}
	}
}

// TestMany: a message has an end, and says how much it leaves out.
func TestMany(t *testing.T) {
	var items []Item
	for i := range maxItems + 7 {
		one := item(Begins, nil)
		one.Source = fmt.Sprintf("d%d.example", i)
		items = append(items, one)
	}
	if text := body(items); strings.Count(text, "BEGINS") != maxItems || !strings.HasSuffix(text, "\nand 7 more: see dnaverify watch\n") {
		t.Errorf("%d items: ...%q", strings.Count(text, "BEGINS"), text[len(text)-60:])
	}
	if got := subject(items); got != "dnaverify watch: news of 207 domains" {
		t.Error(got)
	}
}

func TestWebhook(t *testing.T) {
	var got post
	status := http.StatusNoContent
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.Header.Get("Content-Type") != "application/json" || r.URL.Path != "/secret" {
			t.Errorf("%s %s with %v", r.Method, r.URL, r.Header)
		}
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		if status == http.StatusFound {
			w.Header().Set("Location", "/elsewhere")
		}
		w.WriteHeader(status)
		if status >= 400 {
			fmt.Fprint(w, "out of \x1b[31morder", strings.Repeat("x", 5000))
		}
	}))
	defer server.Close()
	h, err := NewWebhook(server.URL + "/secret")
	if err != nil {
		t.Fatal(err)
	}
	defer h.client.CloseIdleConnections()
	f := &watch.Finding{Severity: watch.SeverityError, Name: watch.Refused, Reason: "no-statement", Detail: "there is none", Hint: "publish one", Resolvers: []string{"one"}}
	if err := h.Tell(t.Context(), []Item{item(New, f)}); err != nil {
		t.Fatal(err)
	}
	if got.Version != 1 || len(got.Items) != 1 || got.Items[0].Finding.Name != watch.Refused || got.Omitted != 0 ||
		got.Text != "dnaverify watch: b.example: new: error refused\nb.example _xmpp-server._tcp\n  NEW      error refused: no-statement: there is none\n    hint: publish one\n" {
		t.Errorf("%+v", got)
	}
	for code, want := range map[int]string{http.StatusFound: "answered 302 Found", http.StatusInternalServerError: "500 Internal Server Error: out of ?[31morder"} {
		status = code
		if err := h.Tell(t.Context(), []Item{item(New, f)}); err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 1500 || strings.Contains(err.Error(), "secret") {
			t.Errorf("%d: %v", code, err)
		}
	}
	for _, parts := range []string{"/hooks/%s", "/?key=%s", "@/%s"} {
		const secret = "T0KEN-of/a%20hook"
		path := fmt.Sprintf(parts, secret)
		echo := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			http.Error(w, "there is nothing at "+r.URL.String(), http.StatusNotFound)
		}))
		defer echo.Close()
		where, found := strings.CutPrefix(path, "@")
		base := echo.URL
		if found {
			base = strings.Replace(base, "http://", "http://T0KEN-of:password@", 1)
		}
		h, err := NewWebhook(base + where)
		if err != nil {
			t.Fatal(err)
		}
		defer h.client.CloseIdleConnections()
		if err := h.Tell(t.Context(), []Item{item(New, f)}); err == nil || strings.Contains(err.Error(), "T0KEN") || !strings.Contains(err.Error(), "repeats its URL") || strings.Contains(h.To(), "T0KEN") {
			t.Errorf("%s: %v", parts, err)
		}
	}
	server.Close()
	if err := h.Tell(t.Context(), []Item{item(New, f)}); err == nil || strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("got %v", err)
	}
	for _, u := range []string{"", "b.example/secret", "ftp://b.example/secret", "https://", "https://b.example:port/secret", "\x00"} {
		if _, err := NewWebhook(u); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", u, err)
		}
	}
}
