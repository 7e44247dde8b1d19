package strictjson

import "testing"

func TestDecode(t *testing.T) {
	type document struct {
		Version int `json:"version"`
	}
	for text, good := range map[string]bool{
		`{"version": 1}`: true, " {\"version\": 1}\n": true,
		"": false, `{"version": 1`: false, `{"version": "1"}`: false, `{"version": 1, "more": 2}`: false,
		`{"version": 1} {}`: false, `{"version": 1}}`: false, `{"version": 1} x`: false,
	} {
		var d document
		if err := Decode([]byte(text), &d); (err == nil) != good || good && d.Version != 1 {
			t.Errorf("%q: %+v, %v", text, d, err)
		}
	}
}
