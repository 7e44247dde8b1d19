package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// A table is benchmarks of one package, each divided by another.
type table struct {
	title string
	pkg   string
	time  string // of one round, as in go test -benchtime
	rows  []row
}

// A row is what was measured, a benchmark's name without "Benchmark", the one
// it is divided by, and the most that this should be, 0 for no goal.
type row struct {
	what, bench, to string
	goal            float64
	rate            string // a further metric to show, the greatest
}

var tables = []table{
	verification("P-256"), verification("P-384"), verification("RSA-2048"), verification("P-384+RSA-4096"),
	{
		title: "Decoding alone", pkg: "./delegation", time: "30000x",
		rows: []row{
			{what: "decode a JWS", bench: "Decode/enc=jws"},
			{what: "decode an attribute certificate", bench: "Decode/enc=ac"},
		},
	},
	{
		title: "Questions to the daemon", pkg: "./internal/daemon", time: "5000x",
		rows: []row{
			{what: "cached, the cache alone", bench: "CachedQuestion/cache"},
			{what: "cached, with the check of the peer's chain", bench: "CachedQuestion/direct"},
			{what: "floor: a plain handler of net/http", bench: "FloorHTTP", rate: "questions/s"},
			{what: "cached, over HTTP", bench: "CachedQuestion/http", to: "FloorHTTP", goal: 1.3, rate: "questions/s"},
			{what: "uncached, lookups taking no time", bench: "UncachedQuestion/cold"},
			{what: "uncached, over HTTP, remembered on the disk", bench: "UncachedQuestion/http", to: "CachedQuestion/http", rate: "questions/s"},
		},
	},
	{
		title: "A fleet of domains to sign", pkg: "./internal/renew", time: "500x",
		rows: []row{
			{what: "floor: a raw signature", bench: "FloorSignatures"},
			{what: "read, planned and signed", bench: "Fleet/sign", to: "FloorSignatures"},
			{what: "the same, written to files and verified", bench: "Fleet/file", to: "FloorSignatures"},
			{what: "the same, published by DNS update and verified", bench: "Fleet/dns", to: "FloorSignatures"},
			{what: "the second run, nothing to do", bench: "Fleet/dns-kept", to: "FloorSignatures"},
		},
	},
	list("A list of domains, the resolver beside the verifier", "0s"),
	list("A list of domains, the resolver 10 ms away", "10ms"),
	list("A list of domains, the resolver 30 ms away", "30ms"),
}

// list is the table of a list of domains, for one distance of the resolver.
func list(title, away string) table {
	name := func(bench string) string { return bench + "/away=" + away }
	floor := name("FloorExchanges")
	return table{
		title: title, pkg: "./cmd/dnaverify", time: "10000x",
		rows: []row{
			{what: "DNS questions by the DNS library's client", bench: floor},
			{what: "the same questions by our client", bench: name("Gather"), to: floor},
			{what: "check: looked up and verified", bench: name("CheckList"), to: floor, goal: 1 / 0.8},
		},
	}
}

// verification is the table for one kind of authorities.
func verification(ca string) table {
	name := func(bench string) string { return bench + "/ca=" + ca }
	floor, known := name("FloorStatement"), name("FloorKnown")
	goals := func(g float64) float64 {
		if ca != "P-256" {
			return 0 // the goals are for P-256
		}
		return g
	}
	return table{
		title: "Verification, authorities with " + strings.Replace(ca, "+", " under ", 1) + ", signer with P-256", pkg: "./delegation", time: "2000x", // until the heap has its size
		rows: []row{
			{what: "floor: three signature checks", bench: floor},
			{what: "floor: one, the certificates being known", bench: known, to: floor},
			{what: "the three, and what is read for them", bench: name("FloorReading"), to: floor},
			{what: "plain way: go-jose, x5c, crypto/x509", bench: name("PlainJWS"), to: floor},
			{what: "JWS, cold", bench: name("ColdVerify/enc=jws"), to: floor, goal: goals(1.20)},
			{what: "attribute certificate, cold", bench: name("ColdVerify/enc=ac"), to: floor, goal: goals(1.20)},
			{what: "JWS, known certificate", bench: name("KnownCertificate/enc=jws"), to: known},
			{what: "attribute certificate, known certificate", bench: name("KnownCertificate/enc=ac"), to: known},
			{what: "JWS, known statement", bench: name("KnownStatement/enc=jws"), to: known},
			{what: "attribute certificate, known statement", bench: name("KnownStatement/enc=ac"), to: known},
			{what: "peer, cold", bench: name("ColdPeer")},
			{what: "peer, known", bench: name("KnownPeer"), to: name("ColdPeer")},
		},
	}
}

// benchmarks are those of the rows, each once, in their order.
func (t table) benchmarks() []string {
	var list []string
	seen := map[string]bool{"": true}
	for _, r := range t.rows {
		for _, bench := range []string{r.to, r.bench} {
			if !seen[bench] {
				seen[bench] = true
				list = append(list, bench)
			}
		}
	}
	return list
}

// write writes the table in Markdown.
func (t table) write(w io.Writer, m measured) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\n### %s\n\n| what | time | ratio | goal | B/op | allocs/op | |\n| --- | ---: | ---: | ---: | ---: | ---: | --- |\n", t.title)
	for _, r := range t.rows {
		time, ok := m.least(r.bench, "ns/op")
		if !ok {
			return fmt.Errorf("there is no benchmark %s", r.bench)
		}
		ratio, goal := "", ""
		if r.to != "" {
			floor, _ := m.least(r.to, "ns/op")
			ratio = fmt.Sprintf("%.2f", time/floor)
			switch {
			case r.goal == 0:
			case time/floor <= r.goal:
				goal = fmt.Sprintf("≤ %.2f, met", r.goal)
			default:
				goal = fmt.Sprintf("≤ %.2f, not met", r.goal)
			}
		}
		bytes, _ := m.least(r.bench, "B/op")
		allocs, _ := m.least(r.bench, "allocs/op")
		extra := ""
		if rates := m[r.bench][r.rate]; len(rates) > 0 {
			extra = fmt.Sprintf("%.0f %s", slices.Max(rates), r.rate)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %.0f | %.0f | %s |\n", r.what, duration(time), ratio, goal, bytes, allocs, extra)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func duration(ns float64) string {
	switch {
	case ns < 1e3:
		return fmt.Sprintf("%.0f ns", ns)
	case ns < 1e6:
		return fmt.Sprintf("%.0f µs", ns/1e3)
	}
	return fmt.Sprintf("%.1f ms", ns/1e6)
}
