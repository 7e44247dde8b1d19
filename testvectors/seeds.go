package testvectors

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
)

// Fewest is how many seeds there are at least of everything in [Seeds].
const Fewest = 50

// Seeds is what the cases have to offer to fuzz targets, each once.
type Seeds struct {
	Tokens   [][]byte // in the encoding jws, bodies of documents and values of records
	Messages [][]byte // in the encoding ac
	Records  []string // of TXT
	Evidence [][]byte // JSON, of the families where it is what the cases are about
}

// ofEvidence are these families.
var ofEvidence = map[string]bool{"txt": true, "https": true, "association": true, "stream": true, "posh": true}

// ReadSeeds reads them. It is an error if there are few: a corpus that has gone
// must not go unnoticed.
func ReadSeeds() (*Seeds, error) {
	entries, err := Files.ReadDir(".")
	if err != nil {
		return nil, err
	}
	s, seen := &Seeds{}, map[string]bool{}
	for _, entry := range entries {
		data, err := Files.ReadFile(entry.Name())
		if err != nil {
			return nil, err
		}
		var file struct {
			Family string
			Cases  []struct{ Evidence json.RawMessage }
		}
		if err := json.Unmarshal(data, &file); err != nil {
			return nil, err
		}
		for _, c := range file.Cases {
			if text := string(c.Evidence); text != "" && !seen[text] {
				seen[text] = true
				s.add(c.Evidence, seen)
				if ofEvidence[file.Family] {
					s.Evidence = append(s.Evidence, c.Evidence)
				}
			}
		}
	}
	if n := min(len(s.Tokens), len(s.Messages), len(s.Records), len(s.Evidence)); n < Fewest {
		return nil, fmt.Errorf("only %d seeds of a kind, at least %d", n, Fewest)
	}
	return s, nil
}

func (s *Seeds) add(evidence json.RawMessage, seen map[string]bool) {
	var found struct {
		TXT       []struct{ Records []string }
		Documents []struct {
			URL  string
			Body []byte
		}
	}
	if json.Unmarshal(evidence, &found) != nil {
		return // of a case about evidence that cannot be read
	}
	statement := func(list *[][]byte, raw []byte) {
		if !seen[string(raw)] {
			seen[string(raw)] = true
			*list = append(*list, raw)
		}
	}
	for _, a := range found.TXT {
		for _, record := range a.Records {
			if seen[record] {
				continue
			}
			seen[record] = true
			s.Records = append(s.Records, record)
			if token, ok := strings.CutPrefix(record, "v=DNA1; e=jws; s="); ok {
				statement(&s.Tokens, []byte(token))
			}
			if text, ok := strings.CutPrefix(record, "v=DNA1; e=ac; s="); ok {
				if raw, err := base64.StdEncoding.DecodeString(text); err == nil {
					statement(&s.Messages, raw)
				}
			}
		}
	}
	for _, d := range found.Documents {
		if strings.HasSuffix(d.URL, ".p7c") {
			statement(&s.Messages, d.Body)
		} else {
			statement(&s.Tokens, d.Body)
		}
	}
}
