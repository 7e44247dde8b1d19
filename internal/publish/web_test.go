//go:build unix

package publish

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/wholefile"
)

// names lists everything below a folder.
func names(t *testing.T, root string) []string {
	t.Helper()
	var list []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if rel, _ := filepath.Rel(root, path); err == nil && !d.IsDir() {
			list = append(list, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestWeb(t *testing.T) {
	defer syscall.Umask(syscall.Umask(0o077)) // whatever it is, a web server reads what is written
	root := t.TempDir()
	place := webRoot(root).Place(source, service)
	old, fresh := draft{age: time.Hour}.sign(t), draft{}.sign(t)
	wantReason(t, place.Check(t.Context(), fresh), reasons.NotEverywhere)
	if views, err := place.Current(t.Context()); err != nil || len(views) != 1 || views[0].Err != nil || len(views[0].Found) != 0 {
		t.Errorf("%+v, %v", views, err)
	}
	for i, raw := range [][]byte{old, fresh, fresh} {
		change, err := place.Publish(t.Context(), raw)
		want := Change{Changed: i < 2, Where: filepath.Join(root, document), Replaced: i % 2}
		if err != nil || change != want {
			t.Errorf("%+v, %v, want %+v", change, err, want)
		}
		if err := place.Check(t.Context(), raw); err != nil {
			t.Error(err)
		}
	}
	if got := names(t, root); !slices.Equal(got, []string{document}) {
		t.Errorf("%q", got)
	}
	for name, mode := range map[string]fs.FileMode{".well-known": 0o755, ".well-known/dna": 0o755, document: 0o644} {
		if info, err := os.Stat(filepath.Join(root, name)); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s: %v, %v, want %o", name, info.Mode(), err, mode)
		}
	}
	// An older one does not come back, a broken one gives way.
	_, err := place.Publish(t.Context(), old)
	wantReason(t, err, reasons.Superseded)
	if err := place.Check(t.Context(), fresh); err != nil {
		t.Error(err)
	}
	half := filepath.Join(root, document)
	if err := os.WriteFile(half, fresh[:100], 0o644); err != nil {
		t.Fatal(err)
	}
	views, err := place.Current(t.Context())
	if err != nil || len(views[0].Found) != 1 || views[0].Found[0].Statement != nil {
		t.Errorf("%+v, %v", views, err)
	}
	wantReason(t, views[0].Found[0].Err, reasons.MalformedToken)
	if _, err := place.Publish(t.Context(), old); err != nil {
		t.Error(err)
	}
	// The other encoding is another file.
	if _, err := place.Publish(t.Context(), draft{encoding: delegation.AC}.sign(t)); err != nil {
		t.Error(err)
	}
	if views, err := place.Current(t.Context()); err != nil || len(views[0].Found) != 2 {
		t.Errorf("%+v, %v", views, err)
	}
	// Another domain's is not replaced.
	c := webRoot(root).Place("c.example", service)
	_, err = c.Publish(t.Context(), draft{source: "c.example"}.sign(t))
	wantReason(t, err, reasons.SourceMismatch)
}

// TestKilled: what a killed run left is no file of anybody's, and goes.
func TestKilled(t *testing.T) {
	root := t.TempDir()
	place := webRoot(root).Place(source, service)
	old, fresh := draft{age: time.Hour}.sign(t), draft{}.sign(t)
	if _, err := place.Publish(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, ".well-known/dna")
	for _, name := range []string{"._xmpp-server._tcp.jws.123.tmp", ".other.tmp", "._xmpp-server._tcp.jws.x.tmp"} {
		if err := os.WriteFile(filepath.Join(dir, name), fresh[:50], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := place.Publish(t.Context(), fresh); err != nil {
		t.Fatal(err)
	}
	want := []string{".well-known/dna/.other.tmp", ".well-known/dna/._xmpp-server._tcp.jws.x.tmp", document}
	slices.Sort(want)
	got := names(t, root)
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}

// TestNotWritable: a clear error, and what was there is there.
func TestNotWritable(t *testing.T) {
	fresh := draft{}.sign(t)
	for name, c := range map[string]struct {
		make func(t *testing.T, root string) string // the web root
		want error
	}{
		"no web root": {func(t *testing.T, root string) string { return filepath.Join(root, "none") }, fs.ErrNotExist},
		"web root is a file": {func(t *testing.T, root string) string {
			return write(t, filepath.Join(root, "f"))
		}, nil},
		".well-known is a file": {func(t *testing.T, root string) string {
			write(t, filepath.Join(root, ".well-known"))
			return root
		}, syscall.ENOTDIR},
		"dna is a file": {func(t *testing.T, root string) string {
			mkdir(t, filepath.Join(root, ".well-known"))
			write(t, filepath.Join(root, ".well-known/dna"))
			return root
		}, syscall.ENOTDIR},
		"a folder in its place": {func(t *testing.T, root string) string {
			mkdir(t, filepath.Join(root, document))
			return root
		}, nil},
		"a link in its place": {func(t *testing.T, root string) string {
			mkdir(t, filepath.Dir(filepath.Join(root, document)))
			if err := os.Symlink(write(t, filepath.Join(root, "f")), filepath.Join(root, document)); err != nil {
				t.Fatal(err)
			}
			return root
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			root := c.make(t, dir)
			before := names(t, dir)
			change, err := webRoot(root).Place(source, service).Publish(t.Context(), fresh)
			wantReason(t, err, reasons.BadFile)
			if c.want != nil && !errors.Is(err, c.want) || change.Changed {
				t.Errorf("%+v, %v, want %v", change, err, c.want)
			}
			if strings.HasSuffix(name, "in its place") && !strings.Contains(err.Error(), "remove it") {
				t.Errorf("%v does not say what to do", err)
			}
			if after := names(t, dir); !slices.Equal(before, after) {
				t.Errorf("files %q, before %q", after, before)
			}
		})
	}
}

func write(t *testing.T, name string) string {
	t.Helper()
	if err := os.WriteFile(name, []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	return name
}

func mkdir(t *testing.T, name string) {
	t.Helper()
	if err := os.MkdirAll(name, 0o755); err != nil {
		t.Fatal(err)
	}
}

// TestWebTwoAtOnce: the newest stays, whoever comes last, and no reader sees
// half of one.
func TestWebTwoAtOnce(t *testing.T) {
	root := t.TempDir()
	place := webRoot(root).Place(source, service)
	var statements [][]byte
	for i := range 10 {
		statements = append(statements, draft{age: time.Duration(10-i) * time.Minute}.sign(t))
	}
	if _, err := place.Publish(t.Context(), statements[0]); err != nil {
		t.Fatal(err)
	}
	var publishing, reading sync.WaitGroup
	ctx, done := context.WithCancel(t.Context())
	reading.Go(func() {
		for ctx.Err() == nil {
			raw, err := os.ReadFile(filepath.Join(root, document))
			if err != nil || !slices.ContainsFunc(statements, func(s []byte) bool { return string(s) == string(raw) }) {
				t.Errorf("%d octets, %v", len(raw), err)
			}
		}
	})
	for _, raw := range statements {
		publishing.Go(func() {
			if _, err := place.Publish(t.Context(), raw); err != nil && delegation.ReasonOf(err) != reasons.Superseded {
				t.Error(err)
			}
		})
	}
	publishing.Wait()
	done()
	reading.Wait()
	if err := place.Check(t.Context(), statements[9]); err != nil {
		t.Error(err)
	}
	if got := names(t, root); !slices.Equal(got, []string{document}) {
		t.Errorf("%q", got)
	}
}

// TestLocked: who waits for a lock stops with its context.
func TestLocked(t *testing.T) {
	root := t.TempDir()
	place := webRoot(root).Place(source, service)
	if _, err := place.Publish(t.Context(), draft{age: time.Hour}.sign(t)); err != nil {
		t.Fatal(err)
	}
	unlock, err := wholefile.Lock(t.Context(), filepath.Join(root, ".well-known/dna"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
	defer cancel()
	if _, err := place.Publish(ctx, draft{}.sign(t)); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	unlock()
	if _, err := place.Publish(t.Context(), draft{}.sign(t)); err != nil {
		t.Error(err)
	}
}

// TestLockedForEver: every user can lock a folder that everybody can read, and
// thereby keep nothing from being renewed. What may be the work of another
// process is left alone then.
func TestLockedForEver(t *testing.T) {
	root := t.TempDir()
	place := webRoot(root).Place(source, service)
	place.LockTime = time.Millisecond
	if _, err := place.Publish(t.Context(), draft{age: time.Hour}.sign(t)); err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(root, ".well-known/dna")
	unlock, err := wholefile.Lock(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	work := write(t, filepath.Join(dir, "._xmpp-server._tcp.jws.1.tmp"))
	fresh := draft{}.sign(t)
	if change, err := place.Publish(t.Context(), fresh); err != nil || !change.Changed {
		t.Errorf("%+v, %v", change, err)
	}
	if err := place.Check(t.Context(), fresh); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(work); err != nil {
		t.Error(err)
	}
}

// TestBusy: who does not want to wait for a folder is told at once.
func TestBusy(t *testing.T) {
	root := t.TempDir()
	place := webRoot(root).Place(source, service)
	place.NoWait = true
	if _, err := place.Publish(t.Context(), draft{age: time.Hour}.sign(t)); err != nil {
		t.Fatal(err)
	}
	unlock, err := wholefile.Lock(t.Context(), filepath.Join(root, ".well-known/dna"))
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	if change, err := place.Publish(t.Context(), draft{}.sign(t)); !errors.Is(err, ErrBusy) || change.Changed {
		t.Errorf("%+v, %v", change, err)
	}
}

// TestOwnerOfTheRoot: whoever owns a web root cannot use the rights of whoever
// publishes there. Each of the places below it is a link that leads out, a link
// to nowhere, or a pipe. Nothing is waited for, and nothing outside is touched.
func TestOwnerOfTheRoot(t *testing.T) {
	fresh := draft{}.sign(t)
	for _, name := range []string{".well-known", ".well-known/dna", document} {
		for kind, put := range map[string]func(t *testing.T, outside, file string){
			"link": func(t *testing.T, outside, file string) { symlink(t, outside, file) },
			"relative link": func(t *testing.T, _, file string) {
				symlink(t, strings.Repeat("../", strings.Count(name, "/")+1)+"outside", file)
			},
			"link to nowhere": func(t *testing.T, outside, file string) {
				symlink(t, filepath.Join(outside, "new"), file)
			},
			"link to a file": func(t *testing.T, outside, file string) { symlink(t, filepath.Join(outside, "secret"), file) },
			"pipe": func(t *testing.T, _, file string) {
				if err := syscall.Mkfifo(file, 0o666); err != nil {
					t.Fatal(err)
				}
			},
		} {
			t.Run(strings.ReplaceAll(name+" "+kind, " ", "-"), func(t *testing.T) {
				t.Parallel()
				dir := t.TempDir()
				root, outside := filepath.Join(dir, "root"), filepath.Join(dir, "outside")
				mkdir(t, outside)
				mkdir(t, filepath.Join(outside, "dna"))
				secret := filepath.Join(outside, "secret")
				if err := os.WriteFile(secret, fresh, 0o600); err != nil {
					t.Fatal(err)
				}
				mkdir(t, filepath.Dir(filepath.Join(root, name)))
				put(t, outside, filepath.Join(root, name))
				before := names(t, outside)
				place := webRoot(root).Place(source, service)
				change, err := place.Publish(t.Context(), fresh)
				if wantReason(t, err, reasons.BadFile); change.Changed {
					t.Errorf("%+v", change)
				}
				if strings.Contains(kind, "link") && name != document && !strings.Contains(err.Error(), "it is a link that leads out of "+root+",") || !strings.Contains(err.Error(), filepath.Join(root, ".well-known")) {
					t.Error(err)
				}
				if place.Check(t.Context(), fresh) == nil {
					t.Error("a file outside is taken for ours")
				}
				views, err := place.Current(t.Context())
				if err != nil || len(views[0].Found) != 0 {
					t.Errorf("%+v, %v", views, err)
				}
				if change, err := place.Remove(t.Context(), func(*delegation.Inspection) bool { return true }); change.Changed {
					t.Errorf("removed: %+v, %v", change, err)
				}
				if diff := cmp.Diff(before, names(t, outside)); diff != "" {
					t.Error(diff)
				}
				if info, err := os.Stat(secret); err != nil || info.Mode().Perm() != 0o600 {
					t.Errorf("%v, %v", info.Mode(), err)
				}
			})
		}
	}
	// The web root itself.
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o666); err != nil {
		t.Fatal(err)
	}
	_, err := webRoot(pipe).Place(source, service).Publish(t.Context(), fresh)
	wantReason(t, err, reasons.BadFile)
}

// TestReplacedMeanwhile: what was a folder or a file a moment ago is something
// else now.
func TestReplacedMeanwhile(t *testing.T) {
	dir := t.TempDir()
	mkdir(t, filepath.Join(dir, "root"))
	secret := write(t, filepath.Join(dir, "root", "secret"))
	if err := os.Chmod(secret, 0o600); err != nil {
		t.Fatal(err)
	}
	root, err := wholefile.OpenRoot(filepath.Join(dir, "root"))
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	mkdir(t, filepath.Join(dir, "root", "private"))
	if err := os.Chmod(filepath.Join(dir, "root", "private"), 0o700); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{secret, "secret", "private", "../root/secret"} {
		link := filepath.Join(dir, "root", "link")
		symlink(t, to, link)
		if err := openUp(root, "link"); err == nil {
			t.Errorf("%s: the link is followed", to)
		}
		if err := os.Remove(link); err != nil {
			t.Fatal(err)
		}
	}
	// A folder of somebody's, exchanged for the one that was made.
	write(t, filepath.Join(dir, "root", "private", "key"))
	if err := openUp(root, "private"); err == nil {
		t.Error("a folder with something in it is opened up")
	}
	for name, mode := range map[string]fs.FileMode{"secret": 0o600, "private": 0o700} {
		if info, err := root.Stat(name); err != nil || info.Mode().Perm() != mode {
			t.Errorf("%s has mode %v, %v", name, info.Mode(), err)
		}
	}
	if err := syscall.Mkfifo(filepath.Join(dir, "root", "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(secret)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readAs(root, "pipe", info); err == nil {
		t.Error("a pipe is read as a file")
	}
}

func symlink(t *testing.T, to, name string) {
	t.Helper()
	if err := os.Symlink(to, name); err != nil {
		t.Fatal(err)
	}
}

// TestRemove: ours goes, and nothing else.
func TestRemove(t *testing.T) {
	root := t.TempDir()
	raw, rawAC := draft{}.sign(t), draft{encoding: delegation.AC}.sign(t)
	s := setup.DNS(t, zone(line("v=spf1 -all"))...)
	for name, place := range map[string]Place{"files": webRoot(root).Place(source, service), "records": at(t, s).Place(source, service)} {
		t.Run(name, func(t *testing.T) {
			for _, r := range [][]byte{raw, rawAC} {
				if _, err := place.Publish(t.Context(), r); err != nil {
					t.Fatal(err)
				}
			}
			isJWS := func(in *delegation.Inspection) bool { return in.Encoding == delegation.JWS }
			for i, want := range []Change{{Changed: true, Replaced: 1}, {}} {
				change, err := place.Remove(t.Context(), isJWS)
				if err != nil || change.Changed != want.Changed || change.Replaced != want.Replaced || change.Changed && change.Where == "" {
					t.Errorf("%d: %+v, %v", i, change, err)
				}
			}
			views, err := place.Current(t.Context())
			if err != nil || len(views) != 1 || len(views[0].Found) != 1 || views[0].Found[0].Statement.Encoding != delegation.AC {
				t.Errorf("%+v, %v", views, err)
			}
		})
	}
	if got := recordsAt(t, s.Addr); !slices.Contains(got, "v=spf1 -all") || len(got) != 2 {
		t.Errorf("%.80q", got)
	}
}
