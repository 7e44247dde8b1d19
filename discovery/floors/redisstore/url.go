package redisstore

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/dnasign/dnasign/keys"
)

// A redisPlace is what the URL of a Redis says.
type redisPlace struct {
	name           string // for messages, without a password
	addr           string // host:port, or the path of a socket
	db             int
	user, password string
	tls            *tls.Config // nil: none
	exposed        bool        // what is sent can be read and changed on its way
}

// IsURL reports whether where is meant as the URL of a Redis and not as the
// name of a file. It has "://", or begins with a scheme that [Open] takes and a
// colon. So a mistyped URL, which may hold a password, does not become the name
// of a file. [Open] refuses it.
func IsURL(where string) bool {
	scheme, _, _ := strings.Cut(where, ":")
	return strings.Contains(where, "://") || scheme != where && slices.Contains(redisSchemes, strings.ToLower(scheme))
}

// redisSchemes are those that parseRedis takes, in any case (RFC 3986,
// Section 3.1).
var redisSchemes = []string{"redis", "rediss", "unix", "redis+unix"}

// maxPassword bounds a file with a password in octets.
const maxPassword = 4096

// parseRedis reads the URL of a Redis, in a form of [Open]; redis+unix:// is
// unix://. Errors hold nothing of the URL but what follows the password.
func parseRedis(where string) (*redisPlace, error) {
	// What is almost a URL may hold a password, which must not be part of an error.
	if scheme, _, _ := strings.Cut(where, ":"); IsURL(where) && !strings.Contains(where, "://") {
		return nil, fmt.Errorf("a Redis is %s:// and what follows, with two slashes; for a file of that name, write ./ before it", scheme)
	}
	u, err := url.Parse(where)
	if err != nil { // which repeats the URL
		return nil, errors.New("the URL of the Redis cannot be read; special characters in a password are written as %25, or use password-file")
	}
	options, err := url.ParseQuery(u.RawQuery)
	if err != nil || u.Fragment != "" || u.Opaque != "" {
		return nil, errors.New("the options of the Redis cannot be read")
	}
	p := &redisPlace{user: u.User.Username()}
	p.password, _ = u.User.Password()
	known := map[string]bool{"password-file": true}
	db := ""
	switch u.Scheme {
	case "unix", "redis+unix":
		known["db"], db = true, options.Get("db")
		if u.Host != "" || len(u.Path) < 2 {
			return nil, errors.New("the URL of a socket is unix:///path")
		}
		p.addr, p.name = u.Path, "unix://"+u.Path
	case "redis", "rediss":
		if u.Scheme == "rediss" {
			known["ca-file"], known["cert-file"], known["key-file"] = true, true, true
		}
		db = strings.TrimPrefix(u.Path, "/")
		if u.Hostname() == "" {
			return nil, errors.New("the URL of the Redis has no host")
		}
		port := u.Port()
		if port == "" {
			port = "6379"
		}
		p.addr = net.JoinHostPort(u.Hostname(), port)
		p.name = u.Scheme + "://" + p.addr
		p.exposed = u.Scheme == "redis" && !loopback(u.Hostname())
	default:
		return nil, errors.New("a memory is a file, or redis://, rediss:// or unix://")
	}
	for option, values := range options {
		if !known[option] || len(values) != 1 || values[0] == "" {
			return nil, fmt.Errorf("the option %q of %s is unknown, empty or given twice", option, p.name)
		}
	}
	if db != "" {
		if p.db, err = strconv.Atoi(db); err != nil || p.db < 0 {
			return nil, fmt.Errorf("the database of %s is not a number", p.name)
		}
	}
	if u.Scheme == "rediss" {
		if err := p.useTLS(options.Get("ca-file"), options.Get("cert-file"), options.Get("key-file")); err != nil {
			return nil, err
		}
	}
	if file := options.Get("password-file"); file != "" {
		if p.password != "" {
			return nil, fmt.Errorf("%s has a password and a password-file", p.name)
		}
		if p.password, err = readPassword(file); err != nil {
			return nil, fmt.Errorf("the password-file of %s: %w", p.name, err)
		}
	}
	return p, nil
}

func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && addr.IsLoopback()
}

// useTLS sets no server name. Each node of a cluster has its own certificate,
// for the name or address by which it is dialled.
func (p *redisPlace) useTLS(caFile, certFile, keyFile string) error {
	roots, err := keys.LoadRoots(caFile)
	if err != nil {
		return fmt.Errorf("the ca-file of %s: %w", p.name, err)
	}
	p.tls = &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}
	if certFile == "" && keyFile == "" {
		return nil
	}
	if certFile == "" || keyFile == "" {
		return fmt.Errorf("%s needs both cert-file and key-file, or neither", p.name)
	}
	// They are read for each connection, so a renewed certificate needs no restart.
	load := func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		key, err := os.Open(keyFile)
		if err != nil {
			return nil, err
		}
		defer key.Close()
		if err := private(key); err != nil {
			return nil, err
		}
		pair, err := tls.LoadX509KeyPair(certFile, keyFile)
		return &pair, err
	}
	if _, err := load(nil); err != nil {
		return fmt.Errorf("the cert-file or key-file of %s: %w", p.name, err)
	}
	p.tls.GetClientCertificate = load
	return nil
}

// private refuses a file that every user can read.
func private(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Mode().Perm()&0o004 != 0 {
		return fmt.Errorf("every user can read %s; chmod 600 it", file.Name())
	}
	return nil
}

// readPassword reads a file of one line.
func readPassword(name string) (string, error) {
	file, err := os.Open(name)
	if err != nil {
		return "", err
	}
	defer file.Close()
	if err := private(file); err != nil {
		return "", err
	}
	data, err := io.ReadAll(io.LimitReader(file, maxPassword+1))
	if err != nil {
		return "", err
	}
	password := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if password == "" || len(password) > maxPassword || strings.ContainsAny(password, "\r\n") {
		return "", fmt.Errorf("%s is not one line of 1 to %d octets", name, maxPassword)
	}
	return password, nil
}
