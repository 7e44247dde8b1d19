package filestore

import (
	"bytes"
	"context"
	"time"

	"go.etcd.io/bbolt"

	"github.com/dnasign/dnasign/internal/floorrecord"
)

// pruneChunk is how many records are looked at in one transaction, so that no
// Raise waits for long.
const pruneChunk = 10_000

// prune forgets records whose time is over (delegation.Floor.KeepUntil). If the
// clock is ahead of the last Raise of any record, the time of that Raise is
// used. With a clock that is years ahead no certificate is valid, so nothing is
// raised. Such a clock must not make us forget either.
func (s *fileStore) prune() {
	now := s.now()
	if newest := s.newestRaise(); newest.Before(now) {
		now = newest
	}
	forgotten, err := 0, error(nil)
	for from := []byte(nil); err == nil; {
		var found chunk
		found, err = s.look(from, now)
		if err == nil && len(found.stale) > 0 {
			forgotten, err = forgotten+len(found.stale), s.forget(found.stale)
		}
		if from = found.next; from == nil {
			break
		}
	}
	if err != nil {
		s.log.Error("records that are too old cannot be forgotten", "file", s.path, "error", err)
	} else if forgotten > 0 {
		s.log.Info("forgot records whose statements were not verified for 400 days", "file", s.path, "records", forgotten)
	}
}

// A chunk is what was found among some records.
type chunk struct {
	stale []floorrecord.Subject
	next  []byte // where to go on, nil for the end
}

func (s *fileStore) look(from []byte, now time.Time) (chunk, error) {
	return transact(context.Background(), s, s.db.View, func(tx *bbolt.Tx) (c chunk, err error) {
		n := 0
		for key, value := range all(tx.Bucket(recordBucket).Cursor(), from) {
			if n++; n > pruneChunk {
				c.next = bytes.Clone(key)
				return c, nil
			}
			about := keySubject(key)
			r, err := decodeRecord(about, value)
			if err != nil {
				return c, err
			}
			if now.After(r.KeepUntil()) {
				c.stale = append(c.stale, about)
			}
		}
		return c, nil
	})
}

// forget removes records. Nobody else writes, so they are still stale.
func (s *fileStore) forget(list []floorrecord.Subject) error {
	_, err := transact(context.Background(), s, s.db.Update, func(tx *bbolt.Tx) (none struct{}, err error) {
		h, err := header(tx)
		if err != nil {
			return none, err
		}
		for _, about := range list {
			_, old, err := load(tx, about)
			if err != nil {
				return none, err
			}
			h.remove(old)
			if err := tx.Bucket(recordBucket).Delete(fileKey(about)); err != nil {
				return none, err
			}
		}
		return none, tx.Bucket(headerBucket).Put(headerKey, h.encode())
	})
	return err
}
