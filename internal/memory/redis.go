package memory

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/dnasign/dnasign/delegation"
)

const (
	// redisTimeout bounds connecting, and each reading and writing. A server
	// waits for the answer with a connection open.
	redisTimeout = 2 * time.Second
	// maxRounds bounds how often a Raise begins anew because another one came
	// first. Each time, somebody got on.
	maxRounds = 100
)

// A redisStore is a Store in a Redis, or in a cluster of them. A source has one
// key, and each of its crowds one, a sorted set of sources by their last Raise.
// All of them have the last two labels of the source as hash tag, so they are
// on one node, and none depends on the version of the Public Suffix List but
// the sets, which only count.
type redisStore struct {
	client redis.UniversalClient
	name   string
	secret string // never in an error
	limits limits
	now    func() time.Time
}

func redisTag(source string) string {
	i := strings.LastIndexByte(source, '.')
	return source[strings.LastIndexByte(source[:i], '.')+1:]
}

func floorsKey(source string) string { return "dna:floors:{" + redisTag(source) + "}:" + source }

func crowdKey(domain string) string { return "dna:under:{" + redisTag(domain) + "}:" + domain }

// What swap answers, other than the number of a crowd that is full, from 1.
const (
	swapped    = 0
	swapLate   = -1
	swapNoRoom = -2
)

// swap puts a record in the place of another, if that still is the one that was
// read, and counts a new source. The time is the server's, one for all nodes.
// SET is the first command that writes: only that one fails for want of memory.
//
//	KEYS: the record, the crowds
//	ARGV: old record ("" for none), new record, source, life in seconds, most keys, most of each crowd
var swap = redis.NewScript(`
local have = redis.call('GET', KEYS[1])
if (have or '') ~= ARGV[1] then return -1 end
local now, life = tonumber(redis.call('TIME')[1]), tonumber(ARGV[4])
if not have then
  if redis.call('DBSIZE') >= tonumber(ARGV[5]) then return -2 end
  for i = 2, #KEYS do
    if redis.call('ZCOUNT', KEYS[i], now - life, '+inf') >= tonumber(ARGV[4 + i]) then return i - 1 end
  end
end
redis.call('SET', KEYS[1], ARGV[2], 'EX', life)
for i = 2, #KEYS do
  redis.call('ZREMRANGEBYSCORE', KEYS[i], '-inf', '(' .. (now - life))
  redis.call('ZADD', KEYS[i], now, ARGV[3])
  redis.call('EXPIRE', KEYS[i], life)
end
return 0`)

// quiet keeps the library from writing to standard error by itself.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

// openRedis connects and looks at how the server is set up.
func openRedis(ctx context.Context, where string, options Options, l limits) (Store, error) {
	place, err := parseRedis(where)
	if err != nil {
		return nil, err
	}
	redis.SetLogger(quiet{})
	s := &redisStore{name: place.name, secret: place.password, limits: l, now: options.Now}
	universal := &redis.UniversalOptions{
		Addrs: []string{place.addr}, DB: place.db, Username: place.user, Password: place.password, TLSConfig: place.tls,
		Protocol: 2, DisableIdentity: true,
		DialTimeout: redisTimeout, ReadTimeout: redisTimeout, WriteTimeout: redisTimeout, ContextTimeoutEnabled: true,
		DialerRetries: 1, MaxRetries: 1,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	s.client = redis.NewUniversalClient(universal)
	info, err := s.info(ctx)
	if err != nil {
		s.client.Close()
		return nil, s.named(err)
	}
	if info["cluster_enabled"] == "1" {
		s.client.Close()
		universal.IsClusterMode = true
		s.client = redis.NewUniversalClient(universal)
	}
	for _, warning := range warnings(place, info) {
		options.Logger.Warn(warning, "store", place.name)
	}
	return s, nil
}

// info asks a server about itself. One that does not allow the question says
// nothing.
func (s *redisStore) info(ctx context.Context) (map[string]string, error) {
	text, err := s.client.Info(ctx).Result()
	if redis.IsPermissionError(err) {
		return nil, s.client.Ping(ctx).Err()
	}
	fields := map[string]string{}
	for line := range strings.Lines(text) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
			fields[name] = value
		}
	}
	return fields, err
}

// warnings are what the operator should know of a Redis and may have meant so.
func warnings(place *redisPlace, info map[string]string) (list []string) {
	if place.exposed {
		list = append(list, "the Redis is used over a network without TLS: whoever is on the way can read its password and make us forget; use rediss://")
	}
	if info == nil {
		return append(list, "the Redis does not let us see its INFO: make sure that it does not evict keys and that it keeps them on its disk")
	}
	if policy := info["maxmemory_policy"]; policy != "noeviction" {
		list = append(list, fmt.Sprintf("the Redis evicts keys when its memory is full (maxmemory-policy %s): "+
			"whoever fills it makes us forget, and replaced statements count again; set noeviction", policy))
	}
	if info["aof_enabled"] != "1" {
		list = append(list, "the Redis does not write each change to its disk (appendonly no): "+
			"what it was given since its last snapshot is forgotten when it stops; set appendonly yes and appendfsync always")
	}
	return list
}

// named says of which Redis an error is, and takes the password out, which old
// servers repeat in theirs.
func (s *redisStore) named(err error) error {
	if err == nil {
		return nil
	}
	if s.secret != "" && strings.Contains(err.Error(), s.secret) {
		err = errors.New(strings.ReplaceAll(err.Error(), s.secret, "[password]"))
	}
	return fmt.Errorf("the memory %s: %w", s.name, err)
}

// load reads the record of a source, the zero one and "" if there is none.
func (s *redisStore) load(ctx context.Context, source string) (r record, encoded string, err error) {
	encoded, err = s.client.Get(ctx, floorsKey(source)).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return record{}, "", nil
	case err != nil:
		return record{}, "", err
	}
	r, err = decode(source, []byte(encoded))
	return r, encoded, err
}

// Floors is part of [Store].
func (s *redisStore) Floors(ctx context.Context, source string) ([]delegation.Floor, error) {
	if err := cmp.Or(ctx.Err(), checkFloors(source, nil)); err != nil {
		return nil, err
	}
	r, _, err := s.load(ctx, source)
	return r.floors, s.named(err)
}

// Raise is part of [Store].
func (s *redisStore) Raise(ctx context.Context, source string, floors []delegation.Floor) ([]delegation.Floor, error) {
	if err := cmp.Or(ctx.Err(), checkFloors(source, floors)); err != nil {
		return nil, err
	}
	for range maxRounds {
		have, old, err := s.load(ctx, source)
		if err != nil {
			return nil, s.named(err)
		}
		next, changed, full := have.raise(floors, s.now())
		if !changed {
			return next.floors, full
		}
		crowds := s.limits.crowds(source)
		switch answer, err := s.swap(ctx, source, crowds, old, string(next.encode(source))); {
		case err != nil:
			return nil, s.named(err)
		case answer == swapped:
			return next.floors, full
		case answer == swapLate:
			continue
		case answer == swapNoRoom:
			return nil, fmt.Errorf("%w: %d keys", ErrFull, s.mostKeys())
		default:
			return nil, fmt.Errorf("%w: %d sources under %s", ErrFull, crowds[answer-1].most, crowds[answer-1].domain)
		}
	}
	return nil, s.named(fmt.Errorf("%s is raised by others all the time", source))
}

// mostKeys bounds the keys of the database, on each node of a cluster: that of
// a source and, where it is the only one, that of its domain.
func (s *redisStore) mostKeys() int { return 2 * s.limits.sources }

func (s *redisStore) swap(ctx context.Context, source string, crowds []crowd, old, next string) (int, error) {
	keys := []string{floorsKey(source)}
	args := []any{old, next, source, int((Keep + refresh).Seconds()), s.mostKeys()}
	for _, c := range crowds {
		keys, args = append(keys, crowdKey(c.domain)), append(args, c.most)
	}
	answer, err := swap.Run(ctx, s.client, keys, args...).Int()
	if err == nil && (answer < swapNoRoom || answer > len(crowds)) {
		err = fmt.Errorf("it answers %d", answer)
	}
	return answer, err
}

// Close is part of [Store].
func (s *redisStore) Close() error { return s.named(s.client.Close()) }
