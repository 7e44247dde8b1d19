package starttls

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

const dna = "<dna xmlns='" + namespaceDNA + "'>"

func features(inner string) string { return open + "<stream:features>" + inner + "</stream:features>" }

// read opens a stream with a peer whose words are known before.
func read(t *testing.T, words string) (*Stream, *Features, error) {
	t.Helper()
	return OpenStream(t.Context(), &recording{words: bytes.NewReader([]byte(words))}, Request{server, "b.example", "a.example"})
}

// TestOpenStream: what features show, and what they do not.
func TestOpenStream(t *testing.T) {
	const good = dna + "<statement encoding='jws'>x.y.z</statement></dna>"
	for _, c := range []struct {
		name, words string
		statement   string
		takes       bool
		unusable    reasons.Reason
		failed      reasons.Reason
	}{
		{"a JWS", features(good), "x.y.z", false, "", ""},
		{"an attribute certificate", features(dna + "<statement encoding='ac'>MDE=</statement></dna>"), "01", false, "", ""},
		{"white space around", features("\n" + dna + "\n <statement encoding='jws'>x.y.z</statement>\n</dna>"), "x.y.z", false, "", ""},
		{"nothing", features(""), "", false, "", ""},
		{"it only takes", features("<dna xmlns='" + namespaceDNA + "' assert='true'/>"), "", true, "", ""},
		{"both", features(strings.Replace(good, "'>", "' assert='1'>", 1)), "x.y.z", true, "", ""},
		{"another name space", features("<dna>" + good[len(dna):]), "", false, "", ""},
		{"inside another feature", features("<x>" + good + "</x>"), "", false, "", ""},
		{"two", features(dna + strings.Repeat("<statement encoding='jws'>x</statement>", 2) + "</dna>"), "", false, reasons.MalformedRecord, ""},
		{"two features", features(good + good), "", false, reasons.MalformedRecord, ""},
		{"text beside", features(dna + "x<statement encoding='jws'>x</statement></dna>"), "", false, reasons.MalformedRecord, ""},
		{"an element inside", features(dna + "<statement encoding='jws'>x<y/></statement></dna>"), "", false, reasons.MalformedRecord, ""},
		{"something else", features(dna + "<x/></dna>"), "", false, reasons.MalformedRecord, ""},
		{"empty", features(dna + "<statement encoding='jws'/></dna>"), "", false, reasons.MalformedRecord, ""},
		{"line ends in base64", features(dna + "<statement encoding='ac'>MD\nE=</statement></dna>"), "", false, reasons.MalformedRecord, ""},
		{"no encoding", features(dna + "<statement>x</statement></dna>"), "", false, reasons.UnsupportedEncoding, ""},
		{"too large", features(dna + "<statement encoding='ac'>" + strings.Repeat("A", 43_696) + "</statement></dna>"), "", false, reasons.StatementTooLarge, ""},

		{"huge", features(dna + "<statement encoding='ac'>" + strings.Repeat("A", maxOctets) + "</statement></dna>"), "", false, "", reasons.STARTTLSFailed},
		{"broken XML", features(dna + "<statement>"), "", false, "", reasons.STARTTLSFailed},
		{"too deep", features(strings.Repeat("<a>", maxDepth)), "", false, "", reasons.STARTTLSFailed},
		{"a stream error", open + "<stream:error><host-unknown/></stream:error>", "", false, "", reasons.STARTTLSFailed},
		{"the end", open, "", false, "", reasons.ConnectFailed},
	} {
		_, f, err := read(t, c.words)
		switch {
		case delegation.ReasonOf(err) != c.failed:
			t.Errorf("%s: %v, want %q", c.name, err, c.failed)
		case err != nil:
		case delegation.ReasonOf(f.Unusable) != c.unusable || f.Takes != c.takes || (f.Statement != nil) != (c.statement != ""):
			t.Errorf("%s: %+v", c.name, f)
		case f.Statement != nil && string(f.Statement.Body) != c.statement:
			t.Errorf("%s: %q", c.name, f.Statement.Body)
		}
	}
}

// TestAssert: the server says what became of a statement, and what can be done then.
func TestAssert(t *testing.T) {
	const result = "<result xmlns='" + namespaceDNA + "' outcome='refused' reason='expired'/>"
	external := "<stream:features><mechanisms xmlns='" + namespaceSASL + "'><mechanism>EXTERNAL</mechanism></mechanisms></stream:features>"
	for _, c := range []struct {
		name, words string
		result      string
		external    bool
		failed      reasons.Reason
	}{
		{"features follow", result + external, "expired", true, ""},
		{"none follow", result + "<stream:error><not-authorized/></stream:error>", "expired", false, ""},
		{"the end follows", result, "expired", false, ""},
		{"features instead", external, "", false, reasons.STARTTLSFailed},
		{"a stream error", "<stream:error><policy-violation/></stream:error>", "", false, reasons.STARTTLSFailed},
		{"nothing", "", "", false, reasons.ConnectFailed},
	} {
		s, _, err := read(t, features("<dna xmlns='"+namespaceDNA+"' assert='true'/>")+c.words)
		if err != nil {
			t.Fatal(err)
		}
		r, f, err := s.Assert(t.Context(), delegation.StreamStatement{Encoding: delegation.JWS, Body: []byte("x.y.z")})
		switch {
		case delegation.ReasonOf(err) != c.failed:
			t.Errorf("%s: %v, want %q", c.name, err, c.failed)
		case err == nil && (r.Reason != c.result || (f != nil && f.External) != c.external):
			t.Errorf("%s: %+v, %+v", c.name, r, f)
		}
	}
}

// FuzzOpenStream: whatever a peer says ends in features or a reason. What they show is
// what a stream can carry.
func FuzzOpenStream(f *testing.F) {
	for _, inner := range []string{"", dna + "<statement encoding='jws'>x.y.z</statement></dna>", dna + "<statement encoding='ac'>MDE=</statement></dna>", "<a><b>c</b></a>"} {
		f.Add([]byte(features(inner)))
	}
	f.Fuzz(func(t *testing.T, words []byte) {
		_, shown, err := read(t, string(words))
		var e *delegation.Error
		if err != nil {
			if !errors.As(err, &e) || e.Detail == "" {
				t.Fatal(err)
			}
			return
		}
		if s := shown.Statement; s != nil {
			again, err := delegation.ParseStreamStatement(string(s.Encoding), s.Text())
			if err != nil || !bytes.Equal(again.Body, s.Body) || shown.Unusable != nil {
				t.Fatalf("%+v: %v", s, err)
			}
		}
	})
}
