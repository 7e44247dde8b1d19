package delegation

import (
	"bytes"
	"strings"
	"testing"
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

func prefixed(old, with string) func(*trial) {
	return record(func(text string) string { return with + strings.TrimPrefix(text, old) })
}

func txtCases() []verifyCase {
	return []verifyCase{
		{"good", record(func(text string) string { return text }), Verified},
		{"only the version", onlyRecords("v=DNA1"), MalformedRecord},
		{"version and semicolon", onlyRecords("v=DNA1;"), MalformedRecord},
		{"no encoding", prefixed("v=DNA1; e=jws; s=", "v=DNA1; s="), MalformedRecord},
		{"empty encoding", prefixed("v=DNA1; e=jws", "v=DNA1; e="), MalformedRecord},
		{"encoding in upper case", prefixed("v=DNA1; e=jws", "v=DNA1; e=JWS"), MalformedRecord},
		{"encoding with a digit", prefixed("v=DNA1; e=jws", "v=DNA1; e=jws2"), MalformedRecord},
		{"unknown encoding", prefixed("v=DNA1; e=jws", "v=DNA1; e=cbor"), UnsupportedEncoding},
		{"no statement", onlyRecords("v=DNA1; e=jws"), MalformedRecord},
		{"empty statement", onlyRecords("v=DNA1; e=jws; s="), MalformedRecord},
		{"other order", record(func(text string) string {
			return "v=DNA1; s=" + strings.TrimPrefix(text, "v=DNA1; e=jws; s=") + "; e=jws"
		}), MalformedRecord},
		{"no space", prefixed("v=DNA1; e=jws", "v=DNA1;e=jws"), MalformedRecord},
		{"two spaces", prefixed("v=DNA1; e=jws", "v=DNA1;  e=jws"), MalformedRecord},
		{"space before the semicolon", prefixed("v=DNA1; e=jws", "v=DNA1 ; e=jws"), MalformedRecord},
		{"another member", prefixed("v=DNA1; e=jws", "v=DNA1; e=jws; x=1"), MalformedRecord},
		{"semicolon at the end", record(func(text string) string { return text + ";" }), MalformedRecord},
		{"space at the end", record(func(text string) string { return text + " " }), MalformedRecord},
		{"line end at the end", record(func(text string) string { return text + "\n" }), MalformedRecord},
		{"quoted", record(func(text string) string { return text + `"` }), MalformedRecord},
		{"escape", record(func(text string) string { return text + `\065` }), MalformedRecord},
		{"percent sign", record(func(text string) string { return text + "%" }), MalformedRecord},
		{"octet that is not ASCII", record(func(text string) string { return text + "\xe9" }), MalformedRecord},
		{"NUL", record(func(text string) string { return text + "\x00" }), MalformedRecord},
		{"statement in another base64", record(func(text string) string { return text + "+/=" }), MalformedToken},

		{"no records", onlyRecords(), NoStatement},
		{"another version", prefixed("v=DNA1", "v=DNA2"), NoStatement},
		{"version 10", prefixed("v=DNA1", "v=DNA10"), NoStatement},
		{"version 1a", prefixed("v=DNA1", "v=DNA1a"), NoStatement},
		{"version 1A", prefixed("v=DNA1", "v=DNA1A"), NoStatement},
		{"version in lower case", prefixed("v=DNA1", "v=dna1"), NoStatement},
		{"name in upper case", prefixed("v=DNA1", "V=DNA1"), NoStatement},
		{"space before", prefixed("v=DNA1", " v=DNA1"), NoStatement},
		{"version and an octet that is no letter", onlyRecords("v=DNA1\xe9"), MalformedRecord},
		{"version and an underscore", onlyRecords("v=DNA1_"), MalformedRecord},

		{"foreign records beside", records("v=spf1 -all", "", "v=DNA2; e=x; s=y", "v=DNA", "google-site-verification=x"), Verified},
		{"a bad record beside", records("v=DNA1"), Verified},
		{"4 records that count", records("v=DNA1", "v=DNA1;", "v=DNA1; e=jws"), Verified},
		{"5 records that count", records("v=DNA1", "v=DNA1;", "v=DNA1; e=jws", "v=DNA1; x"), TooManyRecords},
		{"5 records, one of them not counting", records("v=DNA1", "v=DNA1;", "v=DNA1; e=jws", "v=DNA2"), Verified},
		{"10,000 records", records(strings.Split(strings.Repeat("v=DNA1 ", 10000), " ")...), TooManyRecords},
		{"a record of 10 MB", onlyRecords("v=DNA1; e=jws; s=" + strings.Repeat("A", 10<<20)), StatementTooLarge},
	}
}

func TestTXT(t *testing.T) { runCases(t, 39, txtCases()) }

// TestTooManyRecords: none of them is looked at.
func TestTooManyRecords(t *testing.T) {
	tr := newTrial(t)
	records("v=DNA1", "v=DNA1", "v=DNA1", "v=DNA1")(tr)
	_, err := tr.verify()
	if e := wantRefusal(t, TooManyRecords, err); len(e.Unverified) != 0 {
		t.Errorf("%d records were looked at", len(e.Unverified))
	}
}

// FuzzTXTRecord: a record that parses is written again as the same text.
func FuzzTXTRecord(f *testing.F) {
	for _, text := range []string{
		TXTRecord(JWS, []byte("a.b.c")), "v=DNA1", "v=DNA1; e=jws; s=", "v=DNA1; e=JWS; s=a",
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
			if err.Reason != MalformedRecord || raw != nil {
				t.Fatalf("%q: %v", text, err)
			}
			return
		}
		if again := TXTRecord(encoding, raw); again != text {
			t.Fatalf("%q is written again as %q", text, again)
		}
	})
}

// TestTXTStrings: the strings of a record are short, put together they are the
// record, and none of them needs an escape in a zone file.
func TestTXTStrings(t *testing.T) {
	for _, e := range Encodings() {
		for _, n := range []int{1, 238, 239, 240, 4096} {
			raw := bytes.Repeat([]byte("a"), n)
			strs := TXTStrings(e, raw)
			for i, s := range strs {
				if len(s) == 0 || len(s) > 255 || i < len(strs)-1 && len(s) != 255 || strings.ContainsAny(s, "\"\\") {
					t.Errorf("%s of %d octets: string %d is %q", e, n, i, s)
				}
			}
			if strings.Join(strs, "") != TXTRecord(e, raw) {
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
		want       Reason // Verified: it can be read
	}{
		{"JWS", TXTRecord(JWS, token), true, Verified},
		{"AC", TXTRecord(AC, der), true, Verified},
		{"another's", "v=spf1 -all", false, ""},
		{"another version", "v=DNA10; e=jws; s=x", false, ""},
		{"empty", "", false, ""},
		{"the version alone", "v=DNA1", true, MalformedRecord},
		{"half", TXTRecord(JWS, token[:len(token)/2]), true, MalformedToken},
		{"an escape", "v=DNA1; e=jws; s=\\000", true, MalformedRecord},
		{"an encoding of the future", "v=DNA1; e=cbor; s=AAAA", true, UnsupportedEncoding},
		{"the name of the other encoding", "v=DNA1; e=ac; s=" + string(token), true, MalformedRecord},
		{"a line end", TXTRecord(JWS, token) + "\n", true, MalformedRecord},
	} {
		in, counts, err := InspectTXT(c.text)
		if counts != c.counts || (in != nil) != (c.want == Verified) || (err != nil) != (c.counts && c.want != Verified) {
			t.Errorf("%s: %v, %v, %v", c.name, in, counts, err)
		}
		if err != nil && ReasonOf(err) != c.want {
			t.Errorf("%s: %v, want %s", c.name, err, c.want)
		}
		// What can be read is the statement of that very record.
		if in != nil && TXTRecord(in.Encoding, in.Raw) != c.text {
			t.Errorf("%s: not the same again", c.name)
		}
	}
}
