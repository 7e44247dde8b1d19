package discovery

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/setup"
)

// A pasted record is what a form made of the record of a statement.
type pasted struct {
	name   string
	want   reasons.Reason
	detail string // in the verdict
	form   func(value string) [][]string
}

// one is a form that changes the text and then cuts it into strings as it
// should.
func one(change func(value string) string) func(string) [][]string {
	return func(value string) [][]string { return [][]string{pieces(change(value), 255)} }
}

func pieces(text string, size int) (list []string) {
	for ; len(text) > size; text = text[size:] {
		list = append(list, text[:size])
	}
	return append(list, text)
}

// joined puts something between the pieces of a text.
func joined(with string) func(string) [][]string {
	return one(func(v string) string { return strings.Join(pieces(v, 255), with) })
}

func cutAt(n int) func(string) [][]string {
	return one(func(v string) string { return v[:n] })
}

func replaced(old, with string) func(string) [][]string {
	return one(func(v string) string { return strings.ReplaceAll(v, old, with) })
}

func around(before, behind string) func(string) [][]string {
	return one(func(v string) string { return before + v + behind })
}

// records makes a record of each text.
func records(texts []string) (list [][]string) {
	for _, text := range texts {
		list = append(list, pieces(text, 255))
	}
	return list
}

const (
	none    = reasons.NoStatement
	record  = reasons.MalformedRecord
	token   = reasons.MalformedToken
	oneNone = "1 TXT record there, none begins with v=DNA1: "
)

// manglings are what forms, editors and people were seen to do.
var manglings = []pasted{
	{"as it should be", reasons.Verified, "", one(strings.Clone)},
	{"in short strings", reasons.Verified, "", func(v string) [][]string { return [][]string{pieces(v, 63)} }},
	{"an empty string in front", reasons.Verified, "", func(v string) [][]string { return [][]string{append([]string{""}, pieces(v, 255)...)} }},
	{"beside other records", reasons.Verified, "", func(v string) [][]string { return [][]string{{"v=spf1 -all"}, pieces(v, 255), {""}} }},

	{"quotes kept", none, oneNone + `"\"v=DNA1; e=jws; s=`, around(`"`, `"`)},
	{"quotes kept around each string", none, `before v=DNA1 stands "\""`, one(func(v string) string { return `"` + strings.Join(pieces(v, 255), `" "`) + `"` })},
	{"an opening quote", none, oneNone + `"\"v=DNA1`, around(`"`, "")},
	{"quotes with backslashes", none, `before v=DNA1 stands "\\\""`, around(`\"`, `\"`)},
	{"doubled quotes", none, `before v=DNA1 stands "\"\""`, around(`""`, `""`)},
	{"typographic quotes", none, oneNone + `"“v=DNA1; e=jws; s=`, around("“", "”")},
	{"typographic quotes of elsewhere", none, `before v=DNA1 stands "\u201e"`, around("„", "“")},
	{"guillemets", none, oneNone + `"«v=DNA1`, around("«", "»")},
	{"single quotes", none, oneNone + `"'v=DNA1`, around("'", "'")},
	{"backticks", none, "none begins with v=DNA1: \"`v=DNA1", around("`", "`")},
	{"entities of HTML", none, `before v=DNA1 stands "&quot;"`, around("&quot;", "&quot;")},
	{"parentheses of a zone file", none, `before v=DNA1 stands "( \""`, around(`( "`, `" )`)},
	{"the line of a zone file", none, oneNone + `"_sips._tcp._dna 3600 IN TXT \"v=DNA1; e=j"...; before v=DNA1 stands "_sips._tcp._dna 3600 IN TXT \""`, around(`_sips._tcp._dna 3600 IN TXT "`, `"`)},
	{"a leading blank", none, oneNone + `" v=DNA1; e=jws; s=`, around(" ", "")},
	{"a leading tab", none, `before v=DNA1 stands "\t"`, around("\t", "")},
	{"a leading line end", none, `before v=DNA1 stands "\r\n"`, around("\r\n", "")},
	{"a leading no-break space", none, `before v=DNA1 stands "\u00a0"`, around("\u00a0", "")},
	{"a byte order mark", none, `before v=DNA1 stands "\ufeff"`, around("\ufeff", "")},
	{"a mark that nobody sees", none, `before v=DNA1 stands "\u200b"`, around("\u200b", "")},
	{"all in lower case", none, `"v=dna1; e=jws; s=`, one(strings.ToLower)},
	{"a capital at the beginning", none, "capitals matter", one(func(v string) string { return "V" + v[1:] })},
	{"the statement alone", none, `a statement, or a piece of one, without "v=DNA1; e="`, one(func(v string) string { return strings.TrimPrefix(v, "v=DNA1; e=jws; s=") })},
	{"without the version", none, oneNone + `"e=jws; s=`, one(func(v string) string { return strings.TrimPrefix(v, "v=DNA1; ") })},
	{"blanks about the equals sign", none, oneNone + `"v = DNA1; e = jws; s = `, replaced("=", " = ")},
	{"the name of the field", none, `before v=DNA1 stands "value: "`, around("value: ", "")},
	{"the strings in the wrong order", none, "v=DNA1 comes only after ", func(v string) [][]string {
		p := pieces(v, 255)
		return [][]string{append(p[1:], p[0])}
	}},
	{"each string a record, with quotes", none, " TXT records there, none begins with v=DNA1: ", func(v string) [][]string {
		list := pieces(v, 255)
		for i := range list {
			list[i] = `"` + list[i] + `"`
		}
		return records(list)
	}},
	{"the place-holder of the form", none, oneNone + `"Enter text here"`, one(func(string) string { return "Enter text here" })},
	{"nothing", none, oneNone + `""`, one(func(string) string { return "" })},

	{"each string a record", token, "the TXT record has 255 bytes, and ", func(v string) [][]string { return records(pieces(v, 255)) }},
	{"cut at 255", token, "the TXT record has 255 bytes", cutAt(255)},
	{"cut at 256", token, "the TXT record has 256 bytes", cutAt(256)},
	{"cut at 512", token, "the TXT record has 512 bytes", cutAt(512)},
	{"an ellipsis of three dots", token, "parts between dots", one(func(v string) string { return v[:60] + "..." + v[len(v)-20:] })},
	{"twice", record, `of the statement comes "; e=jws; s=`, one(func(v string) string { return v + v })},

	{"quotes between the strings", record, `comes "\" \"`, joined(`" "`)},
	{"blanks between the strings", record, `after 238 bytes of the statement comes " `, joined(" ")},
	{"line ends between the strings", record, `after 238 bytes of the statement comes "\n`, joined("\n")},
	{"commas between the strings", record, `after 238 bytes of the statement comes ",`, joined(",")},
	{"wrapped at 76 columns", record, `comes "\r\n`, one(func(v string) string { return strings.Join(pieces(v, 76), "\r\n") })},
	{"a closing quote", record, `comes "\"", which no statement has`, around("", `"`)},
	{"a closing typographic quote", record, `comes "”", which`, around("", "”")},
	{"a trailing blank", record, `comes " ", which`, around("", " ")},
	{"a trailing line end", record, `comes "\n", which`, around("", "\n")},
	{"a trailing semicolon", record, `comes ";", which`, around("", ";")},
	{"an ellipsis", record, `comes "…", which`, around("", "…")},
	{"dashes made typographic", record, `comes "–`, one(func(v string) string { return v[:100] + "–" + v[101:] })},
	{"escaped semicolons", record, `after "v=DNA1" comes "\\; e=jws\\; s=`, replaced(";", `\;`)},
	{"blanks taken out", record, `after "v=DNA1" comes ";e=jws;s=`, replaced(" ", "")},
	{"blanks doubled", record, `after "v=DNA1" comes ";  e=jws;  s=`, replaced(" ", "  ")},
	{"no-break spaces", record, `after "v=DNA1" comes ";\u00a0e=jws`, replaced(" ", "\u00a0")},
	{"commas for semicolons", record, `after "v=DNA1" comes ", e=jws, s=`, replaced(";", ",")},
	{"full-width semicolons", record, `after "v=DNA1" comes "； e=jws`, replaced(";", "；")},
	{"percent signs", record, `after "v=DNA1" comes "%3B%20e=jws`, replaced("; ", "%3B%20")},
	{"quoted-printable", token, "the TXT record has 1", replaced("; s=", "; s=3D")},
	{"no quotes in a zone file", record, "a semicolon outside quotes starts a comment", one(func(string) string { return "v=DNA1" })},
	{"no quotes, and a semicolon left", record, `after "v=DNA1" comes ";"`, one(func(string) string { return "v=DNA1;" })},
	{"the encoding in capitals", record, `after "v=DNA1; e=" comes "JWS; s=`, replaced("e=jws", "e=JWS")},
	{"the statement left out", record, "is empty", one(func(string) string { return "v=DNA1; e=jws; s=" })},
	{"the encoding alone", record, `comes "jws", not`, one(func(string) string { return "v=DNA1; e=jws" })},
}

// zoneLine is a record with every byte as it is, whatever it is.
func zoneLine(name string, strs []string) string {
	line := name + ". 300 IN TXT"
	for _, s := range strs {
		line += ` "`
		for i := range len(s) {
			line += fmt.Sprintf(`\%03d`, s[i])
		}
		line += `"`
	}
	return line
}

// TestPasted: whatever became of a record, it is refused, and the verdict says
// what is there.
func TestPasted(t *testing.T) {
	if len(manglings) < 40 {
		t.Fatalf("only %d manglings", len(manglings))
	}
	w := newScene(true)
	value := delegation.JWS.TXTRecord(w.statement)
	seen := map[reasons.Reason]int{}
	for _, c := range manglings {
		t.Run(c.name, func(t *testing.T) {
			s := setup.DNS(t)
			var lines []string
			for _, strs := range c.form(value) {
				lines = append(lines, zoneLine(txtName, strs))
			}
			if err := s.SetRecords(lines); err != nil {
				t.Fatal(err)
			}
			e := gather(t, &Client{Resolver: s.Addr, Via: ViaDNS})
			_, err := delegation.Verify(delegation.Query{Source: source, Service: service}, e, w.policy)
			if c.want == reasons.Verified {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var refused *delegation.Error
			if !errors.As(err, &refused) || refused.Reason != c.want || refused.Outcome != reasons.OutcomeRefused {
				t.Fatalf("%v, want %s", err, c.want)
			}
			seen[refused.Reason]++
			t.Log(refused.Detail)
			if !strings.Contains(refused.Detail, c.detail) {
				t.Errorf("it says\n%s\nand not\n%s", refused.Detail, c.detail)
			}
			if len(refused.Detail) > 700 || strings.ContainsAny(refused.Detail, "\n\r\t\u00a0\ufeff\u200b") {
				t.Errorf("not printable, or %d bytes: %q", len(refused.Detail), refused.Detail)
			}
		})
	}
	if seen[none] < 20 || seen[record] < 15 || seen[token] < 4 {
		t.Errorf("the table is not what it should be: %v", seen)
	}
}
