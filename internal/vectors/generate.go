package vectors

import (
	"bytes"
	_ "embed"
	"encoding/json"
)

// Schema is the JSON Schema (2020-12) of a file.
//
//go:embed schema.json
var Schema []byte

// Generate makes all files. It is a function of nothing: it always makes the
// same ones.
//
// bases are, for each refused case of the operation verify, the same case
// without its defect, under the same ID. Each base verifies, which shows that
// the defect is the only one.
func Generate() (files []File, bases []Case) {
	for _, b := range books() {
		files, bases = append(files, b.file), append(bases, b.bases...)
	}
	return files, bases
}

func books() []*book {
	w := newWorld()
	return []*book{jwsFamily(w), acFamily(w), txtFamily(w), httpsFamily(w), timeFamily(w), trustFamily(w), signerFamily(w), namesFamily(w), associationFamily(w), daneFamily(w), streamFamily(w), poshFamily(w)}
}

// Marshal writes a file in its one form.
func Marshal(f File) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(f)
	return out.Bytes(), err
}
