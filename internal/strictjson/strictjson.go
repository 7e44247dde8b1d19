// Package strictjson reads the small subset of JSON (RFC 8259) that a signed
// statement may be written in, and refuses all the rest.
//
// encoding/json takes "ISS" for "iss", the last of two equal names, null for
// anything, and what follows the value. A signature covers bytes, so two
// readers that see two meanings in the same bytes are an attack. Here a text
// has one meaning or none:
//
//   - objects with distinct names, arrays, strings and integers; no null, no
//     true or false, since no member of a statement has such a value;
//   - strings of printable ASCII without escapes, since every legal value is
//     plain ASCII;
//   - integers from 0 to 2^53-1 without sign, fraction, exponent or leading
//     zero;
//   - white space as in RFC 8259, members in any order;
//   - nothing after the value, and the limits below.
//
// The package knows nothing of statements. The caller checks with
// [Value.Object] which names an object has, and what they mean.
//
// [Decode] is for documents that nobody signed.
package strictjson

import (
	"errors"
	"fmt"
)

// Limits. A statement needs at most a depth of 4, 6 members in an object and
// 16 elements in an array.
const (
	MaxDepth   = 4         // nested objects and arrays
	MaxMembers = 16        // members of one object
	MaxItems   = 32        // elements of one array
	MaxInteger = 1<<53 - 1 // RFC 8259, Section 6: what every reader keeps exactly
)

// ErrSyntax is wrapped by every error of this package.
var ErrSyntax = errors.New("not strict JSON")

// Kind is the kind of a [Value].
type Kind int

// The kinds of JSON values that exist here.
const (
	Object Kind = iota + 1
	Array
	String
	Integer
)

func (k Kind) String() string {
	return [...]string{"nothing", "an object", "an array", "a string", "an integer"}[k]
}

// A Value is a parsed JSON value.
type Value struct {
	Kind    Kind
	Text    string   // of a String
	Number  int64    // of an Integer, 0 to MaxInteger
	Items   []Value  // of an Array
	Members []Member // of an Object, in the order of the text, names distinct
}

// A Member is a name and its value in an object.
type Member struct {
	Name  string
	Value Value
}

// Parse reads a whole text as one value.
func Parse(text []byte) (Value, error) {
	p := parser{text: string(text)} // one copy, which all strings share
	v, err := p.value(1)
	if err != nil {
		return Value{}, err
	}
	if p.space(); p.at < len(text) {
		return Value{}, p.fail("something follows the value")
	}
	return v, nil
}

type parser struct {
	text string
	at   int
}

func (p *parser) fail(format string, args ...any) error {
	return fmt.Errorf("%w: offset %d: %s", ErrSyntax, p.at, fmt.Sprintf(format, args...))
}

func (p *parser) space() {
	for p.at < len(p.text) {
		switch p.text[p.at] {
		case ' ', '\t', '\n', '\r':
			p.at++
		default:
			return
		}
	}
}

// next passes over white space and returns the octet there, 0 at the end.
func (p *parser) next() byte {
	if p.space(); p.at < len(p.text) {
		return p.text[p.at]
	}
	return 0
}

func (p *parser) value(depth int) (Value, error) {
	switch c := p.next(); {
	case c == '"':
		s, err := p.string()
		return Value{Kind: String, Text: s}, err
	case '0' <= c && c <= '9':
		n, err := p.integer()
		return Value{Kind: Integer, Number: n}, err
	case c != '{' && c != '[':
		return Value{}, p.fail("neither an object, an array, a string nor an unsigned integer")
	case depth > MaxDepth:
		return Value{}, p.fail("nested deeper than %d", MaxDepth)
	case c == '{':
		return p.object(depth)
	default:
		return p.array(depth)
	}
}

func (p *parser) object(depth int) (Value, error) {
	v := Value{Kind: Object, Members: make([]Member, 0, 6)} // as many as a statement has
	p.at++
	for {
		if more, err := p.more('}', len(v.Members) > 0); !more {
			return v, err
		}
		if p.next() != '"' {
			return v, p.fail("a name is missing")
		}
		name, err := p.string()
		if err != nil {
			return v, err
		}
		for i := range v.Members {
			if v.Members[i].Name == name {
				return v, p.fail("the name %.40q appears twice", name)
			}
		}
		if len(v.Members) == MaxMembers {
			return v, p.fail("more than %d members", MaxMembers)
		}
		if p.next() != ':' {
			return v, p.fail("no colon after the name %.40q", name)
		}
		p.at++
		value, err := p.value(depth + 1)
		if err != nil {
			return v, err
		}
		v.Members = append(v.Members, Member{name, value})
	}
}

func (p *parser) array(depth int) (Value, error) {
	v := Value{Kind: Array}
	p.at++
	for {
		if more, err := p.more(']', len(v.Items) > 0); !more {
			return v, err
		}
		if len(v.Items) == MaxItems {
			return v, p.fail("more than %d elements", MaxItems)
		}
		item, err := p.value(depth + 1)
		if err != nil {
			return v, err
		}
		v.Items = append(v.Items, item)
	}
}

// more passes over what stands between two elements, or before the first one,
// and reports whether an element must follow. At the closing bracket, which it
// passes over too, and with an error, none does.
func (p *parser) more(closing byte, after bool) (bool, error) {
	switch c := p.next(); {
	case c == closing:
		p.at++
		return false, nil
	case !after:
		return true, nil
	case c == ',':
		p.at++
		return true, nil
	}
	return false, p.fail("neither a comma nor %q", closing)
}

// inString holds the octets that a string may have: printable ASCII but the
// quotation mark, which ends it, and the backslash.
var inString = func() (table [256]bool) {
	for c := ' '; c <= '~'; c++ {
		table[c] = c != '"' && c != '\\'
	}
	return table
}()

func (p *parser) string() (string, error) {
	p.at++
	start := p.at
	for p.at < len(p.text) && inString[p.text[p.at]] {
		p.at++
	}
	if p.at == len(p.text) {
		return "", p.fail("a string without end")
	}
	switch p.text[p.at] {
	case '"':
		p.at++
		return p.text[start : p.at-1], nil
	case '\\':
		return "", p.fail("an escape in a string")
	}
	return "", p.fail("a string with an octet that is not printable ASCII")
}

func (p *parser) integer() (int64, error) {
	start, n := p.at, int64(0)
	for ; p.at < len(p.text) && '0' <= p.text[p.at] && p.text[p.at] <= '9'; p.at++ {
		if n = n*10 + int64(p.text[p.at]-'0'); n > MaxInteger {
			return 0, p.fail("an integer above 2^53-1")
		}
	}
	if p.text[start] == '0' && p.at-start > 1 {
		return 0, p.fail("an integer with a leading zero")
	}
	if p.at < len(p.text) && (p.text[p.at] == '.' || p.text[p.at] == 'e' || p.text[p.at] == 'E') {
		return 0, p.fail("a number with a fraction or an exponent")
	}
	return n, nil
}
