package redisstore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/discovery/floors"
	"github.com/dnasign/dnasign/internal/floorrecord"
)

const (
	// redisTimeout bounds connecting, and each reading and writing. A server
	// waits for the answer with a connection open.
	redisTimeout = 2 * time.Second
	// maxRounds bounds how often a Raise begins anew because another one came
	// first. Each time, somebody got on.
	maxRounds = 100
)

// A redisStore is a Store in a Redis, or in a cluster of them. A record has one
// key, and each of its crowds one, a sorted set of subjects by when they may be
// forgotten. All of them have the last two labels of the source as hash tag, so
// they are on one node. No record depends on the version of the Public Suffix
// List, only the sets, which only count.
type redisStore struct {
	client  redis.UniversalClient
	cluster bool
	channel string
	name    string
	secret  string // never in an error
	limits  floorrecord.Limits
	log     *slog.Logger
	now     func() time.Time
	stop    context.CancelFunc
	running sync.WaitGroup
}

func redisTag(source string) string {
	i := strings.LastIndexByte(source, '.')
	return source[strings.LastIndexByte(source[:i], '.')+1:]
}

// Keys of version 1 of the format begin differently. A record of version 2 is one
// without a statement, so those of version 3 stand under the same keys.
const keyPrefix, oldPrefix = "dna2:", "dna:"

func redisKey(s floorrecord.Subject) string {
	return keyPrefix + "floor:{" + redisTag(s.Source) + "}:" + s.String()
}

func crowdKey(domain string) string { return keyPrefix + "under:{" + redisTag(domain) + "}:" + domain }

// What swap answers, other than the number of a crowd that is full, from 1.
const (
	swapped    = 0
	swapLate   = -1
	swapNoRoom = -2
)

// swap replaces a record if it is still the one that was read. It counts a new
// one, and tells all nodes of a floor that was raised. No key ends by itself: the server's clock may jump,
// and prune forgets by ours. SET is the first command that writes: only that
// one fails for want of memory.
//
//	KEYS: the record, the crowds
//	ARGV: old record ("" for none), new record, subject, channel, now and the end of
//	      the record in seconds since 1970, most keys, message ("" for none), most of
//	      each crowd
var swap = redis.NewScript(`
local have = redis.call('GET', KEYS[1])
if (have or '') ~= ARGV[1] then return -1 end
if not have then
  if redis.call('DBSIZE') >= tonumber(ARGV[7]) then return -2 end
  for i = 2, #KEYS do
    if redis.call('ZCOUNT', KEYS[i], ARGV[5], '+inf') >= tonumber(ARGV[7 + i]) then return i - 1 end
  end
end
redis.call('SET', KEYS[1], ARGV[2])
for i = 2, #KEYS do redis.call('ZADD', KEYS[i], ARGV[6], ARGV[3]) end
if ARGV[8] ~= '' then redis.call('PUBLISH', ARGV[4], ARGV[8]) end
return 0`)

// quiet keeps the library from writing to standard error by itself.
type quiet struct{}

func (quiet) Printf(context.Context, string, ...any) {}

// Open connects to a Redis (6 or later) or Valkey, alone or one node of a
// cluster. The options may be nil. The URL is one of
//
//	redis://[user[:password]@]host[:port][/db][?password-file=FILE]
//	rediss://[user[:password]@]host[:port][/db][?password-file=FILE][&ca-file=FILE][&cert-file=FILE&key-file=FILE]
//	unix:///socket[?db=N][&password-file=FILE]
//
// A password is better in a file than in the URL, which a list of processes would
// show. Only its owner and group may read that file. ca-file holds the CA
// certificates that are trusted instead of the system's. cert-file and key-file
// are the certificate that the client shows, with its chain, and its key.
//
// A server that does not answer is an error. If it is away later, each call
// tries again and returns an error until it is back. Open refuses a server that
// evicts keys when it is full. It logs a warning about a server that does not
// write to its disk, or is used over a network without TLS.
//
// Errors wrap [floors.ErrVersion], [floors.ErrReadOnly], [floors.ErrEvicts] or an
// [io/fs] error where it is one of those. No error and no log line has a
// password in it.
func Open(ctx context.Context, url string, options *floors.Options) (floors.Store, error) {
	return openLimited(ctx, url, options.WithDefaults(), floorrecord.DefaultLimits)
}

// openLimited is Open with other limits, for tests.
func openLimited(ctx context.Context, where string, options floors.Options, l floorrecord.Limits) (floors.Store, error) {
	place, err := parseRedis(where)
	if err != nil {
		return nil, err
	}
	redis.SetLogger(quiet{})
	s := &redisStore{
		// Channels are not parts of a database, as keys are.
		channel: fmt.Sprintf("%sfloors:%d", keyPrefix, place.db),
		name:    place.name, secret: place.password, limits: l, log: options.Logger, now: options.Now,
	}
	universal := &redis.UniversalOptions{
		Addrs: []string{place.addr}, DB: place.db, Username: place.user, Password: place.password, TLSConfig: place.tls,
		Protocol: 2, DisableIdentity: true,
		DialTimeout: redisTimeout, ReadTimeout: redisTimeout, WriteTimeout: redisTimeout, ContextTimeoutEnabled: true,
		DialerRetries: 1, MaxRetries: 1,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	s.client = redis.NewUniversalClient(universal)
	if err := s.start(ctx, place, universal); err != nil {
		s.client.Close()
		return nil, s.named(err)
	}
	ctx, s.stop = context.WithCancel(context.Background())
	s.running.Go(func() { s.pruneAlways(ctx) })
	return s, nil
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

// load reads the record of a subject, the zero one and "" if there is none.
func (s *redisStore) load(ctx context.Context, about floorrecord.Subject) (r floorrecord.Record, encoded string, err error) {
	encoded, err = s.client.Get(ctx, redisKey(about)).Result()
	switch {
	case errors.Is(err, redis.Nil):
		return floorrecord.Record{}, "", nil
	case err != nil:
		return floorrecord.Record{}, "", err
	}
	if r, err = floorrecord.Decode(about, []byte(encoded)); err != nil {
		return r, encoded, fmt.Errorf("%w: %w", floors.ErrDamaged, err)
	}
	return r, encoded, nil
}

// Load is part of [floors.Store].
func (s *redisStore) Load(ctx context.Context, source, service string) (floors.Record, error) {
	about := floorrecord.About(source, service)
	if err := cmp.Or(ctx.Err(), about.Check()); err != nil {
		return floors.Record{}, err
	}
	r, _, err := s.load(ctx, about)
	return floors.Record(r.Newest), s.named(err)
}

// Raise is part of [floors.Store].
func (s *redisStore) Raise(ctx context.Context, source, service string, r floors.Record) (none delegation.Floor, err error) {
	about, newest := floorrecord.About(source, service), floorrecord.Newest(r)
	if err := cmp.Or(ctx.Err(), about.Check(), newest.Check()); err != nil {
		return none, err
	}
	for range maxRounds {
		have, old, err := s.load(ctx, about)
		if err != nil {
			return none, s.named(err)
		}
		newest := newest
		if have.Statement == nil && newest.Statement != nil {
			// A record has up to two keys.
			if n, err := s.client.DBSize(ctx).Result(); err != nil {
				return none, s.named(err)
			} else if n >= 2*int64(s.limits.Statements) {
				newest.Statement = nil
			}
		}
		next, changed := have.Raise(newest, s.now())
		if !changed {
			return next.Floor, nil
		}
		message := ""
		if next.Floor != have.Floor {
			message = next.Message(about)
		}
		crowds := s.limits.Crowds(source)
		switch answer, err := s.swap(ctx, about, crowds, old, next, message); {
		case err != nil:
			return none, s.named(err)
		case answer == swapped:
			return next.Floor, nil
		case answer == swapLate:
			continue
		case answer == swapNoRoom:
			return none, fmt.Errorf("%w: %d keys", floors.ErrFull, s.mostKeys())
		default:
			return none, fmt.Errorf("%w: %d records under %s", floors.ErrFull, crowds[answer-1].Most, crowds[answer-1].Domain)
		}
	}
	return none, s.named(fmt.Errorf("%s is raised by others all the time", about))
}

// mostKeys bounds the keys of the database, on each node of a cluster. A record
// has one key, and the first record of a domain adds the domain's key.
func (s *redisStore) mostKeys() int { return 2 * s.limits.Records }

func (s *redisStore) swap(ctx context.Context, about floorrecord.Subject, crowds []floorrecord.Crowd, old string, next floorrecord.Record, message string) (int, error) {
	keys := []string{redisKey(about)}
	args := []any{
		old, string(next.Encode(about)), about.String(), s.channel,
		s.now().Unix(), next.KeepUntil().Unix(), s.mostKeys(), message,
	}
	for _, c := range crowds {
		keys, args = append(keys, crowdKey(c.Domain)), append(args, c.Most)
	}
	answer, err := swap.Run(ctx, s.client, keys, args...).Int()
	if err == nil && (answer < swapNoRoom || answer > len(crowds)) {
		err = fmt.Errorf("it answers %d", answer)
	}
	return answer, err
}

// Close is part of [floors.Store].
func (s *redisStore) Close() error {
	s.stop()
	s.running.Wait()
	return s.named(s.client.Close())
}
