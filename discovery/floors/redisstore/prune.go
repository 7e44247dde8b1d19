package redisstore

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/dnasign/dnasign/internal/floorrecord"
)

// forget removes a record, if that still is the one that was read, and what counts
// it.
//
//	KEYS: the record, the crowds
//	ARGV: the record, subject
var forget = redis.NewScript(`
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
for i = 2, #KEYS do redis.call('ZREM', KEYS[i], ARGV[2]) end
return 1`)

// pruneAlways prunes every day, at another time than other nodes.
func (s *redisStore) pruneAlways(ctx context.Context) {
	for wait := time.Duration(rand.Int64N(int64(time.Hour))); ; wait = floorrecord.PruneEvery {
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return
		}
		forgotten, err := s.prune(ctx)
		switch {
		case ctx.Err() != nil:
			return
		case err != nil:
			s.log.Error("records that are too old cannot be forgotten", "store", s.name, "error", s.named(err))
		case forgotten > 0:
			s.log.Info("forgot records whose statements were not verified for 400 days", "store", s.name, "records", forgotten)
		}
	}
}

// stale is a record whose time may be over.
type stale struct {
	about   floorrecord.Subject
	encoded string
	end     time.Time
}

// prune forgets records whose time is over, as the file store does. It uses our
// clock, or the last Raise of any record if our clock is ahead of that.
func (s *redisStore) prune(ctx context.Context) (forgotten int, err error) {
	now, newest := s.now(), time.Time{}
	var list []stale
	err = s.eachServer(ctx, func(ctx context.Context, server *redis.Client) error {
		for cursor := uint64(0); ; {
			keys, next, err := server.Scan(ctx, cursor, keyPrefix+"floor:*", pruneScan).Result()
			if err != nil {
				return err
			}
			replies := make([]*redis.StringCmd, len(keys))
			_, err = server.Pipelined(ctx, func(p redis.Pipeliner) error {
				for i, key := range keys {
					replies[i] = p.Get(ctx, key)
				}
				return nil
			})
			if err != nil && !errors.Is(err, redis.Nil) { // one that is gone
				return err
			}
			for i, key := range keys {
				about := floorrecord.ParseSubject(key[strings.LastIndexByte(key, ':')+1:])
				r, err := floorrecord.Decode(about, []byte(replies[i].Val()))
				if err != nil {
					continue // no record of ours: its source hears of it
				}
				newest = floorrecord.Later(newest, r.Raised)
				if end := r.KeepUntil(); now.After(end) {
					list = append(list, stale{about, replies[i].Val(), end})
				}
			}
			if cursor = next; cursor == 0 {
				return nil
			}
		}
	})
	if err != nil {
		return 0, err
	}
	if newest.Before(now) {
		now = newest
	}
	for _, r := range list {
		if !now.After(r.end) {
			continue
		}
		keys := []string{redisKey(r.about)}
		for _, c := range s.limits.Crowds(r.about.Source) {
			keys = append(keys, crowdKey(c.Domain))
		}
		n, err := forget.Run(ctx, s.client, keys, r.encoded, r.about.String()).Int()
		if err != nil {
			return forgotten, err
		}
		forgotten += n
	}
	return forgotten, nil
}

// pruneScan is how many keys are looked at between two others' questions.
const pruneScan = 500
