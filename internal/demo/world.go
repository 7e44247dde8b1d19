// Package demo plays the whole story on the loopback address: an owner signs
// and publishes, a verifier finds and verifies, and an attacker fails. It uses
// the library as the commands do; only the servers around it are its own. It
// writes no file and nothing of it is left when it ends.
package demo

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/peerserver"
	"github.com/dnasign/dnasign/keys"
)

const (
	source  = "b.example"
	service = "_xmpp-server._tcp"  // the role
	label   = "_xmpps-server._tcp" // where its SRV records for direct TLS are
	host    = "xmpp.hosting.example"
	other   = "c.example"
)

// world is everything around the verifier.
type world struct {
	roots    *x509.CertPool
	owner    *keys.Signer // of source
	stranger *keys.Signer // of another domain
	provider *keys.Signer // of host
	target   delegation.Endpoint

	dns      *dnsserver.Server
	web      *http.Server
	webAddr  string
	peer     *peerserver.Server // shows the provider's certificate
	stopped  sync.WaitGroup
	document sync.Map // path -> document
}

type document struct {
	mediaType string
	body      []byte
}

// build makes certificates and starts the servers. Call close in any case.
func build(now time.Time) (w *world, err error) {
	w = &world{}
	root, err := localca.New("Demo Root", now)
	if err != nil {
		return w, err
	}
	ca, err := root.Intermediate("Demo Intermediate", now, nil)
	if err != nil {
		return w, err
	}
	w.roots = root.Pool()
	for _, leaf := range []struct {
		signer **keys.Signer
		domain string
	}{{&w.owner, source}, {&w.stranger, other}, {&w.provider, host}} {
		*leaf.signer, err = ca.Issue("P-256", []string{leaf.domain}, now.Add(-24*time.Hour), now.Add(60*24*time.Hour), nil)
		if err != nil {
			return w, err
		}
	}
	if w.peer, err = peerserver.Start(tlsConfig(w.provider)); err != nil {
		return w, err
	}
	w.target = delegation.Endpoint{Host: host, Port: netip.MustParseAddrPort(w.peer.Addr).Port()}
	if err := w.startWeb(); err != nil {
		return w, err
	}
	w.dns, err = dnsserver.Start(nil)
	return w, err
}

func tlsConfig(signer *keys.Signer) *tls.Config {
	return &tls.Config{Certificates: []tls.Certificate{localca.TLS(signer)}, MinVersion: tls.VersionTLS12}
}

func (w *world) startWeb() error {
	l, err := tls.Listen("tcp", "127.0.0.1:0", tlsConfig(w.owner))
	if err != nil {
		return err
	}
	w.webAddr = l.Addr().String()
	w.web = &http.Server{
		ReadHeaderTimeout: 5 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0), // it tells of verifiers that have enough and go
		Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			d, ok := w.document.Load(r.URL.Path)
			if !ok {
				http.NotFound(rw, r)
				return
			}
			rw.Header().Set("Content-Type", d.(document).mediaType)
			_, _ = rw.Write(d.(document).body) // a verifier that went away is no error here
		}),
	}
	w.stopped.Go(func() { _ = w.web.Serve(l) }) // ends with ErrServerClosed
	return nil
}

func (w *world) close() {
	if w.dns != nil {
		w.dns.Close()
	}
	if w.web != nil {
		w.web.Close()
	}
	if w.peer != nil {
		w.peer.Close()
	}
	w.stopped.Wait()
}

// sign makes a statement of the owner, as dnasign sign does.
func (w *world) sign(e delegation.Encoding, issued, expires time.Time, targets ...delegation.Endpoint) ([]byte, error) {
	return signAs(w.owner, source, e, issued, expires, targets...)
}

func signAs(signer *keys.Signer, domain string, e delegation.Encoding, issued, expires time.Time, targets ...delegation.Endpoint) ([]byte, error) {
	s := delegation.Statement{Source: domain, Service: service, Issued: issued, Expires: expires}
	for _, t := range targets {
		s.Targets = append(s.Targets, delegation.Target{Endpoint: t, TLS: delegation.Direct})
	}
	if _, err := rand.Read(s.ID[1:]); err != nil {
		return nil, err
	}
	return delegation.Sign(s, e, signer)
}

// publish makes DNS and the web server say this and nothing else.
func (w *world) publish(srv delegation.Endpoint, txt map[delegation.Encoding][]byte, documents map[delegation.Encoding][]byte) error {
	records := []string{
		fmt.Sprintf("%s. 60 IN SRV 0 0 %d %s.", delegation.SRVName(source, label), srv.Port, srv.Host),
		source + ". 60 IN A 127.0.0.1",
		host + ". 60 IN A 127.0.0.1",
	}
	for e, raw := range txt {
		records = append(records, fmt.Sprintf("%s. 60 IN TXT \"%s\"", delegation.TXTName(source, service), strings.Join(e.TXTStrings(raw), `" "`)))
	}
	w.document.Clear()
	for e, raw := range documents {
		w.document.Store(delegation.DocumentPath(service, e), document{e.MediaType(), raw})
	}
	return w.dns.SetRecords(records)
}

// check finds and verifies, as dnaverify check does, and decides about connections.
func (w *world) check(ctx context.Context, via discovery.Via, p delegation.Policy) (*association.Association, error) {
	connect, err := discovery.ParseConnectTo(source + ":443:" + w.webAddr)
	if err != nil {
		return nil, err
	}
	client := &discovery.Client{
		Resolver: w.dns.Addr, Via: via, HTTPSRoots: w.roots,
		ConnectTo: []discovery.ConnectTo{connect}, AllowPrivateAddresses: true,
	}
	q := delegation.Query{Source: source, Service: service}
	e, err := client.Gather(ctx, source, service, nil)
	if err != nil {
		return nil, err
	}
	if _, err := delegation.Verify(q, e, p); err != nil {
		return nil, err
	}
	return association.Decide(association.Question{Source: source, Service: service, Direction: association.Outgoing}, e, p)
}
