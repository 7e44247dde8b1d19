package vectors

import (
	"bytes"
	"encoding/json"
)

// Generate makes all files. It is a function of nothing: it always makes the
// same ones.
func Generate() []File {
	var files []File
	for _, b := range books() {
		files = append(files, b.file)
	}
	return files
}

// Bases are, for each refused case of the operation verify, the same case
// without its defect, under the same ID: each verifies.
func Bases() []Case {
	var list []Case
	for _, b := range books() {
		list = append(list, b.bases...)
	}
	return list
}

func books() []*book {
	w := newWorld()
	return []*book{jwsFamily(w), acFamily(w), txtFamily(w), httpsFamily(w), timeFamily(w), trustFamily(w), namesFamily(w), associationFamily(w)}
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
