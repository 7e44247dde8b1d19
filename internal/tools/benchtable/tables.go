package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// A table is benchmarks of one package, each divided by another.
type table struct {
	title  string
	pkg    string
	time   string // of one round, as in go test -benchtime
	rounds int    // at most, 0 for as many as asked for
	rows   []row
}

// A row is what was measured, a benchmark's name without "Benchmark", the one
// it is divided by, and the most that this should be, 0 for no goal.
type row struct {
	what, bench, to string
	goal            float64
	// limit, if not 0, is the most that it should take, without an allocation.
	limit time.Duration
	rate  string // a further metric to show, the greatest
}

var tables = []table{
	verification("P-256", "authorities with P-256"), memory("P-256", "authorities with P-256"),
	verification("P-384+RSA-4096", "a chain as Let's Encrypt issues it"), memory("P-384+RSA-4096", "a chain as Let's Encrypt issues it"),
	verification("P-384", "authorities with P-384"), verification("RSA-2048", "authorities with RSA-2048"),
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
			{what: "cached, the cache alone", bench: "CachedQuestion/cache", limit: time.Microsecond},
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
		},
	},
	{
		title: "A fleet of 10,000 domains, nothing to do", pkg: "./internal/renew", time: "10000x", rounds: 3,
		rows: []row{
			{what: "floor: a raw signature", bench: "FloorSignatures"},
			{what: "published in files", bench: "Fleet/file-kept", to: "FloorSignatures", goal: 4},
			{what: "published in DNS", bench: "Fleet/dns-kept", to: "FloorSignatures", goal: 4},
		},
	},
	list("A list of domains, the resolver beside the verifier", "0s"),
	list("A list of domains, the resolver 10 ms away", "10ms"),
	list("A list of domains, the resolver 30 ms away", "30ms"),
}

// operations are what a person has done, and the benchmark of each.
var operations = []row{
	{what: "the first verdict about a domain, without the time of the network", bench: "UncachedQuestion/cold"},
	{what: "a refresh that finds the same statement, without the time of the network", bench: "KnownStatement/enc=jws/ca=P-256"},
	{what: "a question about a domain in the cache", bench: "CachedQuestion/cache"},
	{what: "the same, with the check of a peer that was there before", bench: "CachedQuestion/direct"},
	{what: "the same, over HTTP", bench: "CachedQuestion/http"},
	{what: "signing and publishing for a domain, in DNS", bench: "Fleet/dns"},
	{what: "renew with nothing to do, for each domain, in files", bench: "Fleet/file-kept"},
	{what: "renew with nothing to do, for each domain, in DNS", bench: "Fleet/dns-kept"},
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

// verification is the table for one kind of authorities. The goals are shares of
// what must be read and checked, which says the same on every processor.
func verification(ca, title string) table {
	name := func(bench string) string { return bench + "/ca=" + ca }
	read := name("FloorReading")
	return table{
		title: "Verification, " + title + ", signer with P-256", pkg: "./delegation", time: "2000x", // until the heap has its size
		rows: []row{
			{what: "three signature checks", bench: name("FloorStatement"), to: read},
			{what: "floor: the three, and what is read for them", bench: read},
			{what: "plain way: go-jose, x5c, crypto/x509", bench: name("PlainJWS"), to: read},
			{what: "JWS, cold", bench: name("ColdVerify/enc=jws"), to: read, goal: 1.08},
			{what: "attribute certificate, cold", bench: name("ColdVerify/enc=ac"), to: read, goal: 1.08},
		},
	}
}

// memory is the table of what is known, for one kind of authorities.
func memory(ca, title string) table {
	name := func(bench string) string { return bench + "/ca=" + ca }
	known := name("FloorKnown")
	return table{
		title: "What is known, " + title + ", signer with P-256", pkg: "./delegation", time: "20000x", // several collections of garbage
		rows: []row{
			{what: "floor: one signature check", bench: known},
			{what: "JWS, known certificate", bench: name("KnownCertificate/enc=jws"), to: known, goal: 1.25},
			{what: "attribute certificate, known certificate", bench: name("KnownCertificate/enc=ac"), to: known, goal: 1.25},
			{what: "JWS, known statement", bench: name("KnownStatement/enc=jws"), to: known, goal: 0.1},
			{what: "attribute certificate, known statement", bench: name("KnownStatement/enc=ac"), to: known, goal: 0.1},
			{what: "peer, cold", bench: name("ColdPeer")},
			{what: "peer, known", bench: name("KnownPeer"), to: known, goal: 0.05},
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
		ratio := ""
		if r.to != "" {
			ratio = fmt.Sprintf("%.2f", r.ratio(m))
		}
		bytes, _ := m.least(r.bench, "B/op")
		allocs, _ := m.least(r.bench, "allocs/op")
		goal, extra := "", ""
		if r.hasGoal() {
			goal = r.most() + ", " + met(r.met(m))
		}
		if rates := m[r.bench][r.rate]; len(rates) > 0 {
			extra = fmt.Sprintf("%.0f %s", slices.Max(rates), r.rate)
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %s | %.0f | %.0f | %s |\n", r.what, duration(time), ratio, goal, bytes, allocs, extra)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (r row) hasGoal() bool { return r.goal > 0 || r.limit > 0 }

// most is the goal of a row.
func (r row) most() string {
	if r.limit > 0 {
		return "≤ " + duration(float64(r.limit)) + ", no allocation"
	}
	return fmt.Sprintf("≤ %.2f", r.goal)
}

// ratio is the time of the row, divided by that of its floor.
func (r row) ratio(m measured) float64 {
	time, _ := m.least(r.bench, "ns/op")
	floor, _ := m.least(r.to, "ns/op")
	return time / floor
}

func (r row) met(m measured) bool {
	if r.limit > 0 {
		time, _ := m.least(r.bench, "ns/op")
		allocs, _ := m.least(r.bench, "allocs/op")
		return time <= float64(r.limit) && allocs == 0
	}
	return r.ratio(m) <= r.goal
}

func met(yes bool) string {
	if yes {
		return "met"
	}
	return "not met"
}

// writeGoals writes every goal of the tables that were measured, and the one that
// a test holds.
func writeGoals(w io.Writer, m measured, passes func(pkg, test string) bool) error {
	var b strings.Builder
	b.WriteString("\n## Against the goals\n\n| what | goal | now | |\n| --- | ---: | ---: | --- |\n")
	for _, t := range tables {
		for _, r := range t.rows {
			time, ok := m.least(r.bench, "ns/op")
			if !ok || !r.hasGoal() {
				continue
			}
			now := duration(time)
			if r.limit == 0 {
				now = fmt.Sprintf("%.2f", r.ratio(m))
			}
			fmt.Fprintf(&b, "| %s: %s | %s | %s | %s |\n", t.title, r.what, r.most(), now, met(r.met(m)))
		}
	}
	fmt.Fprintf(&b, "| network questions for one verdict (discovery.TestQuestions) | 2 SRV, 1 TXT, 2 documents | | %s |\n", met(passes("./discovery", "TestQuestions")))
	_, err := io.WriteString(w, b.String())
	return err
}

// writeOperations writes what each operation of a person costs, of those that were
// measured.
func writeOperations(w io.Writer, m measured) error {
	var b strings.Builder
	b.WriteString("\n## What an operation costs\n\n| operation | time | allocations |\n| --- | ---: | ---: |\n")
	for _, r := range operations {
		if time, ok := m.least(r.bench, "ns/op"); ok {
			allocs, _ := m.least(r.bench, "allocs/op")
			fmt.Fprintf(&b, "| %s | %s | %.0f |\n", r.what, duration(time), allocs)
		}
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
