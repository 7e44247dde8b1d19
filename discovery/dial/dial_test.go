package dial

import (
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/internal/dnsserver"
	"github.com/dnasign/dnasign/internal/xmppserver"
)

// TestMethods: the peer counts by each of the methods, and by none.
func TestMethods(t *testing.T) {
	t.Run("pkix", func(t *testing.T) {
		w := newWorld(t)
		w.serve(host, 5269, xmppserver.None, source)
		w.add(srv(service, 0, 0, 5269, host))
		conn := w.accepted(to(host, 5269), association.PKIX, 1)
		if got := conn.ConnectionState().ServerName; got != source || conn.To.ServerName != source {
			t.Errorf("server name %s, want %s", got, source)
		}
	})
	t.Run("delegation", func(t *testing.T) {
		w := newWorld(t)
		s := w.serve(host, 5269, xmppserver.None, host)
		w.add(srv(service, 0, 0, 5269, host))
		w.delegate(service, time.Hour, to(host, 5269))
		conn := w.accepted(to(host, 5269), association.Delegation, 1)
		if got := conn.ConnectionState().ServerName; got != host {
			t.Errorf("server name %s, want %s", got, host)
		}
		if until := conn.Acceptance.Until; time.Until(until) > time.Hour || time.Until(until) < 50*time.Minute {
			t.Errorf("until %s, want the end of the statement", until)
		}
		if a := conn.Attempts[0]; !a.STARTTLS || a.Address != s.Addr || a.State.Version < tls.VersionTLS12 || a.Err != nil || a.Conn() != conn.Conn {
			t.Errorf("the attempt is %+v", a)
		}
		if headers := s.Headers(); len(headers) != 1 || !strings.Contains(headers[0], "from='a.example' to='b.example'") {
			t.Errorf("the peer heard %q", headers)
		}
		if conn.Decision.Association.Result() == nil || !conn.Decision.Association.Required() {
			t.Error("the proof is not with the connection")
		}
	})
	t.Run("dnssec", func(t *testing.T) {
		w := newWorld(t)
		w.serve(host, 5269, xmppserver.None, host)
		w.add(srv(service, 0, 0, 5269, host))
		w.dialer.Client.Validating = true
		w.fault("", "SRV", dnsserver.Fault{Authentic: true})
		conn := w.accepted(to(host, 5269), association.DNSSEC, 1)
		if until := conn.Acceptance.Until; time.Until(until) > delegation.MinRefresh {
			t.Errorf("until %s, want 5 minutes, since the TTL is less", until)
		}
	})
	t.Run("a forged AD flag", func(t *testing.T) {
		w := newWorld(t)
		w.serve(evil, 5269, xmppserver.None, evil)
		w.add(srv(service, 0, 0, 5269, evil))
		w.fault("", "", dnsserver.Fault{Authentic: true})
		w.refused(delegation.PeerNameMismatch, delegation.PeerNameMismatch)
	})
	t.Run("direct TLS", func(t *testing.T) {
		w := newWorld(t)
		c := config(w.issue(host))
		c.NextProtos = []string{"xmpp-server"}
		s := w.serveWith(host, 5270, xmppserver.Direct, c)
		w.add(srv("_xmpps-server._tcp", 0, 0, 5270, host))
		w.delegate(service, time.Hour, to(host, 5269))
		conn := w.accepted(to(host, 5270), association.Delegation, 1)
		if conn.Attempts[0].STARTTLS || conn.ConnectionState().NegotiatedProtocol != "xmpp-server" || len(s.Headers()) > 0 {
			t.Errorf("STARTTLS %t, protocol %q", conn.Attempts[0].STARTTLS, conn.ConnectionState().NegotiatedProtocol)
		}
	})
	t.Run("the statement first", func(t *testing.T) {
		w := newWorld(t)
		w.serve(host, 5269, xmppserver.None, host)
		w.add(srv(service, 0, 0, 5269, evil))
		w.delegate(service, time.Hour, to(host, 5269))
		w.dialer.StatementFirst = true
		w.accepted(to(host, 5269), association.Delegation, 1)
		w.fault("", "SRV", dnsserver.Fault{Rcode: 2})
		w.accepted(to(host, 5269), association.Delegation, 1)
	})
	t.Run("nothing counts", func(t *testing.T) {
		w := newWorld(t)
		w.serve(host, 5269, xmppserver.None, host)
		w.add(srv(service, 0, 0, 5269, host))
		e := w.refused(delegation.PeerNameMismatch, delegation.PeerNameMismatch)
		if e.Attempts[0].State == nil || e.Required {
			t.Errorf("attempt %+v, required %t", e.Attempts[0], e.Required)
		}
	})
}

// TestTargets: what is wrong with some targets, or with all.
func TestTargets(t *testing.T) {
	t.Run("down, the next is tried", func(t *testing.T) {
		w := newWorld(t)
		w.reach(host, 5269, "127.0.0.1:9")
		w.serve(other, 5269, xmppserver.None, other)
		w.add(srv(service, 0, 0, 5269, host), srv(service, 1, 0, 5269, other))
		w.delegate(service, time.Hour, to(host, 5269), to(other, 5269))
		conn := w.accepted(to(other, 5269), association.Delegation, 2)
		if got := delegation.ReasonOf(conn.Attempts[0].Err); got != delegation.ConnectFailed {
			t.Errorf("the first target failed by %s", got)
		}
	})
	t.Run("silent, the next is tried", func(t *testing.T) {
		w := newWorld(t)
		w.serve(host, 5269, xmppserver.Silent, host)
		w.serve(other, 5269, xmppserver.None, other)
		w.add(srv(service, 0, 0, 5269, host), srv(service, 1, 0, 5269, other))
		w.delegate(service, time.Hour, to(host, 5269), to(other, 5269))
		w.dialer.TargetTimeout = 2 * time.Second // the second one has to manage
		w.accepted(to(other, 5269), association.Delegation, 2)
	})
	t.Run("refused, the next is tried", func(t *testing.T) {
		w := newWorld(t)
		w.serve(host, 5269, xmppserver.None, other)
		w.serve(other, 5269, xmppserver.None, other)
		w.add(srv(service, 0, 0, 5269, host), srv(service, 1, 0, 5269, other))
		w.delegate(service, time.Hour, to(host, 5269), to(other, 5269))
		w.accepted(to(other, 5269), association.Delegation, 2)
	})
	t.Run("all down", func(t *testing.T) {
		w := newWorld(t)
		w.reach(host, 5269, "127.0.0.1:9")
		w.reach(other, 5269, "127.0.0.1:9")
		w.add(srv(service, 0, 0, 5269, host), srv(service, 1, 0, 5269, other))
		e := w.refused(delegation.ConnectFailed, delegation.ConnectFailed, delegation.ConnectFailed)
		if !strings.Contains(e.Error(), host+":5269: ") || !strings.Contains(e.Error(), other+":5269: ") {
			t.Errorf("%v does not name both targets", e)
		}
	})
	t.Run("one down, one refused", func(t *testing.T) {
		w := newWorld(t)
		w.reach(host, 5269, "127.0.0.1:9")
		w.serve(other, 5269, xmppserver.Strip)
		w.add(srv(service, 0, 0, 5269, host), srv(service, 1, 0, 5269, other))
		w.refused(delegation.STARTTLSMissing, delegation.ConnectFailed, delegation.STARTTLSMissing)
	})
	t.Run("only some are delegated", func(t *testing.T) {
		w := newWorld(t)
		s := w.serve(evil, 5269, xmppserver.None, evil)
		w.serve(host, 5269, xmppserver.None, host)
		w.add(srv(service, 0, 0, 5269, evil), srv(service, 1, 0, 5269, host))
		w.delegate(service, time.Hour, to(host, 5269))
		w.accepted(to(host, 5269), association.Delegation, 1)
		if len(s.Headers()) > 0 {
			t.Error("the other one was connected to")
		}
	})
	t.Run("certificate for another target", func(t *testing.T) {
		w := newWorld(t)
		w.serve(host, 5269, xmppserver.None, other)
		w.add(srv(service, 0, 0, 5269, host))
		w.delegate(service, time.Hour, to(host, 5269), to(other, 5269))
		w.refused(delegation.PeerNameMismatch, delegation.PeerNameMismatch)
	})
	t.Run("certificate of another authority", func(t *testing.T) {
		w, stranger := newWorld(t), newWorld(t)
		w.serveWith(host, 5269, xmppserver.None, config(stranger.issue(host)))
		w.add(srv(service, 0, 0, 5269, host))
		w.delegate(service, time.Hour, to(host, 5269))
		w.refused(delegation.PeerUntrusted, delegation.PeerUntrusted)
	})
	t.Run("statement expired", func(t *testing.T) {
		w := newWorld(t)
		w.serve(host, 5269, xmppserver.None, host)
		w.add(srv(service, 0, 0, 5269, host))
		w.delegate(service, -time.Minute, to(host, 5269))
		e := w.refused(delegation.PeerNameMismatch, delegation.PeerNameMismatch)
		if got := e.Decision.Association.Proofs()[2].Reason; got != delegation.Expired {
			t.Errorf("the delegation failed by %s, want %s", got, delegation.Expired)
		}
	})
	t.Run("statement that ends before the handshake", func(t *testing.T) {
		w := newWorld(t)
		w.extra = 2 * time.Hour
		w.serve(host, 5269, xmppserver.None, host)
		w.add(srv(service, 0, 0, 5269, host))
		w.delegate(service, time.Hour, to(host, 5269))
		w.refused(delegation.ProofExpired, delegation.ProofExpired)
	})
	t.Run("statement for another host", func(t *testing.T) {
		w := newWorld(t)
		w.serve(evil, 5269, xmppserver.None, evil)
		w.add(srv(service, 0, 0, 5269, evil))
		w.delegate(service, time.Hour, to(host, 5269))
		e := w.refused(delegation.PeerNameMismatch, delegation.PeerNameMismatch)
		if got := e.Decision.Association.Proofs()[2].Reason; got != delegation.TargetMismatch {
			t.Errorf("the delegation failed by %s, want %s", got, delegation.TargetMismatch)
		}
	})
	t.Run("not available", func(t *testing.T) {
		w := newWorld(t)
		w.add("_xmpp-server._tcp.b.example. 60 IN SRV 0 0 0 .")
		w.refused(delegation.ServiceNotAvailable)
	})
	t.Run("bogus address", func(t *testing.T) {
		w := newWorld(t)
		w.add(srv(service, 0, 0, 5269, host), host+". IN A 127.0.0.1")
		w.dialer.Client.Validating = true
		w.fault(host, "A", dnsserver.Fault{Bogus: true})
		w.refused(delegation.DNSBogus, delegation.DNSBogus)
	})
	t.Run("private address", func(t *testing.T) {
		w := newWorld(t)
		s := w.serve(host, 5269, xmppserver.None, source)
		w.add(srv(service, 0, 0, 5269, host))
		w.dialer.Client.AllowPrivateAddresses = false
		w.refused(delegation.AddressNotAllowed, delegation.AddressNotAllowed)
		if len(s.Headers()) > 0 {
			t.Error("it was connected to")
		}
	})
}

// TestLookups: DNS that fails, forges, is slow or answers out of order.
func TestLookups(t *testing.T) {
	txt := delegation.TXTName(source, service)
	ready := func(t *testing.T) *world {
		w := newWorld(t)
		w.serve(host, 5269, xmppserver.None, host)
		w.add(srv(service, 0, 0, 5269, host))
		w.delegate(service, time.Hour, to(host, 5269))
		return w
	}
	t.Run("SRV bogus", func(t *testing.T) {
		w := ready(t)
		w.dialer.Client.Validating = true
		w.fault("", "SRV", dnsserver.Fault{Bogus: true})
		w.refused(delegation.DNSBogus)
	})
	t.Run("SRV fails", func(t *testing.T) {
		w := ready(t)
		w.fault("", "SRV", dnsserver.Fault{Rcode: 2})
		w.refused(delegation.DNSFailure)
	})
	t.Run("SRV slow", func(t *testing.T) {
		w := ready(t)
		w.fault("", "SRV", dnsserver.Fault{Delay: 200 * time.Millisecond})
		w.accepted(to(host, 5269), association.Delegation, 1)
	})
	t.Run("TXT slow", func(t *testing.T) {
		w := ready(t)
		w.fault("", "TXT", dnsserver.Fault{Delay: 200 * time.Millisecond})
		w.accepted(to(host, 5269), association.Delegation, 1)
	})
	t.Run("TXT silent, another certificate", func(t *testing.T) {
		w := ready(t)
		w.fault(txt, "TXT", dnsserver.Fault{Drop: true})
		e := w.refused(delegation.DNSTimeout, delegation.PeerNameMismatch)
		if e.Outcome != delegation.OutcomeUndetermined {
			t.Errorf("outcome %s", e.Outcome)
		}
	})
	t.Run("SRV fails, the statement comes first, another certificate", func(t *testing.T) {
		w := newWorld(t)
		w.serve(host, 5269, xmppserver.None, "other.example")
		w.delegate(service, time.Hour, to(host, 5269))
		w.fault("", "SRV", dnsserver.Fault{Rcode: 2})
		w.dialer.StatementFirst = true
		e := w.refused(delegation.PeerNameMismatch, delegation.PeerNameMismatch)
		if e.Outcome != delegation.OutcomeRefused {
			t.Errorf("outcome %s", e.Outcome)
		}
	})
	t.Run("TXT fails, the certificate is the source's", func(t *testing.T) {
		w := newWorld(t)
		w.serve(host, 5269, xmppserver.None, source)
		w.add(srv(service, 0, 0, 5269, host))
		w.fault(txt, "TXT", dnsserver.Fault{Rcode: 2})
		w.accepted(to(host, 5269), association.PKIX, 1)
	})
	t.Run("the time is over while DNS is silent", func(t *testing.T) {
		w := ready(t)
		w.fault("", "", dnsserver.Fault{Drop: true})
		w.dialer.Timeout = soon
		w.refused(delegation.Unanswered)
	})
	t.Run("forged replies come first", func(t *testing.T) {
		w := ready(t)
		w.fault("", "", dnsserver.Fault{WrongID: true, WrongQuestion: true, Garbage: true})
		w.accepted(to(host, 5269), association.Delegation, 1)
	})
}

// TestBeforeTLS: what a peer can do instead of STARTTLS and TLS. In no case
// does anything but the stream header and <starttls/> go out in plain text.
func TestBeforeTLS(t *testing.T) {
	for _, c := range []struct {
		fault xmppserver.Fault
		want  delegation.Reason
	}{
		{xmppserver.Strip, delegation.STARTTLSMissing},
		{xmppserver.Refuse, delegation.STARTTLSFailed},
		{xmppserver.Unknown, delegation.STARTTLSFailed},
		{xmppserver.Garbage, delegation.STARTTLSFailed},
		{xmppserver.Endless, delegation.STARTTLSFailed},
		{xmppserver.Close, delegation.ConnectFailed},
		{xmppserver.Silent, delegation.ConnectTimeout},
		{xmppserver.Stall, delegation.ConnectTimeout},
		{xmppserver.Hang, delegation.ConnectTimeout},
		{xmppserver.Inject, delegation.STARTTLSInjection},
		{xmppserver.InjectLater, delegation.STARTTLSInjection},
	} {
		t.Run(string(c.fault), func(t *testing.T) {
			w := newWorld(t)
			w.serve(host, 5269, c.fault, source)
			w.add(srv(service, 0, 0, 5269, host))
			if c.want == delegation.ConnectTimeout {
				w.dialer.TargetTimeout = soon
			}
			w.refused(c.want, c.want)
		})
	}
	t.Run("plain text at a port for TLS", func(t *testing.T) {
		w := newWorld(t)
		w.serve(host, 5270, xmppserver.Garbage, source)
		w.add(srv("_xmpps-server._tcp", 0, 0, 5270, host))
		w.refused(delegation.TLSFailed, delegation.TLSFailed)
	})
	t.Run("TLS 1.1", func(t *testing.T) {
		w := newWorld(t)
		c := config(w.issue(source))
		c.MaxVersion = tls.VersionTLS11
		w.serveWith(host, 5269, xmppserver.None, c)
		w.add(srv(service, 0, 0, 5269, host))
		w.refused(delegation.TLSFailed, delegation.TLSFailed)
	})
	t.Run("another application protocol", func(t *testing.T) {
		w := newWorld(t)
		c := config(w.issue(source))
		c.NextProtos = []string{"h2"}
		w.serveWith(host, 5270, xmppserver.Direct, c)
		w.add(srv("_xmpps-server._tcp", 0, 0, 5270, host))
		w.refused(delegation.TLSFailed, delegation.TLSFailed)
	})
}
