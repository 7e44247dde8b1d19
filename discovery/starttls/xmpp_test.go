package starttls

import (
	"strings"
	"testing"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/peerserver"
)

const (
	open    = "<?xml version='1.0'?><stream:stream xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' version='1.0'>"
	offer   = "<stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/></starttls></stream:features>"
	proceed = "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"
)

var xmppPeers = []peer{
	{"as it should be", []string{"", open + offer, proceed}, "", ""},
	{"white space between", []string{"", "\n" + open + "\n " + offer + "\n", " " + proceed}, "", ""},
	{"white space before the declaration", []string{"", " " + open + offer, proceed}, "", ""},
	{"no declaration", []string{"", strings.TrimPrefix(open, "<?xml version='1.0'?>") + offer, proceed}, "", ""},
	{"proceed with an end tag", []string{"", open + offer, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'></proceed>"}, "", ""},
	{"other features besides", []string{"", open + strings.Replace(offer, "<starttls", "<bidi xmlns='urn:xmpp:features:bidi'/><starttls", 1), proceed}, "", ""},

	{"not offered", []string{"", open + "<stream:features/>"}, reasons.STARTTLSMissing, ""},
	{"offered in another name space", []string{"", open + "<stream:features><starttls/></stream:features>"}, reasons.STARTTLSMissing, ""},
	{"offered inside another feature", []string{"", open + strings.ReplaceAll(strings.ReplaceAll(offer, "<starttls", "<x><starttls"), "</starttls>", "</starttls></x>")}, reasons.STARTTLSMissing, ""},
	{"refused", []string{"", open + offer, "<failure xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"}, reasons.STARTTLSFailed, "refused it"},
	{"answered with something else", []string{"", open + offer, "<iq/>"}, reasons.STARTTLSFailed, "with <iq>"},
	{"proceed in another name space", []string{"", open + offer, "<proceed/>"}, reasons.STARTTLSFailed, "with <proceed>"},
	{"proceed with an element", []string{"", open + offer, "<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'><x/></proceed>"}, reasons.STARTTLSFailed, "holds an element"},
	{"stream error for features", []string{"", open + "<stream:error><host-unknown xmlns='urn:ietf:params:xml:ns:xmpp-streams'/><text>go away</text></stream:error>", "", ""},
		reasons.STARTTLSFailed, `host-unknown ("go away")`},
	{"stream error for an answer", []string{"", open + offer, "<stream:error><policy-violation/></stream:error>"}, reasons.STARTTLSFailed, "policy-violation"},
	{"stream error that is cut", []string{"", open + "<stream:error><system-shutdown/>", peerserver.HangUp}, reasons.STARTTLSFailed, "system-shutdown"},
	{"the stream ends", []string{"", open + "</stream:stream>"}, reasons.STARTTLSFailed, "ends the stream"},
	{"no features", []string{"", open + "<iq/>"}, reasons.STARTTLSFailed, "<iq>"},
	{"text for features", []string{"", open + "hello<x/>"}, reasons.STARTTLSFailed, `"hello"`},
	{"another document", []string{"", "<html/>"}, reasons.STARTTLSFailed, "<html>"},
	{"a stream in no name space", []string{"", "<stream/>"}, reasons.STARTTLSFailed, "<stream>"},
	{"a mail server", []string{"", "220 mail.example ESMTP\r\n"}, reasons.STARTTLSFailed, "begins with '2'"},
	{"broken XML", []string{"", open + "<stream:features><a></b>"}, reasons.STARTTLSFailed, "not XML"},
	{"invalid UTF-8", []string{"", open + "<a b='\xff'/>"}, reasons.STARTTLSFailed, "not XML"},
	{"another character set", []string{"", "<?xml version='1.0' encoding='UTF-16'?><a/>"}, reasons.STARTTLSFailed, "encoding"},
	{"an entity", []string{"", open + "<a b='&x;'/>"}, reasons.STARTTLSFailed, "not XML"},
	{"a document type", []string{"", "<!DOCTYPE x [<!ENTITY a 'b'>]>" + open}, reasons.STARTTLSFailed, "document type"},
	{"a comment", []string{"", open + "<!-- x -->" + offer}, reasons.STARTTLSFailed, "comment"},
	{"a processing instruction", []string{"", open + "<?php x?>" + offer}, reasons.STARTTLSFailed, "processing instruction"},
	{"a second declaration", []string{"", open + "<?xml version='1.0'?>" + offer}, reasons.STARTTLSFailed, "processing instruction"},
	{"too deep", []string{"", open + "<stream:features>" + strings.Repeat("<a>", maxDepth)}, reasons.STARTTLSFailed, "inside each other"},
	{"too large", []string{"", open + "<stream:features>" + strings.Repeat("<a/>", maxOctets/4)}, reasons.STARTTLSFailed, "65536 octets"},
	{"a name too large", []string{"", open + "<" + strings.Repeat("a", maxOctets)}, reasons.STARTTLSFailed, "65536 octets"},
}

// TestHeader: what opens a stream names both sides, escaped, and the kind. A client
// does not say who it is.
func TestHeader(t *testing.T) {
	for _, c := range []struct {
		r    Request
		want string
	}{
		{Request{server, "b.example", "a.example"}, "xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' from='a.example' to='b.example' version='1.0'>"},
		{Request{client, "b.example", "a.example"}, "xmlns='jabber:client' xmlns:stream='http://etherx.jabber.org/streams' to='b.example' version='1.0'>"},
		{Request{server, "b'><x a='", ""}, "xmlns='jabber:server' xmlns:stream='http://etherx.jabber.org/streams' to='b&#39;&gt;&lt;x a=&#39;' version='1.0'>"},
	} {
		heard, _, err := play(t, c.r, "", open+offer, proceed)
		if want := "<?xml version='1.0'?><stream:stream " + c.want + "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>"; err != nil || heard != want {
			t.Errorf("%+v: the peer heard %s, want %s (%v)", c.r, heard, want, err)
		}
	}
	for _, role := range []string{server, client} {
		if err := Negotiate(t.Context(), nil, Request{Role: role}); delegation.ReasonOf(err) != reasons.MissingInput {
			t.Errorf("%s: got %v, want %s", role, err, reasons.MissingInput)
		}
	}
}
