package clitest

import (
	"crypto/tls"
	"io"
	"log"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/peerserver"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// dnsFaults are the faults a script can name.
var dnsFaults = map[string]dnsserver.Fault{
	"drop":      {Drop: true},
	"servfail":  {Rcode: 2},
	"bogus":     {Bogus: true, Error: &dnsserver.ExtendedError{Code: 6, Text: "signature crypto failed"}},
	"slow":      {Delay: 300 * time.Millisecond},
	"authentic": {Authentic: true},
	"refused":   {Rcode: 5},
	"unsigned":  {Unsigned: true},
	"none":      {},
}

// serveDNS starts a resolver that knows the zone lines of a file, and is the
// authority for them, and puts its address into RESOLVER. It lives as long as
// the script. Anybody who has the key in tsig.key may update its zones.
func serveDNS(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: dns FILE")
	}
	s, err := dnsserver.Start(records(ts, args[0]))
	ts.Check(err)
	ts.Defer(func() { s.Close() })
	s.AllowUpdates(realtest.TSIGName, realtest.TSIGSecret)
	ts.Setenv("RESOLVER", s.Addr)
	servers.Store(s.Addr, s)
}

// changeDNS replaces the zone lines of the resolver.
func changeDNS(ts *testscript.TestScript, neg bool, args []string) {
	s, running := servers.Load(ts.Getenv("RESOLVER"))
	if neg || len(args) != 1 || !running {
		ts.Fatalf("usage: zone FILE, when there is a DNS server")
	}
	ts.Check(s.(*dnsserver.Server).SetRecords(records(ts, args[0])))
}

// records are the lines of a zone file.
func records(ts *testscript.TestScript, file string) []string {
	var records []string
	for line := range strings.Lines(ts.ReadFile(file)) {
		if line = strings.TrimSpace(line); line != "" {
			records = append(records, line)
		}
	}
	return records
}

// faultDNS makes the resolver misbehave for a name and a type.
func faultDNS(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: fault FAULT NAME TYPE")
	}
	fault, ok := dnsFaults[args[0]]
	s, running := servers.Load(ts.Getenv("RESOLVER"))
	if !ok || !running {
		ts.Fatalf("no fault is called %s, or there is no DNS server", args[0])
	}
	ts.Check(s.(*dnsserver.Server).Fault(args[1], args[2], fault))
}

// serveWeb serves a folder over TLS with the certificate NAME.pem and puts its
// address into WEB.
func serveWeb(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: web DIR NAME")
	}
	ts.Check(mime.AddExtensionType(".jws", delegation.JWS.MediaType()))
	ts.Check(mime.AddExtensionType(".p7c", delegation.AC.MediaType()))
	cert, err := tls.LoadX509KeyPair(ts.MkAbs(args[1]+".pem"), ts.MkAbs(args[1]+".key"))
	ts.Check(err)
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12})
	ts.Check(err)
	s := &http.Server{
		Handler:           http.FileServer(http.Dir(ts.MkAbs(args[0]))),
		ReadHeaderTimeout: 5 * time.Second,
		ErrorLog:          log.New(io.Discard, "", 0),
	}
	go s.Serve(l) // ends when the script does
	ts.Defer(func() { s.Close() })
	ts.Setenv("WEB", l.Addr().String())
}

// serveXMPP starts a server that begins TLS as XMPP servers do, with the
// certificate NAME.pem, and puts its address into a variable.
func serveXMPP(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: xmpp VAR NAME [FAULT]")
	}
	fault := peerserver.None
	if len(args) == 3 {
		if fault = peerserver.Fault(args[2]); !slices.Contains(peerserver.Faults(), fault) {
			ts.Fatalf("no fault is called %s", fault)
		}
	}
	cert, err := tls.LoadX509KeyPair(ts.MkAbs(args[1]+".pem"), ts.MkAbs(args[1]+".key"))
	ts.Check(err)
	s, err := peerserver.StartXMPP(&tls.Config{
		Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12, NextProtos: []string{"xmpp-server", "xmpp-client"},
	}, fault)
	ts.Check(err)
	ts.Defer(s.Close)
	ts.Setenv(args[0], s.Addr)
}

// servePlain starts a server of a service that begins in clear text, with the
// certificate NAME.pem, and puts its address into a variable.
func servePlain(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: plain VAR NAME SERVICE")
	}
	parts := peerserver.Dialogue("_" + args[2] + "._tcp")
	if parts == nil {
		ts.Fatalf("nobody knows what a server of %s says", args[2])
	}
	cert, err := tls.LoadX509KeyPair(ts.MkAbs(args[1]+".pem"), ts.MkAbs(args[1]+".key"))
	ts.Check(err)
	s, err := peerserver.Start(&tls.Config{Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12}, parts...)
	ts.Check(err)
	ts.Defer(s.Close)
	ts.Setenv(args[0], s.Addr)
}
