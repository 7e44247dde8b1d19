//go:build unix

package publish

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/wholefile"
)

const document = ".well-known/dna/_xmpp-server._tcp.jws"

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
	place := (&Web{Root: root}).Place(source, service)
	old, fresh := draft{age: time.Hour}.sign(t), draft{}.sign(t)
	wantReason(t, place.Check(t.Context(), fresh), delegation.NotEverywhere)
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
	wantReason(t, err, delegation.Superseded)
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
	wantReason(t, views[0].Found[0].Err, delegation.MalformedToken)
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
	c := (&Web{Root: root}).Place("c.example", service)
	_, err = c.Publish(t.Context(), draft{source: "c.example"}.sign(t))
	wantReason(t, err, delegation.SourceMismatch)
}

// TestKilled: what a killed run left is no file of anybody's, and goes.
func TestKilled(t *testing.T) {
	root := t.TempDir()
	place := (&Web{Root: root}).Place(source, service)
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
			change, err := (&Web{Root: root}).Place(source, service).Publish(t.Context(), fresh)
			wantReason(t, err, delegation.BadFile)
			if c.want != nil && !errors.Is(err, c.want) || change.Changed {
				t.Errorf("%+v, %v, want %v", change, err, c.want)
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
	place := (&Web{Root: root}).Place(source, service)
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
			if _, err := place.Publish(t.Context(), raw); err != nil && delegation.ReasonOf(err) != delegation.Superseded {
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
	place := (&Web{Root: root}).Place(source, service)
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
	place := (&Web{Root: root, lockTime: time.Millisecond}).Place(source, service)
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

// TestOwnerOfTheRoot: whoever owns a web root cannot use the rights of whoever
// publishes there: not by a link in the place of a folder that was just made,
// which would open up another file, nor hold him up by a pipe.
func TestOwnerOfTheRoot(t *testing.T) {
	dir := t.TempDir()
	root, secret := filepath.Join(dir, "root"), filepath.Join(dir, "secret")
	mkdir(t, root)
	if err := os.WriteFile(secret, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, to := range []string{secret, "../secret"} {
		link := filepath.Join(root, ".well-known")
		if err := os.Symlink(to, link); err != nil {
			t.Fatal(err)
		}
		if err := openUp(link); err == nil {
			t.Errorf("%s: the link is followed", to)
		}
		if info, err := os.Stat(secret); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: the file it leads to has mode %v, %v", to, info.Mode(), err)
		}
		if err := os.Remove(link); err != nil {
			t.Fatal(err)
		}
	}
	pipe := filepath.Join(root, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(secret) // as if it had been a file a moment ago
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readAs(pipe, info); err == nil {
		t.Error("a pipe is read as a file")
	}
}
