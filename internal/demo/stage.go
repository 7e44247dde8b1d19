// Package demo plays the whole story on the loopback address: an owner signs
// and publishes, a verifier finds and verifies, and an attacker fails. It uses
// the library as the commands do; only the servers around it are its own. It
// writes no file and nothing of it is left when it ends.
package demo

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/peerserver"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/keys"
)

const (
	source  = world.Source
	service = world.Service // the role
	label   = world.Direct  // where its SRV records for direct TLS are
	host    = world.Host
	other   = "c.example"
)

// stage is everything around the verifier.
type stage struct {
	*world.World
	target delegation.Endpoint

	dns      *dnsserver.Server
	web      *http.Server
	webAddr  string
	peer     *peerserver.Server // shows the certificate of host
	stopped  sync.WaitGroup
	document sync.Map // path -> document
}

type document struct {
	mediaType string
	body      []byte
}

// build makes certificates and starts the servers. Call close in any case.
func build(now time.Time) (w *stage, err error) {
	w = &stage{World: world.At(now)}
	if w.peer, err = peerserver.Start(tlsConfig(w.Of(host))); err != nil {
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

func (w *stage) startWeb() error {
	l, err := tls.Listen("tcp", "127.0.0.1:0", tlsConfig(w.Of(source)))
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

func (w *stage) close() {
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

// signed is a statement of the owner, as dnasign sign makes it.
func (w *stage) signed(e delegation.Encoding, issued, expires time.Time, targets ...delegation.Endpoint) []byte {
	return signedBy(w.Of(source), source, e, issued, expires, targets...)
}

func signedBy(signer *keys.Signer, domain string, e delegation.Encoding, issued, expires time.Time, targets ...delegation.Endpoint) []byte {
	s := world.Statement(domain, service, issued)
	s.Expires = expires
	for _, t := range targets {
		s.Targets = append(s.Targets, delegation.Target{Endpoint: t, TLS: delegation.Direct})
	}
	return world.Sign(s, e, signer)
}

// publish makes DNS and the web server say this and nothing else.
func (w *stage) publish(srv delegation.Endpoint, e delegation.Encoding, statement []byte) error {
	w.document.Clear()
	w.document.Store(delegation.DocumentPath(service, e), document{e.MediaType(), statement})
	return w.dns.SetRecords([]string{
		fmt.Sprintf("%s. 60 IN SRV 0 0 %d %s.", delegation.SRVName(source, label), srv.Port, srv.Host),
		source + ". 60 IN A 127.0.0.1",
		host + ". 60 IN A 127.0.0.1",
		world.TextLine(source, service, e.TXTRecord(statement)),
	})
}

// check finds and verifies, as dnaverify check does, and decides about connections.
func (w *stage) check(ctx context.Context, via discovery.Via, p delegation.Policy) (*association.Association, error) {
	connect, err := discovery.ParseConnectTo(source + ":443:" + w.webAddr)
	if err != nil {
		return nil, err
	}
	client := &discovery.Client{
		Resolver: w.dns.Addr, Via: via, HTTPSRoots: w.CA.Pool(),
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
