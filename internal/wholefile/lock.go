//go:build unix

package wholefile

import (
	"context"
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"
)

// retry is how often a lock that somebody holds is tried: flock(2) has no
// time limit.
const retry = 20 * time.Millisecond

// LockFor is [Lock] of a folder that waits so long and then goes on without:
// locked is false, and unlock does nothing. Anybody who can read a folder can lock
// it, for ever, and must not keep others from what is safe without the lock. The
// error is that of ctx, or of the file system.
func LockFor(ctx context.Context, name string, wait time.Duration) (unlock func(), locked bool, err error) {
	root, err := OpenRoot(name)
	if err != nil {
		return nil, false, err
	}
	defer root.Close()
	return LockIn(ctx, root, ".", wait)
}

// LockIn is [LockFor] of a folder below another one. If wait is zero, it tries
// once.
func LockIn(ctx context.Context, root *os.Root, dir string, wait time.Duration) (unlock func(), locked bool, err error) {
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	f, err := OpenDir(root, dir)
	if err != nil {
		return nil, false, err
	}
	unlock, err = lock(waiting, f)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return func() {}, false, nil
	}
	return unlock, err == nil, err
}

// LockFile is [LockFor] of a file instead of a folder. Anybody who has the lock may put
// another file in its place, as [Write] does. The file must be there.
func LockFile(ctx context.Context, name string, wait time.Duration) (unlock func(), locked bool, err error) {
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	for {
		f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
		if err != nil {
			return nil, false, err
		}
		unlock, err := lock(waiting, f)
		if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
			return func() {}, false, nil
		}
		if err != nil {
			return nil, false, err
		}
		mine, err1 := f.Stat()
		there, err2 := os.Stat(name)
		if err := errors.Join(err1, err2); err != nil {
			unlock()
			return nil, false, err
		}
		if os.SameFile(mine, there) {
			return unlock, true, nil
		}
		unlock() // of a file that was replaced meanwhile
	}
}

// OpenDir opens a folder below another one. What is none is an error at once.
func OpenDir(root *os.Root, dir string) (*os.File, error) {
	return root.OpenFile(dir, os.O_RDONLY|syscall.O_DIRECTORY|syscall.O_NONBLOCK, 0)
}

// Lock locks a folder or a file that is there against other processes, and
// other callers in this one, that lock it. It waits until ctx ends, and then
// the error wraps that of ctx. unlock must be called; the end of the process
// unlocks too, however it comes. The file system must know flock(2).
func Lock(ctx context.Context, name string) (unlock func(), err error) {
	f, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	return lock(ctx, f)
}

// lock locks what is open, and closes it to unlock it, or if it fails.
func lock(ctx context.Context, f *os.File) (unlock func(), err error) {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return func() { f.Close() }, nil // which unlocks
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
			f.Close()
			return nil, &os.PathError{Op: "lock", Path: f.Name(), Err: err}
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("%s is locked by another process: %w", f.Name(), context.Cause(ctx))
		case <-time.After(retry):
		}
	}
}
