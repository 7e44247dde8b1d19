package verifier

import (
	"crypto/tls"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/testkit/peerserver"
)

// TestMethods: the peer counts by each of the methods, and by none.
func TestMethods(t *testing.T) {
	t.Run("pkix", func(t *testing.T) {
		w := newDialing(t)
		w.serve(host, 5269, peerserver.None, source)
		w.add(srv(service, 0, 0, 5269, host))
		conn := w.accepted(to(host, 5269), association.PKIX, 1)
		if got := conn.ConnectionState().ServerName; got != source || conn.To.ServerName != source {
			t.Errorf("server name %s, want %s", got, source)
		}
	})
	t.Run("delegation", func(t *testing.T) {
		w := newDialing(t)
		s := w.serve(host, 5269, peerserver.None, host)
		w.delegated()
		conn := w.accepted(to(host, 5269), association.Delegation, 1)
		if got := conn.ConnectionState().ServerName; got != host {
			t.Errorf("server name %s, want %s", got, host)
		}
		if until := conn.Until; time.Until(until) > time.Hour || time.Until(until) < 50*time.Minute {
			t.Errorf("until %s, want the end of the statement", until)
		}
		if a := conn.Attempts[0]; !a.STARTTLS || a.Address != s.Addr || a.State.Version < tls.VersionTLS12 || a.Err != nil || a.Conn() != conn.Conn {
			t.Errorf("the attempt is %+v", a)
		}
		if headers := s.Heard(); len(headers) != 1 || !strings.Contains(headers[0], "from='a.example' to='b.example'") {
			t.Errorf("the peer heard %q", headers)
		}
		if _, err := conn.Decision.Association.Statement(); err != nil || !conn.Decision.Association.Required() {
			t.Error("the proof is not with the connection")
		}
	})
	t.Run("dnssec", func(t *testing.T) {
		w := newDialing(t)
		w.serve(host, 5269, peerserver.None, host)
		w.add(srv(service, 0, 0, 5269, host))
		w.dialer.Client.Validating = true
		w.fault("", "SRV", dnsserver.Fault{Authentic: true})
		conn := w.accepted(to(host, 5269), association.DNSSEC, 1)
		if until := conn.Until; time.Until(until) > limits.MinRefresh {
			t.Errorf("until %s, want 5 minutes, since the TTL is less", until)
		}
	})
	t.Run("a forged AD flag", func(t *testing.T) {
		w := newDialing(t)
		w.serve(evil, 5269, peerserver.None, evil)
		w.add(srv(service, 0, 0, 5269, evil))
		w.fault("", "", dnsserver.Fault{Authentic: true})
		w.refused(reasons.PeerNameMismatch, reasons.PeerNameMismatch)
	})
	t.Run("the statement first", func(t *testing.T) {
		w := newDialing(t)
		w.serve(host, 5269, peerserver.None, host)
		w.add(srv(service, 0, 0, 5269, evil))
		w.delegate(service, time.Hour, to(host, 5269))
		w.dialer.StatementFirst = true
		w.accepted(to(host, 5269), association.Delegation, 1)
		w.fault("", "SRV", dnsserver.Fault{Rcode: 2})
		w.accepted(to(host, 5269), association.Delegation, 1)
	})
	t.Run("nothing counts", func(t *testing.T) {
		w := newDialing(t)
		w.serve(host, 5269, peerserver.None, host)
		w.add(srv(service, 0, 0, 5269, host))
		e := w.refused(reasons.PeerNameMismatch, reasons.PeerNameMismatch)
		if e.Attempts[0].State == nil || e.Required {
			t.Errorf("attempt %+v, required %t", e.Attempts[0], e.Required)
		}
	})
}

// TestStart: TLS begins as the statement says, if one is used. Without one, or
// with secure records, TLS begins as the label of the SRV record says. What
// begins otherwise, the server does not understand.
func TestStart(t *testing.T) {
	const (
		pkix   = association.PKIX
		dnssec = association.DNSSEC
		signed = association.Delegation
	)
	negotiated, directly := delegation.TLSMode(""), delegation.Direct
	for _, c := range []struct {
		name      string
		label     string              // of the SRV record; "": there is none
		statement *delegation.TLSMode // nil: there is none
		secure    bool
		direct    bool
		method    association.Method
	}{
		{"first label", service, nil, false, false, pkix},
		{"second label", direct, nil, false, true, pkix},
		{"statement, no SRV", "", &negotiated, false, false, signed},
		{"statement for direct TLS, no SRV", "", &directly, false, true, signed},
		{"first label, statement", service, &negotiated, false, false, signed},
		{"first label, statement for direct TLS", service, &directly, false, true, signed},
		{"second label, statement", direct, &negotiated, false, false, signed},
		{"second label, statement for direct TLS", direct, &directly, false, true, signed},
		{"secure first label, statement for direct TLS", service, &directly, true, false, dnssec},
		{"secure second label, statement", direct, &negotiated, true, true, dnssec},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newDialing(t)
			name, fault := host, peerserver.None
			if c.method == pkix {
				name = source
			}
			tls := config(w.Of(name))
			tls.NextProtos = []string{"xmpp-server"} // after STARTTLS nobody asks for it
			if c.direct {
				fault = peerserver.Direct
			}
			s := w.serveWith(host, 5269, fault, tls)
			if c.label != "" {
				w.add(srv(c.label, 0, 0, 5269, host))
			}
			if c.statement != nil {
				w.delegateTo(service, time.Hour, delegation.Target{Endpoint: to(host, 5269), TLS: *c.statement})
			}
			if c.secure {
				w.dialer.Client.Validating = true
				w.fault("", "SRV", dnsserver.Fault{Authentic: true})
			}
			conn := w.accepted(to(host, 5269), c.method, 1)
			protocol, headers := conn.ConnectionState().NegotiatedProtocol, len(s.Heard())
			if conn.Attempts[0].STARTTLS == c.direct || (protocol == "xmpp-server") != c.direct || (headers == 0) != c.direct {
				t.Errorf("STARTTLS %t, protocol %q, %d stream headers", conn.Attempts[0].STARTTLS, protocol, headers)
			}
		})
	}
}

// TestNoStart: where it is not known how TLS begins, nothing is connected to.
func TestNoStart(t *testing.T) {
	const (
		sips = "_sips._tcp"
		turn = "_turns._udp"
	)
	negotiated := delegation.Target{Endpoint: to(host, 5061)}
	directly := delegation.Target{Endpoint: to(host, 5061), TLS: delegation.Direct}
	for _, c := range []struct {
		name, service string
		srv           bool
		targets       []delegation.Target
		want          reasons.Reason
	}{
		{"outside the table, signed for direct TLS", sips, false, []delegation.Target{directly}, reasons.Verified},
		{"outside the table, signed for direct TLS, in SRV", sips, true, []delegation.Target{directly}, reasons.Verified},
		{"outside the table, signed", sips, false, []delegation.Target{negotiated}, reasons.NoTLSStart},
		{"outside the table, SRV only", sips, true, nil, reasons.NoTLSStart},
		{"over UDP, signed for direct TLS", turn, false, []delegation.Target{directly}, reasons.NoTLSStart},
		{"over UDP, SRV only", turn, true, nil, reasons.NoTLSStart},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newDialing(t)
			w.service = c.service
			s := w.serveWith(host, 5061, peerserver.Direct, config(w.Issue(-day, day, host, source)))
			if c.srv {
				w.add(srv(c.service, 0, 0, 5061, host))
			}
			if c.targets != nil {
				w.delegateTo(c.service, time.Hour, c.targets...)
			}
			if c.want != reasons.Verified {
				if e := w.refused(c.want, c.want); e.Attempts[0].Address != "" || len(s.States()) > 0 {
					t.Errorf("connected to %s", e.Attempts[0].Address)
				}
				return
			}
			conn, err := w.dial()
			must(t, err)
			if protocol := conn.ConnectionState().NegotiatedProtocol; conn.Attempts[0].STARTTLS || protocol != "" {
				t.Errorf("STARTTLS %t, protocol %q", conn.Attempts[0].STARTTLS, protocol)
			}
		})
	}
	t.Run("the next target is tried", func(t *testing.T) {
		w := newDialing(t)
		w.service = sips
		w.serveWith(other, 5061, peerserver.Direct, config(w.Of(other)))
		w.delegateTo(sips, time.Hour, negotiated, delegation.Target{Endpoint: to(other, 5061), Priority: 1, TLS: delegation.Direct})
		conn := w.accepted(to(other, 5061), association.Delegation, 2)
		if got := delegation.ReasonOf(conn.Attempts[0].Err); got != reasons.NoTLSStart {
			t.Errorf("the first target failed by %s", got)
		}
	})
}

// TestTargets: what is wrong with some targets, or with all.
func TestTargets(t *testing.T) {
	for _, c := range []struct {
		name  string
		first func(w *dialing)
		want  reasons.Reason // of the first target; the next one is tried
	}{
		{"down", func(w *dialing) { w.reach(host, 5269, "127.0.0.1:9") }, reasons.ConnectFailed},
		{"refused", func(w *dialing) { w.serve(host, 5269, peerserver.None, other) }, reasons.PeerNameMismatch},
		{"silent", func(w *dialing) {
			w.serve(host, 5269, peerserver.Silent, host)
			w.dialer.TargetTimeout = 5 * time.Second // the second one has to manage
		}, reasons.ConnectTimeout},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newDialing(t)
			c.first(w)
			w.serve(other, 5269, peerserver.None, other)
			w.add(srv(service, 0, 0, 5269, host), srv(service, 1, 0, 5269, other))
			w.delegate(service, time.Hour, to(host, 5269), to(other, 5269))
			conn := w.accepted(to(other, 5269), association.Delegation, 2)
			if got := delegation.ReasonOf(conn.Attempts[0].Err); got != c.want {
				t.Errorf("the first target failed by %s, want %s", got, c.want)
			}
		})
	}
	t.Run("all down", func(t *testing.T) {
		w := newDialing(t)
		w.reach(host, 5269, "127.0.0.1:9")
		w.reach(other, 5269, "127.0.0.1:9")
		w.add(srv(service, 0, 0, 5269, host), srv(service, 1, 0, 5269, other))
		e := w.refused(reasons.ConnectFailed, reasons.ConnectFailed, reasons.ConnectFailed)
		if !strings.Contains(e.Error(), host+":5269: ") || !strings.Contains(e.Error(), other+":5269: ") {
			t.Errorf("%v does not name both targets", e)
		}
	})
	t.Run("one down, one refused", func(t *testing.T) {
		w := newDialing(t)
		w.reach(host, 5269, "127.0.0.1:9")
		w.serve(other, 5269, peerserver.Strip)
		w.add(srv(service, 0, 0, 5269, host), srv(service, 1, 0, 5269, other))
		w.refused(reasons.STARTTLSMissing, reasons.ConnectFailed, reasons.STARTTLSMissing)
	})
	t.Run("only some are delegated", func(t *testing.T) {
		w := newDialing(t)
		s := w.serve(evil, 5269, peerserver.None, evil)
		w.serve(host, 5269, peerserver.None, host)
		w.add(srv(service, 0, 0, 5269, evil), srv(service, 1, 0, 5269, host))
		w.delegate(service, time.Hour, to(host, 5269))
		w.accepted(to(host, 5269), association.Delegation, 1)
		if len(s.Heard()) > 0 {
			t.Error("the other one was connected to")
		}
	})
	t.Run("certificate for another target", func(t *testing.T) {
		w := newDialing(t)
		w.serve(host, 5269, peerserver.None, other)
		w.add(srv(service, 0, 0, 5269, host))
		w.delegate(service, time.Hour, to(host, 5269), to(other, 5269))
		w.refused(reasons.PeerNameMismatch, reasons.PeerNameMismatch)
	})
	t.Run("certificate of another authority", func(t *testing.T) {
		w, stranger := newDialing(t), newDialing(t)
		w.serveWith(host, 5269, peerserver.None, config(stranger.Of(host)))
		w.delegated()
		w.refused(reasons.PeerUntrusted, reasons.PeerUntrusted)
	})
	for _, c := range []struct {
		name, at string
		ends     time.Duration
		want     reasons.Reason
	}{
		{"statement expired", host, -time.Minute, reasons.Expired},
		{"statement for another host", evil, time.Hour, reasons.TargetMismatch},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newDialing(t)
			w.serve(c.at, 5269, peerserver.None, c.at)
			w.add(srv(service, 0, 0, 5269, c.at))
			w.delegate(service, c.ends, to(host, 5269))
			e := w.refused(reasons.PeerNameMismatch, reasons.PeerNameMismatch)
			if got := e.Decision.Association.Proofs()[2].Reason; got != c.want {
				t.Errorf("the delegation failed by %s, want %s", got, c.want)
			}
		})
	}
	t.Run("statement that ends before the handshake", func(t *testing.T) {
		w := newDialing(t)
		var ahead atomic.Int64
		w.dialer.extra = func() time.Duration { return time.Duration(ahead.Load()) }
		c := config(w.Of(host))
		c.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
			ahead.Store(int64(2 * time.Hour))
			return nil, nil
		}
		w.serveWith(host, 5269, peerserver.None, c)
		w.delegated()
		w.refused(reasons.ProofExpired, reasons.ProofExpired)
	})
	t.Run("not available", func(t *testing.T) {
		w := newDialing(t)
		w.add("_xmpp-server._tcp.b.example. 60 IN SRV 0 0 0 .")
		w.refused(reasons.ServiceNotAvailable)
	})
	t.Run("bogus address", func(t *testing.T) {
		w := newDialing(t)
		w.add(srv(service, 0, 0, 5269, host), host+". IN A 127.0.0.1")
		w.dialer.Client.Validating = true
		w.fault(host, "A", dnsserver.Fault{Bogus: true})
		w.refused(reasons.DNSBogus, reasons.DNSBogus)
	})
	t.Run("private address", func(t *testing.T) {
		w := newDialing(t)
		s := w.serve(host, 5269, peerserver.None, source)
		w.add(srv(service, 0, 0, 5269, host))
		w.dialer.Client.AllowPrivateAddresses = false
		w.refused(reasons.AddressNotAllowed, reasons.AddressNotAllowed)
		if len(s.Heard()) > 0 {
			t.Error("it was connected to")
		}
	})
}

// TestLookups: DNS that fails, forges, is slow or answers out of order.
func TestLookups(t *testing.T) {
	txt := delegation.TXTName(source, service)
	ready := func(t *testing.T) *dialing {
		w := newDialing(t)
		w.serve(host, 5269, peerserver.None, host)
		w.delegated()
		return w
	}
	for _, c := range []struct {
		name, rtype string
		fault       dnsserver.Fault
		want        reasons.Reason // "": it is accepted
	}{
		{"SRV bogus", "SRV", dnsserver.Fault{Bogus: true}, reasons.DNSBogus},
		{"SRV fails", "SRV", dnsserver.Fault{Rcode: 2}, reasons.DNSFailure},
		{"SRV slow", "SRV", dnsserver.Fault{Delay: 200 * time.Millisecond}, ""},
		{"TXT slow", "TXT", dnsserver.Fault{Delay: 200 * time.Millisecond}, ""},
		{"forged replies come first", "", dnsserver.Fault{WrongID: true, WrongQuestion: true, Garbage: true}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := ready(t)
			w.dialer.Client.Validating = c.fault.Bogus
			w.fault("", c.rtype, c.fault)
			if c.want != "" {
				w.refused(c.want)
			} else {
				w.accepted(to(host, 5269), association.Delegation, 1)
			}
		})
	}
	t.Run("SRV of the second label slow", func(t *testing.T) {
		w := newDialing(t)
		w.serve(other, 5270, peerserver.Direct, other)
		w.add(srv(service, 1, 0, 5269, host), srv(direct, 0, 0, 5270, other))
		w.delegateTo(service, time.Hour, delegation.Target{Endpoint: to(host, 5269)}, delegation.Target{Endpoint: to(other, 5270), TLS: delegation.Direct})
		w.fault(direct+"."+source, "SRV", dnsserver.Fault{Delay: 200 * time.Millisecond})
		w.accepted(to(other, 5270), association.Delegation, 1)
	})
	t.Run("SRV of the second label fails", func(t *testing.T) {
		w := ready(t)
		w.fault(direct+"."+source, "SRV", dnsserver.Fault{Rcode: 2})
		conn := w.accepted(to(host, 5269), association.Delegation, 1)
		if at := conn.Decision.Association.RefreshAt(); time.Until(at) > limits.MinRefresh {
			t.Errorf("decided again at %s", at)
		}
	})
	t.Run("SRV of the first label fails", func(t *testing.T) {
		w := ready(t)
		w.add(srv(direct, 0, 0, 5269, host))
		w.fault(service+"."+source, "SRV", dnsserver.Fault{Rcode: 2})
		w.refused(reasons.DNSFailure)
	})
	t.Run("TXT silent, another certificate", func(t *testing.T) {
		w := ready(t)
		w.fault(txt, "TXT", dnsserver.Fault{Drop: true})
		e := w.refused(reasons.DNSTimeout, reasons.PeerNameMismatch)
		if e.Outcome != reasons.OutcomeUndetermined {
			t.Errorf("outcome %s", e.Outcome)
		}
	})
	t.Run("SRV fails, the statement comes first, another certificate", func(t *testing.T) {
		w := newDialing(t)
		w.serve(host, 5269, peerserver.None, "other.example")
		w.delegate(service, time.Hour, to(host, 5269))
		w.fault("", "SRV", dnsserver.Fault{Rcode: 2})
		w.dialer.StatementFirst = true
		e := w.refused(reasons.PeerNameMismatch, reasons.PeerNameMismatch)
		if e.Outcome != reasons.OutcomeRefused {
			t.Errorf("outcome %s", e.Outcome)
		}
	})
	t.Run("TXT fails, the certificate is the source's", func(t *testing.T) {
		w := newDialing(t)
		w.serve(host, 5269, peerserver.None, source)
		w.add(srv(service, 0, 0, 5269, host))
		w.fault(txt, "TXT", dnsserver.Fault{Rcode: 2})
		w.accepted(to(host, 5269), association.PKIX, 1)
	})
	t.Run("the time is over while DNS is silent", func(t *testing.T) {
		w := ready(t)
		w.fault("", "", dnsserver.Fault{Drop: true})
		w.dialer.Timeout = soon
		w.refused(reasons.Unanswered)
	})
}

// TestBeforeTLS: what a peer can do instead of STARTTLS and TLS. In no case
// does anything but the stream header and <starttls/> go out in plain text.
func TestBeforeTLS(t *testing.T) {
	for _, c := range []struct {
		fault peerserver.Fault
		want  reasons.Reason
	}{
		{peerserver.Strip, reasons.STARTTLSMissing},
		{peerserver.Refuse, reasons.STARTTLSFailed},
		{peerserver.Unknown, reasons.STARTTLSFailed},
		{peerserver.Garbage, reasons.STARTTLSFailed},
		{peerserver.Endless, reasons.STARTTLSFailed},
		{peerserver.Close, reasons.ConnectFailed},
		{peerserver.Silent, reasons.ConnectTimeout},
		{peerserver.Stall, reasons.ConnectTimeout},
		{peerserver.Hang, reasons.ConnectTimeout},
		{peerserver.Inject, reasons.STARTTLSInjection},
		{peerserver.InjectLater, reasons.STARTTLSInjection},
	} {
		t.Run(string(c.fault), func(t *testing.T) {
			w := newDialing(t)
			w.serve(host, 5269, c.fault, source)
			w.add(srv(service, 0, 0, 5269, host))
			if c.want == reasons.ConnectTimeout {
				w.dialer.TargetTimeout = soon
			}
			w.refused(c.want, c.want)
		})
	}
	t.Run("plain text at a port for TLS", func(t *testing.T) {
		w := newDialing(t)
		w.serve(host, 5270, peerserver.Garbage, source)
		w.add(srv("_xmpps-server._tcp", 0, 0, 5270, host))
		w.refused(reasons.TLSFailed, reasons.TLSFailed)
	})
	t.Run("TLS 1.1", func(t *testing.T) {
		w := newDialing(t)
		c := config(w.Of(source))
		c.MaxVersion = tls.VersionTLS11
		w.serveWith(host, 5269, peerserver.None, c)
		w.add(srv(service, 0, 0, 5269, host))
		w.refused(reasons.TLSFailed, reasons.TLSFailed)
	})
	t.Run("no certificate for the name", func(t *testing.T) {
		w := newDialing(t)
		c := config(w.Of(source))
		c.Certificates = nil
		c.GetCertificate = func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return nil, nil } // crypto/tls says unrecognized_name
		w.serveWith(host, 5269, peerserver.None, c)
		w.add(srv(service, 0, 0, 5269, host))
		err := w.refused(reasons.TLSFailed, reasons.TLSFailed)
		if want := "seems to have no certificate for " + source; !strings.Contains(err.Error(), want) {
			t.Errorf("%v, without %q", err, want)
		}
	})
	t.Run("another application protocol", func(t *testing.T) {
		w := newDialing(t)
		c := config(w.Of(source))
		c.NextProtos = []string{"h2"}
		w.serveWith(host, 5270, peerserver.Direct, c)
		w.add(srv("_xmpps-server._tcp", 0, 0, 5270, host))
		w.refused(reasons.TLSFailed, reasons.TLSFailed)
	})
}
