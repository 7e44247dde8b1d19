package redisstore

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/internal/floorrecord"
)

const (
	// watchSilence is how long nothing may be heard of the server, which is asked
	// for a sign of life halfway. So a node that misses a Raise knows within this
	// time that it may miss some.
	watchSilence = time.Second
	// watchRetry is how long not to connect again.
	watchRetry = time.Second
	// watchCluster is how often everything is read again in a cluster. A
	// message passes between its nodes, and is lost if they lose each other.
	watchCluster = time.Minute
)

// Watch is part of [floors.Store]. It subscribes to what swap publishes.
func (s *redisStore) Watch(ctx context.Context, w floors.Watcher) {
	for lost := false; ctx.Err() == nil; {
		err := s.subscription(ctx, w, func() {
			if lost {
				s.log.Info("the Redis tells of raised floors again", "store", s.name)
			}
			lost = false
		})
		w.Watching(false)
		if !lost && ctx.Err() == nil {
			lost = true
			s.log.Warn("the Redis does not tell of raised floors: until it does, they are read for each question", "error", s.named(err))
		}
		select {
		case <-time.After(watchRetry):
		case <-ctx.Done():
		}
	}
}

// subscription tells a watcher what one connection says, and why that ended.
func (s *redisStore) subscription(ctx context.Context, w floors.Watcher, begun func()) error {
	sub := s.client.Subscribe(ctx, s.channel)
	defer sub.Close()
	defer context.AfterFunc(ctx, func() { sub.Close() })()
	if _, err := sub.ReceiveTimeout(ctx, redisTimeout); err != nil {
		return err
	}
	begun()
	w.Watching(true)
	read, asked := time.Now(), false
	for {
		message, err := sub.ReceiveTimeout(ctx, watchSilence/2)
		var timeout net.Error
		silent := errors.As(err, &timeout) && timeout.Timeout()
		switch m := message.(type) {
		case *redis.Message:
			about, r, err := floorrecord.ParseMessage(m.Payload)
			if err != nil {
				return fmt.Errorf("%w: %w", floors.ErrDamaged, err)
			}
			w.Raised(about.Source, about.Service, r.Floor)
		case *redis.Subscription: // the library has connected again by itself
			w.Watching(true)
		case nil:
			if !silent || asked {
				return err
			}
			if err := sub.Ping(ctx); err != nil {
				return err
			}
		}
		asked = silent
		if s.cluster && time.Since(read) >= watchCluster {
			read = time.Now()
			w.Watching(true)
		}
	}
}
