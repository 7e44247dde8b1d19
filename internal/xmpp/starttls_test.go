package xmpp

import (
	"context"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/dnasign/dnasign/delegation"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	open     = "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
	offer    = "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"
	proceed  = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
	asked    = "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
	deadline = time.Minute // more than any test needs
)

// play lets a peer say each of the parts, the next one when it was spoken to,
// and then keep silent or, with "EOF", hang up. It returns what it heard.
func play(t *testing.T, ctx context.Context, s Stream, parts ...string) (said string, err error) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	heard := make(chan string, 1)
	go func() {
		c, err := listener.Accept()
		if err != nil {
			heard <- ""
			return
		}
		defer c.Close()
		var all strings.Builder
		buffer := make([]byte, 4096)
		for _, part := range parts {
			if part == "EOF" {
				heard <- all.String()
				return
			}
			n, _ := c.Read(buffer)
			all.Write(buffer[:n])
			_, _ = io.WriteString(c, part) // the client may have had enough
		}
		_, _ = io.Copy(&all, c)
		heard <- all.String()
	}()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	err = StartTLS(ctx, conn, s)
	conn.Close()
	return <-heard, err
}

var between = Stream{Namespace: NamespaceServer, To: "b.example", From: "a.example"}

// TestStartTLS: what the peer says leads to TLS, or to a reason.
func TestStartTLS(t *testing.T) {
	for _, c := range []struct {
		name   string
		parts  []string
		reason delegation.Reason // "": TLS begins
		detail string
	}{
		{name: "as it should be", parts: []string{open + offer, proceed}},
		{name: "white space between", parts: []string{"\n" + open + "\n " + offer + "\n", " " + proceed}},
		{name: "white space before the declaration", parts: []string{" " + open + offer, proceed}},
		{name: "no declaration", parts: []string{strings.TrimPrefix(open, "<?xml version='1.0'?>") + offer, proceed}},
		{name: "proceed with an end tag", parts: []string{open + offer, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'></proceed>"}},
		{name: "other features besides", parts: []string{open + strings.Replace(offer, "<starttls", "<bidi xmlns='urn:xmpp:features:bidi'/><starttls", 1), proceed}},

		{name: "not offered", parts: []string{open + "<stream:features/>"}, reason: delegation.STARTTLSMissing},
		{name: "offered in another name space", parts: []string{open + "<stream:features><starttls/></stream:features>"}, reason: delegation.STARTTLSMissing},
		{name: "offered inside another feature", parts: []string{open + strings.ReplaceAll(strings.ReplaceAll(offer, "<starttls", "<x><starttls"), "</starttls>", "</starttls></x>")}, reason: delegation.STARTTLSMissing},
		{name: "refused", parts: []string{open + offer, "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"}, reason: delegation.STARTTLSFailed, detail: "refused it"},
		{name: "answered with something else", parts: []string{open + offer, "<iq/>"}, reason: delegation.STARTTLSFailed, detail: "with <iq>"},
		{name: "proceed in another name space", parts: []string{open + offer, "<proceed/>"}, reason: delegation.STARTTLSFailed, detail: "with <proceed>"},
		{name: "proceed with an element", parts: []string{open + offer, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'><x/></proceed>"}, reason: delegation.STARTTLSFailed, detail: "holds an element"},
		{name: "stream error for features", parts: []string{open + "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text>go away</text></stream:error>"},
			reason: delegation.STARTTLSFailed, detail: `host-unknown ("go away")`},
		{name: "stream error for an answer", parts: []string{open + offer, "<stream:error><policy-violation/></stream:error>"}, reason: delegation.STARTTLSFailed, detail: "policy-violation"},
		{name: "stream error that is cut", parts: []string{open + "<stream:error><system-shutdown/>", "EOF"}, reason: delegation.STARTTLSFailed, detail: "system-shutdown"},
		{name: "the stream ends", parts: []string{open + "</stream:stream>"}, reason: delegation.STARTTLSFailed, detail: "ends the stream"},
		{name: "no features", parts: []string{open + "<iq/>"}, reason: delegation.STARTTLSFailed, detail: "<iq>"},
		{name: "text for features", parts: []string{open + "hello<x/>"}, reason: delegation.STARTTLSFailed, detail: `"hello"`},
		{name: "another document", parts: []string{"<html/>"}, reason: delegation.STARTTLSFailed, detail: "<html>"},
		{name: "a stream in no name space", parts: []string{"<stream/>"}, reason: delegation.STARTTLSFailed, detail: "<stream>"},
		{name: "a mail server", parts: []string{"220 mail.example ESMTP\r\n"}, reason: delegation.STARTTLSFailed, detail: "begins with '2'"},
		{name: "TLS at once", parts: []string{"\x15\x03\x01\x00\x02\x02\x0a"}, reason: delegation.STARTTLSFailed, detail: `begins with '\x15'`},
		{name: "broken XML", parts: []string{open + "<stream:features><a></b>"}, reason: delegation.STARTTLSFailed, detail: "not XML"},
		{name: "invalid UTF-8", parts: []string{open + "<a b='\xff'/>"}, reason: delegation.STARTTLSFailed, detail: "not XML"},
		{name: "another character set", parts: []string{"<?xml version='1.0' encoding='UTF-16'?><a/>"}, reason: delegation.STARTTLSFailed, detail: "encoding"},
		{name: "an entity", parts: []string{open + "<a b='&x;'/>"}, reason: delegation.STARTTLSFailed, detail: "not XML"},
		{name: "a document type", parts: []string{"<!DOCTYPE x [<!ENTITY a 'b'>]>" + open}, reason: delegation.STARTTLSFailed, detail: "document type"},
		{name: "a comment", parts: []string{open + "<!-- x -->" + offer}, reason: delegation.STARTTLSFailed, detail: "comment"},
		{name: "a processing instruction", parts: []string{open + "<?php x?>" + offer}, reason: delegation.STARTTLSFailed, detail: "processing instruction"},
		{name: "a second declaration", parts: []string{open + "<?xml version='1.0'?>" + offer}, reason: delegation.STARTTLSFailed, detail: "processing instruction"},
		{name: "too deep", parts: []string{open + "<stream:features>" + strings.Repeat("<a>", maxDepth)}, reason: delegation.STARTTLSFailed, detail: "inside each other"},
		{name: "too large", parts: []string{open + "<stream:features>" + strings.Repeat("<a/>", maxStream/4)}, reason: delegation.STARTTLSFailed, detail: "65536 octets"},
		{name: "a name too large", parts: []string{open + "<" + strings.Repeat("a", maxStream)}, reason: delegation.STARTTLSFailed, detail: "65536 octets"},

		{name: "hangs up", parts: []string{"EOF"}, reason: delegation.ConnectFailed, detail: "stream header"},
		{name: "hangs up after the stream header", parts: []string{open, "EOF"}, reason: delegation.ConnectFailed, detail: "offer of STARTTLS"},
		{name: "hangs up after the features", parts: []string{open + offer, "EOF"}, reason: delegation.ConnectFailed, detail: "answer to STARTTLS"},

		// What comes with <proceed/> must not be taken for what TLS protects.
		{name: "plain text with proceed", parts: []string{open + offer, proceed + "<iq/>"}, reason: delegation.STARTTLSInjection, detail: "5 octets"},
		{name: "white space with proceed", parts: []string{open + offer, proceed + "\n"}, reason: delegation.STARTTLSInjection, detail: "1 octets"},
		{name: "proceed before it was asked for", parts: []string{open + offer + proceed + "<iq/>"}, reason: delegation.STARTTLSInjection, detail: "5 octets"},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), deadline)
			defer cancel()
			heard, err := play(t, ctx, between, c.parts...)
			if got := delegation.ReasonOf(err); got != c.reason || c.reason == "" && err != nil {
				t.Fatalf("got %v, want reason %q", err, c.reason)
			}
			if err != nil && !strings.Contains(err.Error(), c.detail) {
				t.Errorf("%v does not contain %q", err, c.detail)
			}
			if err == nil && !strings.HasSuffix(heard, "to='b.example' version='1.0'>"+asked) {
				t.Errorf("the peer heard %q", heard)
			}
		})
	}
}

// TestHeader: what opens a stream names both sides, escaped, and the kind.
func TestHeader(t *testing.T) {
	for _, c := range []struct {
		s    Stream
		want string
	}{
		{between, "xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' from='a.example' to='b.example' version='1.0'>"},
		{Stream{Namespace: NamespaceClient, To: "b.example"}, "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='b.example' version='1.0'>"},
		{Stream{Namespace: NamespaceServer, To: "b'><x a='"}, "to='b&#39;&gt;&lt;x a=&#39;'"},
	} {
		if got := c.s.header(); !strings.Contains(got, c.want) {
			t.Errorf("got %s, want in it %s", got, c.want)
		}
	}
	for _, s := range []Stream{{}, {Namespace: NamespaceServer}, {To: "b.example"}, {Namespace: "jabber:component:accept", To: "b.example"}} {
		if err := StartTLS(t.Context(), nil, s); delegation.ReasonOf(err) != delegation.MissingInput {
			t.Errorf("%+v: got %v, want %s", s, err, delegation.MissingInput)
		}
	}
}

// TestStalls: a peer that keeps silent costs no more than the time given,
// wherever it stops.
func TestStalls(t *testing.T) {
	for i, parts := range [][]string{{}, {open}, {open + "<stream:features>"}, {open + offer}, {open + offer, "<proceed"}} {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			defer cancel()
			start := time.Now()
			_, err := play(t, ctx, between, parts...)
			if got := delegation.ReasonOf(err); got != delegation.ConnectTimeout {
				t.Errorf("got %v, want %s", err, delegation.ConnectTimeout)
			}
			if took := time.Since(start); took > deadline {
				t.Errorf("took %v", took)
			}
		})
	}
}
