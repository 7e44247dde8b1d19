package discovery

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
)

// httpsPort is the only port of a web server that is connected to.
const httpsPort = 443

// userAgent is fixed: what runs here, and in which version, is nobody's
// business. The number is that of the protocol.
const userAgent = "dnaverify/1"

// A fetcher gets documents for one Gather, each over one connection at a time,
// whatever host names redirects name. A web server sees no more of us than of a
// browser.
type fetcher struct {
	transport *http.Transport // opens connections and keeps none
	timeout   time.Duration
	log       *slog.Logger
}

func newFetcher(c *connector, roots *x509.CertPool, log *slog.Logger) *fetcher {
	f := &fetcher{timeout: c.timeouts.document, log: log}
	f.transport = &http.Transport{
		Proxy:       nil, // a proxy would dial, and the filter would see only the proxy
		DialContext: c.dial,
		TLSClientConfig: &tls.Config{
			RootCAs:    roots,
			MinVersion: tls.VersionTLS12, // RFC 9325, Section 3.1.1
			NextProtos: []string{"http/1.1"},
		},
		DisableCompression:     true,
		MaxResponseHeaderBytes: maxHeader,
		Protocols:              new(http.Protocols),
	}
	f.transport.Protocols.SetHTTP1(true)
	return f
}

// fetch gets one document. The body is read only if it has the media type that is
// wanted. A page that a server shows for any path, however large, is not a failure.
func (f *fetcher) fetch(ctx context.Context, address, wanted string) delegation.Document {
	d := delegation.Document{URL: address}
	l := &lane{transport: f.transport}
	defer l.close()
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()

	if err := f.get(ctx, l, &d, wanted); err != nil {
		d.Failure = f.explain(ctx, err).failure()
	}
	f.log.Debug("https", "url", address, "status", d.Status, "type", d.MediaType, "octets", len(d.Body),
		"no_address", d.NoAddress, "failure", reasonOf(d.Failure))
	return d
}

// get fills in a document, redirects followed. Its errors are a *problem, or
// those of the network, TLS, HTTP and ctx.
func (f *fetcher) get(ctx context.Context, l *lane, d *delegation.Document, wanted string) error {
	target, err := url.Parse(d.URL)
	if err != nil {
		return err
	}
	for redirects := 0; ; redirects++ {
		response, err := request(ctx, l, target)
		if redirects == 0 && errors.Is(err, errNoAddress) {
			d.NoAddress = true
			return nil
		}
		if err != nil {
			d.NoServer = redirects == 0 && errors.Is(err, errRefused)
			return err
		}
		if location := response.Header.Get("Location"); location == "" || !slices.Contains(redirectCodes, response.StatusCode) {
			return receive(ctx, d, response, wanted)
		}
		response.Body.Close()
		if redirects == maxRedirects {
			return fail(reasons.BadRedirect, "more than %d redirects, the last from %s", maxRedirects, quoted(target.String()))
		}
		if target, err = redirect(target, response.Header.Get("Location")); err != nil {
			return err
		}
	}
}

// request sends one request. There are no cookies, no credentials and no
// Referer, and nothing is remembered from one to the next.
func request(ctx context.Context, l *lane, target *url.URL) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return nil, err
	}
	r.Header.Set("User-Agent", userAgent)
	r.Header.Set("Accept-Encoding", "identity")
	return l.roundTrip(r)
}

// receive takes what counts from the final response and closes it.
func receive(ctx context.Context, d *delegation.Document, r *http.Response, wanted string) error {
	defer r.Body.Close()
	d.Status, d.MediaType = r.StatusCode, mediaType(r.Header.Get("Content-Type"))
	d.MaxAge = freshness(r.Header.Values("Cache-Control"))
	if d.Status != http.StatusOK || d.MediaType != wanted {
		return nil
	}
	for _, coding := range r.Header.Values("Content-Encoding") {
		if coding != "" && !strings.EqualFold(coding, "identity") {
			return fail(reasons.HTTPSFailure, "the body is encoded as %s, and identity was asked for", quoted(coding))
		}
	}
	if r.ContentLength < 0 && len(r.TransferEncoding) == 0 {
		// It ends with the connection, which anybody on the path can end (RFC 9112, Section 9.8).
		return fail(reasons.HTTPSFailure, "the body has no length, so nobody can tell whether it is whole")
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, maxDocument+1))
	if err == nil {
		// When the time is over the connection is closed, and a server that
		// sees this may end its body in good order, in the middle.
		err = ctx.Err()
	}
	if err != nil {
		return fmt.Errorf("after %d octets of the body: %w", len(body), err)
	}
	if len(body) > maxDocument {
		return fail(reasons.DocumentTooLarge, "more than %d octets", maxDocument)
	}
	d.Body = body
	return nil
}

func (f *fetcher) explain(ctx context.Context, err error) *problem {
	var p *problem
	var netError net.Error
	switch {
	case errors.As(err, &p):
		return p
	case errors.Is(err, errRefused):
		return fail(reasons.HTTPSFailure, "%s", remote(err))
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fail(reasons.HTTPSTimeout, "not done after %s", f.timeout)
	case errors.As(err, &netError) && netError.Timeout():
		return fail(reasons.HTTPSTimeout, "%s", remote(err))
	case errors.Is(err, errNoAddress):
		return fail(reasons.HTTPSFailure, "redirected to a host that has no address")
	}
	return fail(reasons.HTTPSFailure, "%s", remote(err))
}
