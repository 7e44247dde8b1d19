package discovery

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/text"
)

// redirectCodes send a GET elsewhere (RFC 9110, Section 15.4).
var redirectCodes = []int{
	http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect,
}

// redirect resolves a Location (RFC 9110, Section 10.2.2) and checks where the
// source may send us. It accepts https, port 443, a domain name in public use,
// and nothing that would become a credential.
func redirect(from *url.URL, location string) (*url.URL, error) {
	to, err := from.Parse(location)
	if err != nil {
		return nil, fail(reasons.BadRedirect, "to %s, which is not a URL", quoted(location))
	}
	to.Host = text.LowerASCII(to.Host)
	host := to.Hostname()
	switch port := to.Port(); {
	case to.Scheme != "https":
		return nil, fail(reasons.BadRedirect, "to %s, which is not https", quoted(location))
	case port != "" && port != strconv.Itoa(httpsPort), strings.HasSuffix(to.Host, ":"):
		return nil, fail(reasons.BadRedirect, "to %s, which is not on port %d", quoted(location), httpsPort)
	case to.User != nil:
		return nil, fail(reasons.BadRedirect, "to %s, which has a user name", quoted(location))
	}
	if err := delegation.CheckName(host); err != nil {
		return nil, fail(reasons.BadRedirect, "to %s: %v", quoted(location), err)
	}
	return to, nil
}

// mediaType is the type and subtype of a Content-Type, in lower case (RFC 9110,
// Section 8.3.1). Parameters are not read, so that one that is malformed does
// not hide a statement. The rest is not checked either: what is no media type
// equals none, and is shown to a person, within bounds.
func mediaType(contentType string) string {
	t, _, _ := strings.Cut(contentType, ";")
	return text.Short(text.LowerASCII(strings.Trim(t, " \t")), maxQuoted)
}

// freshness is for how many seconds a response says that it will not change
// (RFC 9111, Section 5.2.2), -1 if it does not say. no-store and no-cache mean
// 0, and so does a max-age that is not a number (Section 4.2.1). Of several the
// least counts.
func freshness(cacheControl []string) int64 {
	age := int64(-1)
	least := func(n int64) {
		if age < 0 || n < age {
			age = n
		}
	}
	for _, directive := range strings.Split(strings.Join(cacheControl, ","), ",") {
		name, value, _ := strings.Cut(directive, "=")
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "no-store", "no-cache":
			least(0)
		case "max-age":
			least(seconds(strings.Trim(strings.TrimSpace(value), `"`)))
		}
	}
	return age
}

// seconds reads a number of seconds (RFC 9111, Section 1.2.2). One that is too
// large becomes the largest, and anything else invalid becomes 0.
func seconds(s string) int64 {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return 0
	}
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil || n > maxAge {
		return maxAge
	}
	return n
}
