package discovery

import (
	"net"
	"net/http"
	"strconv"
)

// A lane has one connection to a web server at most, and keeps it for a redirect
// to the same host. One goroutine uses it.
type lane struct {
	transport *http.Transport
	host      string // of conn
	conn      *http.ClientConn
}

// roundTrip sends a request over the lane's connection, or over a new one if
// that leads elsewhere or is over. It closes the old connection before it opens
// another, and stops opening one when the request ends. The pool of
// http.Transport does neither.
func (l *lane) roundTrip(r *http.Request) (*http.Response, error) {
	host := r.URL.Hostname()
	if l.conn != nil && l.host == host && l.conn.Available() > 0 {
		response, err := l.conn.RoundTrip(r)
		if err == nil || r.Context().Err() != nil {
			return response, err
		}
		// The server may have closed an idle connection at this moment. That is
		// no failure, and a GET may be sent again (RFC 9112, Section 9.3.1).
	}
	l.close()
	conn, err := l.transport.NewClientConn(r.Context(), "https", net.JoinHostPort(host, strconv.Itoa(httpsPort)))
	if err != nil {
		return nil, err
	}
	l.host, l.conn = host, conn
	return conn.RoundTrip(r)
}

// close ends the connection; its socket is closed when close returns.
func (l *lane) close() {
	if l.conn != nil {
		l.conn.Close()
		l.conn = nil
	}
}
