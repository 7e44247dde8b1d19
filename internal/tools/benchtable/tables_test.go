package main

import (
	"fmt"
	"strings"
	"testing"
)

// TestGoals: every goal is told, with whether it is met.
func TestGoals(t *testing.T) {
	m := measured{}
	goals := 0
	for _, table := range tables {
		for _, r := range table.rows {
			m[r.bench] = map[string][]float64{"ns/op": {1000, 900}, "allocs/op": {0}}
			if r.hasGoal() {
				goals++
			}
		}
	}
	for _, r := range operations {
		if m[r.bench] == nil {
			t.Errorf("%q: no table has %s", r.what, r.bench)
		}
	}
	var b strings.Builder
	for _, pass := range []bool{true, false} {
		b.Reset()
		if err := writeGoals(&b, m, func(string, string) bool { return pass }); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{
			"JWS, cold | ≤ 1.08 | 1.00 | met |", "JWS, known certificate | ≤ 1.25 | 1.00 | met |", "JWS, known statement | ≤ 0.10 | 1.00 | not met |",
			"peer, known | ≤ 0.05 |", "cached, over HTTP | ≤ 1.30 |", "the cache alone | ≤ 1 µs, no allocation | 900 ns | met |",
			"check: looked up and verified | ≤ 1.25 |", "10,000 domains, nothing to do: published in DNS | ≤ 4.00 |",
			fmt.Sprintf("2 SRV, 1 TXT, 2 documents | | %s |", met(pass)),
		} {
			if !strings.Contains(b.String(), want) {
				t.Errorf("no %q in\n%s", want, b.String())
			}
		}
	}
	if lines := strings.Count(b.String(), "\n| "); goals < 24 || lines != goals+3 {
		t.Errorf("%d lines for %d goals", lines, goals)
	}
}
