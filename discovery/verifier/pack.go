package verifier

import (
	"bytes"
	"compress/flate"
	"encoding/json"
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

// pack keeps evidence for callers who ask what a decision rests on. The same
// statement in DNS and HTTPS takes the room of one.
func pack(e *delegation.Evidence) ([]byte, error) {
	data, err := json.Marshal(e)
	if err != nil {
		return nil, err
	}
	var packed bytes.Buffer
	w := packers.Get().(*flate.Writer)
	defer packers.Put(w)
	w.Reset(&packed)
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return bytes.Clone(packed.Bytes()), nil
}

func unpack(packed []byte) (*delegation.Evidence, error) {
	var e delegation.Evidence
	if err := json.NewDecoder(flate.NewReader(bytes.NewReader(packed))).Decode(&e); err != nil {
		return nil, err
	}
	return &e, nil
}
