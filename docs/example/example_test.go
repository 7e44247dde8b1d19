// Package example holds the files of the example in docs/spec.md. This test
// verifies them, and compares them with the text.
package example

import (
	"bytes"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/strictjson"
	"github.com/dnasign/dnasign/internal/testkit/dertree"
	"github.com/dnasign/dnasign/keys"
)

// read reads a file, by its path from this folder.
func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.FromSlash(path))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// exampleTime is a moment at which the example is valid.
var exampleTime = time.Date(2026, 12, 1, 8, 1, 0, 0, time.UTC)

// TestExample: the files of the example verify, and hold the same statement.
func TestExample(t *testing.T) {
	query := delegation.Query{Source: "b.example", Service: "_xmpp-server._tcp"}
	roots, err := keys.LoadRoots("root.pem")
	if err != nil {
		t.Fatal(err)
	}
	policy := delegation.Policy{Roots: roots, Time: exampleTime}
	var evidence delegation.Evidence
	if err := json.Unmarshal(read(t, "evidence.json"), &evidence); err != nil {
		t.Fatal(err)
	}
	found, err := delegation.Verify(query, &evidence, policy)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"statement.jws", "statement.p7c"} {
		r, err := delegation.Verify(query, query.FileEvidence(name, read(t, name)), policy)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r.Floor() != found.Floor() {
			t.Errorf("%s: floor %v, of the evidence %v", name, r.Floor(), found.Floor())
		}
	}
	issuance := time.Date(2026, 11, 30, 21, 14, 7, 312e6, time.UTC)
	if got := found.Floor().Order.Issuance; !got.Equal(issuance) {
		t.Errorf("issuance %v, want that of the SCT, %v", got, issuance)
	}
}

// TestZone: the zone file has the records of both files.
func TestZone(t *testing.T) {
	var want strings.Builder
	want.WriteString("; either of the two is enough\n")
	for _, e := range delegation.Encodings() {
		raw := map[delegation.Encoding][]byte{
			delegation.JWS: bytes.TrimSpace(read(t, "statement.jws")),
			delegation.AC:  read(t, "statement.p7c"),
		}[e]
		want.WriteString("_xmpp-server._tcp._dna.b.example. 3600 IN TXT (\n")
		for _, piece := range e.TXTStrings(raw) {
			fmt.Fprintf(&want, "    %q\n", piece)
		}
		want.WriteString(")\n")
	}
	if got := string(read(t, "zone.txt")); got != want.String() {
		t.Errorf("zone.txt is\n%s\nwant\n%s", got, want.String())
	}
}

// TestExampleText: the example in the text is that of the files.
func TestExampleText(t *testing.T) {
	intro, _, _ := strings.Cut(string(read(t, "../spec.md")), "\n## 1. ")
	blocks := strings.Split(intro, "```")
	if len(blocks) != 11 {
		t.Fatalf("%d blocks in the example, want 5", len(blocks)/2)
	}
	var list []string
	for i := 1; i < len(blocks); i += 2 {
		_, body, _ := strings.Cut(blocks[i], "\n")
		list = append(list, body)
	}
	token := strings.TrimSpace(string(read(t, "statement.jws")))
	parts := strings.Split(token, ".")
	for i, block := range []string{list[1], list[0]} {
		decoded := decodeBase64URL(t, parts[i])
		if got, want := compact(t, []byte(block)), compact(t, decoded); got != want {
			t.Errorf("the text has\n%s\nthe token has\n%s", got, want)
		}
	}
	if got := strings.Join(strings.Fields(list[2]), ""); got != token {
		t.Errorf("the token of the text is not that of statement.jws:\n%s\n%s", got, token)
	}
	if lines := strings.Fields(list[3]); !strings.HasPrefix(`"`+delegation.JWS.TXTRecord([]byte(token)), strings.TrimSuffix(strings.Join(lines[4:], " "), `..."`)) {
		t.Errorf("the TXT record of the text begins with another token: %q", lines[4:])
	}
	want := dump(t, read(t, "statement.p7c"))
	var got strings.Builder
	for line := range strings.Lines(list[4]) {
		line, _, _ = strings.Cut(line, "#")
		got.WriteString(strings.TrimRight(line, " \n") + "\n")
	}
	if got.String() != want {
		t.Errorf("the dump is\n%s\nwant\n%s", got.String(), want)
	}
}

// compact is JSON without white space; a certificate in the text is cut.
func compact(t *testing.T, text []byte) string {
	t.Helper()
	if _, err := strictjson.Parse(text); err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	if err := json.Compact(&out, text); err != nil {
		t.Fatal(err)
	}
	before, after, found := strings.Cut(out.String(), `"x5c":["`)
	if found {
		return before + `"x5c":["` + after[:20]
	}
	return before
}

// dump writes the attribute certificate of a message as the text does: an
// element a line, but one that holds only small elements in braces.
func dump(t *testing.T, message []byte) string {
	t.Helper()
	tree, err := dertree.Parse(message)
	if err != nil {
		t.Fatal(err)
	}
	var ac *dertree.Node
	tree.Walk(func(_ []int, n *dertree.Node) {
		if n.Tag == 0xa2 && ac == nil {
			ac = &dertree.Node{Tag: 0x30, Children: n.Children}
		}
	})
	if ac == nil {
		t.Fatal("the message has no attribute certificate")
	}
	var out strings.Builder
	write(&out, ac, "")
	return out.String()
}

func write(out *strings.Builder, n *dertree.Node, indent string) {
	if line := oneLine(n); line != "" {
		fmt.Fprintf(out, "%s%s\n", indent, line)
		return
	}
	fmt.Fprintf(out, "%s%s\n", indent, tagName(n.Tag))
	for _, c := range n.Children {
		write(out, c, indent+"  ")
	}
}

// maxLine is the longest line of elements in one another.
const maxLine = 90

// oneLine is an element that fits into a line, or empty.
func oneLine(n *dertree.Node) string {
	if !n.Constructed() {
		return tagName(n.Tag) + value(n)
	}
	var parts []string
	for _, c := range n.Children {
		part := oneLine(c)
		if part == "" {
			return ""
		}
		parts = append(parts, part)
	}
	line := tagName(n.Tag) + " {" + strings.Join(parts, ", ") + "}"
	if len(line) > maxLine {
		return ""
	}
	return line
}

func tagName(tag byte) string {
	if name, ok := map[byte]string{
		0x02: "INTEGER", 0x03: "BITS", 0x04: "OCTETS", 0x05: "NULL", 0x06: "OID", 0x0c: "UTF8", 0x13: "PRINTABLE",
		0x16: "IA5", 0x18: "TIME", 0x30: "SEQUENCE", 0x31: "SET",
	}[tag]; ok {
		return name
	}
	return fmt.Sprintf("[%d]", tag&0x1f)
}

func value(n *dertree.Node) string {
	switch {
	case len(n.Content) == 0:
		return ""
	case n.Tag == 0x06:
		var oid x509.OID
		if err := oid.UnmarshalBinary(n.Content); err != nil {
			return " ?"
		}
		return " " + oid.String()
	case n.Tag == 0x02 && len(n.Content) < 4:
		v := 0
		for _, b := range n.Content {
			v = v<<8 | int(b)
		}
		return fmt.Sprintf(" %d", v)
	case n.Tag == 0x0c, n.Tag == 0x13, n.Tag == 0x16, n.Tag == 0x18, n.Tag == 0x82:
		return fmt.Sprintf(" %q", n.Content)
	}
	return fmt.Sprintf(" %X", n.Content)
}

func decodeBase64URL(t *testing.T, text string) []byte {
	t.Helper()
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
