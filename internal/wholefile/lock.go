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

// LockFor is [Lock] that waits so long and then goes on without: locked is
// false, and unlock does nothing. Whoever can read a folder can lock it, for
// ever, and must not keep others from what is safe without the lock. The error
// is that of ctx, or of the file system.
func LockFor(ctx context.Context, name string, wait time.Duration) (unlock func(), locked bool, err error) {
	waiting, cancel := context.WithTimeout(ctx, wait)
	defer cancel()
	unlock, err = Lock(waiting, name)
	if errors.Is(err, context.DeadlineExceeded) && ctx.Err() == nil {
		return func() {}, false, nil
	}
	return unlock, err == nil, err
}

// Lock locks a folder or a file that is there against other processes, and
// other callers in this one, that lock it. It waits until ctx ends, and then
// the error wraps that of ctx. unlock must be called; the end of the process
// unlocks too, however it comes. The file system must know flock(2).
func Lock(ctx context.Context, name string) (unlock func(), err error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return func() { f.Close() }, nil // which unlocks
		case !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR):
			f.Close()
			return nil, &os.PathError{Op: "lock", Path: name, Err: err}
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, fmt.Errorf("%s is locked by another process: %w", name, context.Cause(ctx))
		case <-time.After(retry):
		}
	}
}
