package publish

import (
	"errors"
	"strings"
)

// A bindToken is a word of named.conf, what stands in quotes, or one of { } ;
type bindToken struct {
	text   string
	quoted bool
}

// bindTokens splits text as BIND does, without the comments. A comment ends a word.
// It stops at a quote or a comment that does not end.
func bindTokens(text string) (tokens []bindToken, whole bool) {
	for text != "" {
		length := 1
		switch c := text[0]; {
		case strings.IndexByte(" \t\r\n\v\f", c) >= 0:
		case strings.IndexByte("{};", c) >= 0:
			tokens = append(tokens, bindToken{text: text[:1]})
		case c == '"':
			quoted, _, ended := strings.Cut(text[1:], `"`)
			if !ended {
				return tokens, false
			}
			tokens = append(tokens, bindToken{quoted, true})
			length = len(quoted) + 2
		case strings.HasPrefix(text, "/*"):
			comment, _, ended := strings.Cut(text[2:], "*/")
			if !ended {
				return tokens, false
			}
			length = len(comment) + 4
		case atComment(text):
			comment, _, _ := strings.Cut(text, "\n")
			length = len(comment)
		default:
			for length < len(text) && strings.IndexByte(" \t\r\n\v\f{};\"", text[length]) < 0 && !atComment(text[length:]) {
				length++
			}
			tokens = append(tokens, bindToken{text: text[:length]})
		}
		text = text[length:]
	}
	return tokens, true
}

func atComment(text string) bool {
	return text[0] == '#' || strings.HasPrefix(text, "//") || strings.HasPrefix(text, "/*")
}

// A bindReader is what is left of the tokens.
type bindReader []bindToken

// take takes words and marks if they come next. BIND knows its words in upper case too.
func (r *bindReader) take(words ...string) bool {
	if len(*r) < len(words) {
		return false
	}
	for i, w := range words {
		if t := (*r)[i]; t.quoted || !strings.EqualFold(t.text, w) {
			return false
		}
	}
	*r = (*r)[len(words):]
	return true
}

// value takes a word or what stands in quotes.
func (r *bindReader) value() (string, bool) {
	if len(*r) == 0 {
		return "", false
	}
	t := (*r)[0]
	if !t.quoted && strings.Contains("{};", t.text) {
		return "", false
	}
	*r = (*r)[1:]
	return t.text, true
}

var (
	errBINDKey    = errors.New(`it begins as a key of BIND and is not one key alone: key "name" { algorithm hmac-sha256; secret "..."; };`)
	errBINDOption = errors.New("the key has something other than one algorithm and one secret")
)

// parseBIND reads a clause "key" of named.conf (BIND 9 Administrator Reference Manual).
// The word itself is taken already. Behind the clause there may be what ddns-confgen
// says for named.conf and for nsupdate.
func parseBIND(r bindReader) (*TSIGKey, error) {
	name, ok := r.value()
	if !ok || !r.take("{") {
		return nil, errBINDKey
	}
	options := map[string]string{}
	for !r.take("}") {
		option := "algorithm"
		if !r.take(option) {
			if option = "secret"; !r.take(option) {
				return nil, errBINDOption
			}
		}
		value, ok := r.value()
		_, twice := options[option]
		if !ok || twice || !r.take(";") && (len(r) == 0 || r[0] != bindToken{text: "}"}) {
			return nil, errBINDOption
		}
		options[option] = value
	}
	r.take(";")
	if r.take("update-policy", "{") {
		for !r.take("}") {
			if len(r) == 0 || r.take("{") {
				return nil, errBINDKey
			}
			r = r[1:]
		}
		r.take(";")
	}
	if r.take("nsupdate", "-k") {
		r.value()
	}
	if len(r) > 0 {
		return nil, errBINDKey
	}
	// A secret may be broken over lines.
	return newTSIGKey(name, options["algorithm"], strings.Join(strings.Fields(options["secret"]), ""))
}
