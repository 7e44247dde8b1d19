package delegation

import (
	"bytes"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/delegation/reasons"
)

// record is a spoiler that changes the text of the TXT record.
func record(change func(text string) string) func(*trial) {
	return func(tr *trial) {
		tr.adjust = func(e *Evidence) { e.TXT[0].Records[0] = change(e.TXT[0].Records[0]) }
	}
}

// records is a spoiler that puts other records beside the good one.
func records(others ...string) func(*trial) {
	return func(tr *trial) {
		tr.adjust = func(e *Evidence) { e.TXT[0].Records = append(others, e.TXT[0].Records...) }
	}
}

// onlyRecords is a spoiler that has these records instead of the good one.
func onlyRecords(others ...string) func(*trial) {
	return func(tr *trial) {
		tr.adjust = func(e *Evidence) { e.TXT[0].Records = others }
	}
}

// txtCases are records that no JSON file can hold, and large ones. The test vectors
// have the others.
func txtCases() []verifyCase {
	return []verifyCase{
		{"quoted", record(func(text string) string { return text + `"` }), reasons.MalformedRecord},
		{"octet that is not ASCII", record(func(text string) string { return text + "\xe9" }), reasons.MalformedRecord},
		{"NUL", record(func(text string) string { return text + "\x00" }), reasons.MalformedRecord},
		{"version and an octet that is no letter", onlyRecords("v=DNA1\xe9"), reasons.MalformedRecord},
		{"10,000 records", records(strings.Split(strings.Repeat("v=DNA1 ", 10000), " ")...), reasons.TooManyRecords},
		{"a record of 10 MB", onlyRecords("v=DNA1; e=jws; s=" + strings.Repeat("A", 10<<20)), reasons.StatementTooLarge},
	}
}

func TestTXT(t *testing.T) { runCases(t, 6, txtCases()) }

// TestTooManyRecords: none of them is looked at.
func TestTooManyRecords(t *testing.T) {
	tr := newTrial(t)
	records("v=DNA1", "v=DNA1", "v=DNA1", "v=DNA1")(tr)
	_, err := tr.verify()
	if e := wantRefusal(t, reasons.TooManyRecords, err); len(e.Unverified) != 0 {
		t.Errorf("%d records were looked at", len(e.Unverified))
	}
}

// TestForeignRecords: what is said of records that are no statement is short,
// printable and complete. What becomes of a pasted statement is in package
// discovery, see TestPasted.
func TestForeignRecords(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for _, c := range []struct {
		name    string
		records []string
		want    string
	}{
		{"one", []string{"v=spf1 -all"}, `1 TXT record there, none begins with v=DNA1: "v=spf1 -all"`},
		{"three", []string{"a", "b", "c"}, `3 TXT records there, none begins with v=DNA1: "a", "b", "c"`},
		{"many", strings.Split(strings.Repeat("x ", 9999), " "), `10000 TXT records there, none begins with v=DNA1: "x", "x", "x", 9997 more`},
		{"long", []string{long}, `"` + long[:40] + `"...; a statement, or a piece`},
		{"escapes", []string{`\"\\\226\128\156\000\027[31m\255`}, `"\"\\“\x00\x1b[31m\xff"`},
		{"cut escapes", []string{`a\`, `a\1`, `a\12`}, `"a\\", "a1", "a12"`},
		{"cut in a letter", []string{strings.Repeat("x", 39) + `\195\188`}, `"` + long[:39] + `"...`},
		{"a terminal is safe", []string{"\x1b]0;x\a\u202e"}, `"\x1b]0;x\a\u202e"`},
	} {
		tr := newTrial(t)
		onlyRecords(c.records...)(tr)
		_, err := tr.verify()
		e := wantRefusal(t, reasons.NoStatement, err)
		if !strings.Contains(e.Detail, c.want) || len(e.Detail) > 700 {
			t.Errorf("%s: %s\nwant %s", c.name, e.Detail, c.want)
		}
		if !strings.Contains(e.Checks[len(e.Checks)-1].Detail+e.Checks[0].Detail, c.want) {
			t.Errorf("%s: not in the checks: %+v", c.name, e.Checks)
		}
	}
	tr := newTrial(t)
	onlyRecords()(tr)
	_, err := tr.verify()
	if e := wantRefusal(t, reasons.NoStatement, err); strings.Contains(e.Detail, "TXT") {
		t.Errorf("no records: %s", e.Detail)
	}
}

// FuzzTXTRecord: a record that parses is written again as the same text.
func FuzzTXTRecord(f *testing.F) {
	for _, text := range []string{
		JWS.TXTRecord([]byte("a.b.c")), "v=DNA1", "v=DNA1; e=jws; s=", "v=DNA1; e=JWS; s=a",
		"v=DNA1; e=ac; s=MII+/w==", "v=DNA1; e=jws; s=a; s=b", "v=DNA2; e=jws; s=a",
	} {
		f.Add(text)
	}
	for _, text := range vectorSeeds(f).Records {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !isTXTRecord(text) {
			return
		}
		encoding, raw, err := parseTXTRecord(text)
		if err != nil {
			if err.Reason != reasons.MalformedRecord || raw != nil {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if again := encoding.TXTRecord(raw); again != text {
			t.Fatalf("%q is written again as %q", text, again)
		}
	})
}

// TestTXTStrings: the strings of a record are short. Put together they are the
// record. None of them needs an escape in a zone file.
func TestTXTStrings(t *testing.T) {
	for _, e := range Encodings() {
		for _, n := range []int{1, 238, 239, 240, 4096} {
			raw := bytes.Repeat([]byte("a"), n)
			strs := e.TXTStrings(raw)
			for i, s := range strs {
				if len(s) == 0 || len(s) > 255 || i < len(strs)-1 && len(s) != 255 || strings.ContainsAny(s, "\"\\") {
					t.Errorf("%s of %d octets: string %d is %q", e, n, i, s)
				}
			}
			if strings.Join(strs, "") != e.TXTRecord(raw) {
				t.Errorf("%s of %d octets: the strings are not the record", e, n)
			}
		}
	}
}

// TestInspectTXT: what counts as a statement, and what it says.
func TestInspectTXT(t *testing.T) {
	tr := newTrial(t)
	token, der := tr.sign(), tr.ac(acEdits{})
	for _, c := range []struct {
		name, text string
		counts     bool
		want       reasons.Reason // Verified: it can be read
	}{
		{"JWS", JWS.TXTRecord(token), true, reasons.Verified},
		{"AC", AC.TXTRecord(der), true, reasons.Verified},
		{"another's", "v=spf1 -all", false, ""},
		{"another version", "v=DNA10; e=jws; s=x", false, ""},
		{"empty", "", false, ""},
		{"the version alone", "v=DNA1", true, reasons.MalformedRecord},
		{"half", JWS.TXTRecord(token[:len(token)/2]), true, reasons.MalformedToken},
		{"an escape", "v=DNA1; e=jws; s=\\000", true, reasons.MalformedRecord},
		{"an encoding of the future", "v=DNA1; e=cbor; s=AAAA", true, reasons.UnsupportedEncoding},
		{"the name of the other encoding", "v=DNA1; e=ac; s=" + string(token), true, reasons.MalformedRecord},
		{"a line end", JWS.TXTRecord(token) + "\n", true, reasons.MalformedRecord},
	} {
		in, counts, err := InspectTXT(c.text)
		if counts != c.counts || (in != nil) != (c.want == reasons.Verified) || (err != nil) != (c.counts && c.want != reasons.Verified) {
			t.Errorf("%s: %v, %v, %v", c.name, in, counts, err)
		}
		if err != nil && ReasonOf(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
		// What can be read is the statement of that very record.
		if in != nil && in.Encoding.TXTRecord(in.Raw) != c.text {
			t.Errorf("%s: not the same again", c.name)
		}
	}
}
