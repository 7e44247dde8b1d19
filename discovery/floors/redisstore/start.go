package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/redis/go-redis/v9"

	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/internal/floorrecord"
)

// start connects to a server, or to all nodes of its cluster, and checks
// whether it remembers what it is told. A problem that will not go away is an
// error. The rest is logged, since records can be read meanwhile.
func (s *redisStore) start(ctx context.Context, place *redisPlace, options *redis.UniversalOptions) error {
	info, err := info(ctx, s.client)
	if err != nil {
		return err
	}
	if info["cluster_enabled"] == "1" {
		s.client.Close()
		options.IsClusterMode, s.cluster = true, true
		s.client = redis.NewUniversalClient(options)
	}
	if err := s.checkVersion(ctx); err != nil {
		return err
	}
	if place.exposed {
		s.log.Warn("the Redis is used over a network without TLS: anybody on the path can read its password and make us forget; use rediss://", "store", s.name)
	}
	if err := s.eachServer(ctx, s.checkServer); err != nil {
		return err
	}
	return s.tryWriting(ctx)
}

// checkVersion refuses a database of version 1, which has keys of no other kind.
func (s *redisStore) checkVersion(ctx context.Context) error {
	key, err := s.client.RandomKey(ctx).Result()
	if err == nil && strings.HasPrefix(key, oldPrefix) {
		return fmt.Errorf("%w: 1, and this program knows %d and %d; give the number of another database, or empty this one with FLUSHDB, "+
			"which costs that an attacker can show statements which were replaced or revoked until they expire (31 days at most by default)",
			floors.ErrVersion, floorrecord.OldestVersion, floorrecord.FormatVersion)
	}
	if errors.Is(err, redis.Nil) || redis.IsPermissionError(err) {
		return nil
	}
	return err
}

// info asks a server about itself. One that does not allow the question says
// nothing.
func info(ctx context.Context, server redis.Cmdable) (map[string]string, error) {
	text, err := server.Info(ctx).Result()
	if redis.IsPermissionError(err) {
		return nil, server.Ping(ctx).Err()
	}
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	return fields, err
}

// eachServer calls f for the server, or for each node of the cluster that can be
// written, one after the other.
func (s *redisStore) eachServer(ctx context.Context, f func(context.Context, *redis.Client) error) error {
	cluster, ok := s.client.(*redis.ClusterClient)
	if !ok {
		return f(ctx, s.client.(*redis.Client))
	}
	var one sync.Mutex
	return cluster.ForEachMaster(ctx, func(ctx context.Context, c *redis.Client) error {
		one.Lock()
		defer one.Unlock()
		return f(ctx, c)
	})
}

// checkServer looks at how a server is set up.
func (s *redisStore) checkServer(ctx context.Context, server *redis.Client) error {
	info, err := info(ctx, server)
	if err != nil {
		return err
	}
	log := s.log.With("store", s.name, "server", server.Options().Addr)
	if info == nil {
		log.Warn("the Redis does not let us see its INFO: make sure that it does not evict keys and that it keeps them on its disk")
		return nil
	}
	if info["role"] == "slave" {
		return fmt.Errorf("%w: %s is a replica; give the address of its primary, %s:%s",
			floors.ErrReadOnly, server.Options().Addr, info["master_host"], info["master_port"])
	}
	if policy := info["maxmemory_policy"]; policy != "noeviction" {
		const set = "anybody who fills it makes us forget, and replaced statements are accepted again; set maxmemory-policy noeviction"
		if info["maxmemory"] != "0" {
			return fmt.Errorf("%w: %s evicts keys (maxmemory-policy %s): %s", floors.ErrEvicts, server.Options().Addr, policy, set)
		}
		log.Warn(fmt.Sprintf("the Redis will evict keys as soon as it has a maxmemory (maxmemory-policy %s): %s", policy, set))
	}
	if info["aof_enabled"] != "1" {
		log.Warn("the Redis does not write each change to its disk (appendonly no): " +
			"what it was given since its last snapshot is forgotten when it stops; set appendonly yes and appendfsync always")
	}
	return nil
}

// probes is how many keys are written at the start in a cluster, so that each
// node gets one. With ten nodes, one start in 30,000 misses a node.
const probes = 100

// tryWriting writes keys that end at once, and looks whether the user may do what
// prune does.
func (s *redisStore) tryWriting(ctx context.Context) error {
	n := 1
	if s.cluster {
		n = probes
	}
	_, err := s.client.Pipelined(ctx, func(p redis.Pipeliner) error {
		for i := range n {
			p.Eval(ctx, `return redis.call('SET', KEYS[1], '', 'PX', 1)`, []string{fmt.Sprintf("%sprobe:{%d}", keyPrefix, i)})
		}
		return nil
	})
	has := func(code string) bool { return err != nil && strings.Contains(err.Error(), code+" ") }
	switch {
	case has("OOM"):
		s.log.Error("the Redis cannot remember anything new, since its memory is full: new statements will be memory-failed; raise maxmemory", "store", s.name)
	case has("NOREPLICAS"), has("MISCONF"):
		s.log.Error("the Redis cannot remember anything new: new statements will be memory-failed until it can", "store", s.name, "error", s.named(err))
	case has("READONLY"):
		return fmt.Errorf("%w: it is a replica; give the address of its primary: %w", floors.ErrReadOnly, err)
	default:
		err = cmp.Or(err, s.client.Scan(ctx, 0, "", 1).Err(), s.client.ZRem(ctx, keyPrefix+"probe", "").Err(), s.client.Del(ctx, keyPrefix+"probe").Err())
		if _, answered := errors.AsType[redis.Error](err); answered && !has("CLUSTERDOWN") {
			return fmt.Errorf("the Redis does not let us write; compare the rights of the user with those in docs/operations.md: %w", err)
		}
		return err
	}
	return nil
}
