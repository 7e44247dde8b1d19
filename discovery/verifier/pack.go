package verifier

import (
	"compress/flate"
	"encoding/json"
	"strings"
	"sync"

	"github.com/dnasign/dnasign/delegation"
)

// packers are kept, since making one costs more than using it.
var packers = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, flate.BestSpeed)
	if err != nil {
		panic(err) // the level is a constant
	}
	return w
}}

// A kept is evidence for callers who ask what a decision rests on. In the cache the
// same statement in DNS and HTTPS takes the room of one.
type kept struct {
	packed string
	whole  *delegation.Evidence // where the cache keeps nothing
}

// keep makes evidence small if it may stay for long.
func (d *Verifier) keep(e *delegation.Evidence) kept {
	if !d.cache.keeps {
		return kept{whole: e}
	}
	packed, err := pack(e)
	if err != nil {
		d.config.Logger.Error("evidence cannot be kept", "source", e.Source, "error", err)
	}
	return kept{packed: packed}
}

// open returns evidence of the caller's own, which it may add to.
func (k kept) open() (*delegation.Evidence, error) {
	if k.whole != nil {
		e := *k.whole
		return &e, nil
	}
	return unpack(k.packed)
}

func pack(e *delegation.Evidence) (string, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return "", err
	}
	var packed strings.Builder
	w := packers.Get().(*flate.Writer)
	defer packers.Put(w)
	w.Reset(&packed)
	if _, err := w.Write(data); err != nil {
		return "", err
	}
	if err := w.Close(); err != nil {
		return "", err
	}
	return strings.Clone(packed.String()), nil
}

func unpack(packed string) (*delegation.Evidence, error) {
	var e delegation.Evidence
	if err := json.NewDecoder(flate.NewReader(strings.NewReader(packed))).Decode(&e); err != nil {
		return nil, err
	}
	return &e, nil
}
