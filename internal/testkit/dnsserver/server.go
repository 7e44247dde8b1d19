// Package dnsserver is a small DNS server on the loopback address, for the
// tests and for the demonstration. It serves the records it is given over UDP
// and TCP on one port, both as an authoritative server and as a recursive
// resolver. It can be told to misbehave for a name and a type.
//
//	zone lines, faults -> Start -> Server.Addr
//
// It has no zones: every name is its own, a name that nothing is at or below
// is NXDOMAIN. An SOA record among the records comes with what there is none of
// below it, and makes a zone that can be updated, see [Server.AllowUpdates]. It
// does not sign its answers; a [Fault] sets the flags and the codes that a
// validating resolver would. It does not do wildcards or zone transfer.
package dnsserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"

	"github.com/miekg/dns"
)

const (
	// bindTries: how often a port that is free for TCP is tried for UDP.
	bindTries = 20
	// maxLinks bounds the CNAME records in one answer, so that a loop ends.
	maxLinks = 16
	// negativeTTL is the TTL of "there is none", in seconds.
	negativeTTL = 60
	// plainUDP is the largest UDP reply without EDNS (RFC 1035, Section 2.3.4).
	plainUDP = 512
)

// A Query is one question that reached the server.
type Query struct {
	Name    string // as sent, with the trailing dot
	Type    string // such as TXT; UPDATE for an update
	Network string // udp or tcp
	// The flags as sent, and the UDP size of EDNS, 0 without EDNS.
	RD, AD, CD, DO bool
	UDPSize        uint16
}

// A Server serves until Close. Its methods are safe for use by several
// goroutines.
type Server struct {
	// Addr is the address and port it listens on, UDP and TCP.
	Addr string

	ctx     context.Context // ends with Close, and with it every delay
	cancel  context.CancelFunc
	servers []*dns.Server
	running sync.WaitGroup

	mu      sync.Mutex
	records map[key][]dns.RR
	names   map[string]int // the record sets at and below each name
	faults  map[key]*Fault
	queries []Query
	keys    map[string]string // of TSIG: name to secret in base64
}

// A key is a canonical name with a trailing dot and a type. In the fault table
// either may be empty (zero), which means any.
type key struct {
	name  string
	rtype uint16
}

// Start serves records, each a line of a zone file with a fully qualified
// owner name (a TTL is optional and 3600 by default), on a free port of
// 127.0.0.1.
func Start(records []string) (*Server, error) {
	s := &Server{faults: map[key]*Fault{}}
	if err := s.SetRecords(records); err != nil {
		return nil, err
	}
	listener, packets, err := listen()
	if err != nil {
		return nil, err
	}
	s.Addr = listener.Addr().String()
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.serve(&dns.Server{Listener: listener})
	s.serve(&dns.Server{PacketConn: packets, UDPSize: dns.DefaultMsgSize})
	return s, nil
}

// listen takes a port that is free for both protocols.
func listen() (net.Listener, net.PacketConn, error) {
	var errs []error
	for range bindTries {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, nil, err
		}
		packets, err := net.ListenPacket("udp", listener.Addr().String())
		if err == nil {
			return listener, packets, nil
		}
		errs = append(errs, err, listener.Close())
	}
	return nil, nil, fmt.Errorf("no port is free for both TCP and UDP: %w", errors.Join(errs...))
}

// serve returns when the server listens.
func (s *Server) serve(server *dns.Server) {
	started := make(chan struct{})
	server.NotifyStartedFunc = func() { close(started) }
	server.Handler = dns.HandlerFunc(s.handle)
	server.MsgAcceptFunc = acceptUpdates
	server.TsigProvider = tsig{s}
	s.servers = append(s.servers, server)
	s.running.Go(func() {
		// It ends with an error only if its socket fails, and then clients
		// see a server that does not answer.
		_ = server.ActivateAndServe()
	})
	<-started
}

// Close stops the server and returns when it has stopped.
func (s *Server) Close() error {
	s.cancel()
	var errs []error
	for _, server := range s.servers {
		errs = append(errs, server.Shutdown())
	}
	s.running.Wait()
	return errors.Join(errs...)
}

// SetRecords replaces all records. On an error, nothing changes.
func (s *Server) SetRecords(records []string) error {
	table := map[key][]dns.RR{}
	for _, line := range records {
		rr, err := dns.NewRR(line)
		if err != nil {
			return fmt.Errorf("record %.80q: %w", line, err)
		}
		if rr == nil {
			continue // an empty line, or a comment
		}
		k := key{dns.CanonicalName(rr.Header().Name), rr.Header().Rrtype}
		table[k] = append(table[k], rr)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records, s.names = map[key][]dns.RR{}, map[string]int{}
	for k, set := range table {
		s.put(k, set)
	}
	return nil
}

// put replaces a record set; an empty one is none.
func (s *Server) put(k key, set []dns.RR) {
	step := 0
	if had := len(s.records[k]) > 0; had && len(set) == 0 {
		step = -1
	} else if !had && len(set) > 0 {
		step = 1
	}
	if s.records[k] = set; len(set) == 0 {
		delete(s.records, k)
	}
	for name := k.name; step != 0 && name != "."; name = parent(name) {
		s.names[name] += step
	}
}

// Fault makes the server misbehave for questions about a name and a type, such
// as "TXT", or for updates of a zone, with the type "UPDATE". An empty name or
// type means any. A fault for a name and type goes before one for a name, and
// that before one for a type. The zero [Fault] is good order again. The error
// is about an unknown type.
func (s *Server) Fault(name, rtype string, f Fault) error {
	var k key
	if name != "" {
		k.name = dns.CanonicalName(name)
	}
	if rtype != "" {
		var known bool
		if k.rtype, known = dns.StringToType[rtype]; rtype == "UPDATE" {
			k.rtype = typeUpdate
		} else if !known {
			return fmt.Errorf("%q is not a type of DNS record", rtype)
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.faults[k] = &f
	return nil
}

// Queries returns every question so far, in the order of arrival.
func (s *Server) Queries() []Query {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.queries)
}

// note keeps the question and finds the fault that applies to it.
func (s *Server) note(req *dns.Msg, network string) Fault {
	q := req.Question[0]
	query := Query{Name: q.Name, Type: dns.TypeToString[q.Qtype], Network: network,
		RD: req.RecursionDesired, AD: req.AuthenticatedData, CD: req.CheckingDisabled}
	if opt := req.IsEdns0(); opt != nil {
		query.DO, query.UDPSize = opt.Do(), opt.UDPSize()
	}
	name := dns.CanonicalName(q.Name)
	if req.Opcode == dns.OpcodeUpdate {
		query.Type, q.Qtype = "UPDATE", typeUpdate
	}

	s.mu.Lock()
	defer s.mu.Unlock()
	s.queries = append(s.queries, query)
	for _, k := range []key{{name, q.Qtype}, {name, 0}, {"", q.Qtype}, {"", 0}} {
		f := s.faults[k]
		if f == nil {
			continue
		}
		fault := *f
		if f.Times > 0 {
			if f.Times--; f.Times == 0 {
				delete(s.faults, k)
			}
		}
		return fault
	}
	return Fault{}
}

// answer fills in what the records say of the question, CNAME records
// followed (RFC 1034, Section 4.3.2).
func (s *Server) answer(reply *dns.Msg, follow bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	q := reply.Question[0]
	name := dns.CanonicalName(q.Name)
	for range maxLinks {
		if found := s.records[key{name, q.Qtype}]; len(found) > 0 {
			reply.Answer = append(reply.Answer, found...)
			for _, rr := range s.records[key{name, dns.TypeRRSIG}] {
				if rr.(*dns.RRSIG).TypeCovered == q.Qtype {
					reply.Answer = append(reply.Answer, rr)
				}
			}
			return
		}
		alias := s.records[key{name, dns.TypeCNAME}]
		if len(alias) == 0 {
			break
		}
		reply.Answer = append(reply.Answer, alias...)
		if !follow {
			return
		}
		name = dns.CanonicalName(alias[0].(*dns.CNAME).Target)
	}
	if !s.exists(name) {
		reply.Rcode = dns.RcodeNameError
	}
	reply.Ns = []dns.RR{s.negative(name)}
}

// exists reports whether there is anything at or below a name (RFC 8020).
func (s *Server) exists(name string) bool { return s.names[name] > 0 }

// negative is the SOA record of an answer without records (RFC 2308): that of
// the zone, if there is one.
func (s *Server) negative(name string) dns.RR {
	for ; name != "."; name = parent(name) {
		if soa := s.records[key{name, dns.TypeSOA}]; len(soa) > 0 {
			return soa[0]
		}
	}
	return &dns.SOA{
		Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeSOA, Class: dns.ClassINET, Ttl: negativeTTL},
		Ns:  "ns.invalid.", Mbox: "hostmaster.invalid.", Serial: 1, Refresh: 3600, Retry: 600, Expire: 86400, Minttl: negativeTTL,
	}
}
