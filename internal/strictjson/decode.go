package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// Decode reads a document of our own into v, with encoding/json: state,
// evidence, test vectors. A member that v does not have, or anything after the
// value, is an error. Unlike [Parse], it takes all of JSON, and it takes names
// as encoding/json does: nothing signed may be read with it.
func Decode(data []byte, v any) error {
	decoder := json.NewDecoder(bytes.NewReader(data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(v); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("something follows the document")
	}
	return nil
}
