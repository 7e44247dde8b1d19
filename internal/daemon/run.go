package daemon

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/net/netutil"
)

// bounds are what a client may use up.
type bounds struct {
	read, answer, idle, stop time.Duration
	connections              int // of a listener
}

var defaultBounds = bounds{
	// Clients are on this machine.
	read: 5 * time.Second,
	// What a question may take, and a little for slow clients to read.
	answer: questionTimeout + 5*time.Second,
	// How long a connection may wait for its next question.
	idle: 30 * time.Second,
	// What questions under way may take when the daemon ends.
	stop: questionTimeout + 5*time.Second,
	// Twice the questions that may wait for lookups, so that these keep
	// nobody out whose answer is in the cache. More wait in the kernel until
	// others end.
	connections: 4096,
}

// Serve answers at the listeners until ctx ends. Then it takes no more
// questions, finishes those under way within 20 seconds and returns nil. It
// closes the listeners.
func Serve(ctx context.Context, handler http.Handler, listeners []net.Listener, log *slog.Logger) error {
	return serve(ctx, handler, listeners, log, defaultBounds)
}

func serve(ctx context.Context, handler http.Handler, listeners []net.Listener, log *slog.Logger, b bounds) error {
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: b.read,
		ReadTimeout:       b.read,
		WriteTimeout:      b.read + b.answer,
		IdleTimeout:       b.idle,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
	}
	failed := make(chan error, len(listeners))
	var running sync.WaitGroup
	for _, l := range listeners {
		running.Go(func() {
			if err := server.Serve(netutil.LimitListener(l, b.connections)); !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		})
	}
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), b.stop)
	defer cancel()
	if server.Shutdown(grace) != nil {
		err = errors.Join(err, errors.New("questions were still under way at the end"), server.Close())
	}
	running.Wait()
	return err
}
