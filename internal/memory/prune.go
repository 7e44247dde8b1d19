package memory

import (
	"bytes"
	"context"
	"time"

	"go.etcd.io/bbolt"
)

// pruneEvery is how often sources that are too old are looked for, and
// pruneChunk how many are looked at in one transaction, so that no Raise
// waits for long.
const (
	pruneEvery = 24 * time.Hour
	pruneChunk = 10_000
)

// prune forgets sources that were not raised for [Keep], and a day more, since
// the time of the last Raise may be written that late. If the clock is ahead of
// the last Raise of any source, that one counts: a clock that is wrong by years
// lets no certificate be valid, so it raises nothing, and must not make us
// forget either.
func (s *fileStore) prune() {
	now := s.now()
	if newest := s.newestRaise(); newest.Before(now) {
		now = newest
	}
	forgotten, err := 0, error(nil)
	for from := []byte(nil); err == nil; {
		var stale []string
		stale, from, err = s.stale(from, now)
		if err == nil && len(stale) > 0 {
			forgotten, err = forgotten+len(stale), s.forget(stale)
		}
		if from == nil {
			break
		}
	}
	if err != nil {
		s.log.Error("sources that are too old cannot be forgotten", "file", s.path, "error", err)
	} else if forgotten > 0 {
		s.log.Info("forgot sources that were not verified for 400 days", "file", s.path, "sources", forgotten)
	}
}

// stale looks at the next sources and says where to go on, nil for the end.
func (s *fileStore) stale(from []byte, now time.Time) (list []string, next []byte, err error) {
	type found struct {
		list []string
		next []byte
	}
	f, err := view(context.Background(), s, func(tx *bbolt.Tx) (f found, err error) {
		n := 0
		for key, value := range all(tx.Bucket(sourceBucket).Cursor(), from) {
			if n++; n > pruneChunk {
				f.next = bytes.Clone(key)
				return f, nil
			}
			r, err := decode(keySource(key), value)
			if err != nil {
				return f, err
			}
			if now.Sub(r.raised) > Keep+refresh {
				f.list = append(f.list, keySource(key))
			}
		}
		return f, nil
	})
	return f.list, f.next, err
}

// forget removes sources. Nobody else writes, so they are still stale.
func (s *fileStore) forget(sources []string) error {
	_, err := update(s, func(tx *bbolt.Tx) (none struct{}, err error) {
		h, err := header(tx)
		if err != nil {
			return none, err
		}
		for _, source := range sources {
			_, old, err := load(tx, source)
			if err != nil {
				return none, err
			}
			h.remove(old)
			if err := tx.Bucket(sourceBucket).Delete(sourceKey(source)); err != nil {
				return none, err
			}
		}
		return none, tx.Bucket(headerBucket).Put(headerKey, h.encode())
	})
	return err
}
