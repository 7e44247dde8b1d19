package dnsserver

import (
	"net"
	"time"

	"github.com/miekg/dns"
)

// A Fault is what is peculiar about the replies to a question. Its parts can
// be combined; the zero Fault is a server in good order.
type Fault struct {
	Times int // how many questions it applies to; 0: all

	// Before the reply, or instead of it.
	Delay time.Duration // wait first
	Drop  bool          // never reply
	// Over UDP, a reply that an attacker could have sent comes first: with
	// another ID, to another question, or octets that are no DNS message.
	WrongID, WrongQuestion, Garbage bool
	Raw                             []byte // these octets instead of a reply, with the ID put in

	// What the reply says.
	Rcode       int            // this code and no records, such as 2 for SERVFAIL
	RcodeCD     *int           // this code instead if the question has the CD flag
	Error       *ExtendedError // sent if the question has EDNS
	More        []uint16       // codes of further extended errors
	Bogus       bool           // SERVFAIL, unless the question has the CD flag
	NoData      bool           // no error and no records
	NoSOA       bool           // leave the authority section empty
	Lame        bool           // no error, no records, not authoritative, no recursion
	Referral    bool           // the name servers of somebody else, and no records
	Authentic   bool           // set the AD flag
	NoFollow    bool           // do not follow CNAME records
	Truncated   bool           // set the TC flag, over TCP too
	Short       bool           // over TCP, half of the message
	HangUp      bool           // set the TC flag, and over TCP end the connection
	NoQuestion  bool           // leave the question section empty
	WrongCounts bool           // promise one more answer than there is
	NoOwner     bool           // the records belong to another name

	// Edit changes the bytes of a reply, and EditUDP those of one over UDP,
	// which then holds all records however many there are. They must not keep
	// the bytes.
	Edit, EditUDP func([]byte) []byte

	// Of updates.
	Unsigned bool // leave the signature off the reply
	Forged   bool // sign the reply with another secret
	Lost     bool // make the update and never reply
	Raced    bool // before it, somebody else adds a record to the first set that it names
}

// An ExtendedError is an extended DNS error (RFC 8914).
type ExtendedError struct {
	Code uint16
	Text string
}

// handle answers one question, on a goroutine of its own.
func (s *Server) handle(w dns.ResponseWriter, req *dns.Msg) {
	network := "udp"
	if _, ok := w.LocalAddr().(*net.TCPAddr); ok {
		network = "tcp"
	}
	f := s.note(req, network)
	select {
	case <-time.After(f.Delay):
	case <-s.ctx.Done():
		return
	}
	switch {
	case f.Drop:
		return
	case f.HangUp && network == "tcp":
		_ = w.Close()
		return
	case f.Raw != nil:
		raw := append([]byte{byte(req.Id >> 8), byte(req.Id)}, f.Raw...)
		_, _ = w.Write(raw)
		return
	case req.Opcode == dns.OpcodeUpdate:
		s.handleUpdate(w, req, f)
		return
	}
	if network == "udp" {
		s.forge(w, req, f)
	}
	reply := s.reply(req, f)
	if network == "udp" && reply.Len() > udpSize(req) && f.EditUDP == nil {
		// As the servers of the field do: nothing but the flag.
		reply.Answer, reply.Ns, reply.Truncated = nil, nil, true
	}
	// A client that is gone is no concern of the server.
	wire, err := s.pack(w, req, reply)
	if err != nil {
		return // larger than a DNS message can be
	}
	if f.Short && network == "tcp" {
		wire = wire[:len(wire)/2]
	}
	if f.WrongCounts {
		wire[7]++ // the low octet of ANCOUNT (RFC 1035, Section 4.1.1)
	}
	if f.Edit != nil {
		wire = f.Edit(wire)
	}
	if f.EditUDP != nil && network == "udp" {
		wire = f.EditUDP(wire)
	}
	_, _ = w.Write(wire)
}

// reply is what the records and the fault make of a question.
func (s *Server) reply(req *dns.Msg, f Fault) *dns.Msg {
	reply := new(dns.Msg).SetReply(req)
	reply.Compress = true
	reply.Authoritative, reply.RecursionAvailable = true, true
	reply.AuthenticatedData = f.Authentic
	reply.CheckingDisabled = req.CheckingDisabled
	reply.Truncated = f.Truncated || f.HangUp
	if f.RcodeCD != nil && req.CheckingDisabled {
		f.Rcode = *f.RcodeCD
	}
	switch {
	case f.Bogus && !req.CheckingDisabled:
		reply.Rcode = dns.RcodeServerFailure
	case f.Rcode != dns.RcodeSuccess:
		reply.Rcode = f.Rcode
	case f.NoData:
		s.mu.Lock()
		reply.Ns = []dns.RR{s.negative(dns.CanonicalName(req.Question[0].Name))}
		s.mu.Unlock()
	case f.Lame:
		reply.Authoritative, reply.RecursionAvailable = false, false
	case f.Referral:
		reply.Authoritative = false
		reply.Ns = []dns.RR{&dns.NS{
			Hdr: dns.RR_Header{Name: "invalid.", Rrtype: dns.TypeNS, Class: dns.ClassINET, Ttl: negativeTTL},
			Ns:  "ns.invalid.",
		}}
	default:
		s.answer(reply, !f.NoFollow)
	}
	if f.NoSOA {
		reply.Ns = nil
	}
	if f.NoOwner {
		for i, rr := range reply.Answer {
			reply.Answer[i] = dns.Copy(rr)
			reply.Answer[i].Header().Name = "other." + rr.Header().Name
		}
	}
	if opt := req.IsEdns0(); opt != nil {
		reply.SetEdns0(dns.DefaultMsgSize, opt.Do())
		if f.Error != nil {
			own := reply.IsEdns0()
			own.Option = append(own.Option, &dns.EDNS0_EDE{InfoCode: f.Error.Code, ExtraText: f.Error.Text})
			for _, code := range f.More {
				own.Option = append(own.Option, &dns.EDNS0_EDE{InfoCode: code})
			}
		}
	}
	if f.NoQuestion {
		reply.Question = nil
	}
	return reply
}

// forge sends what comes before the reply.
func (s *Server) forge(w dns.ResponseWriter, req *dns.Msg, f Fault) {
	forged := func(edit func(*dns.Msg)) {
		reply := new(dns.Msg).SetReply(req)
		reply.RecursionAvailable = true
		edit(reply)
		_ = w.WriteMsg(reply)
	}
	if f.WrongID {
		forged(func(m *dns.Msg) { m.Id++ })
	}
	if f.WrongQuestion {
		forged(func(m *dns.Msg) { m.Question[0].Name = "other." + m.Question[0].Name })
		forged(func(m *dns.Msg) { m.Question[0].Qtype++ })
		forged(func(m *dns.Msg) { m.Question[0].Qclass = dns.ClassCHAOS })
		forged(func(m *dns.Msg) { m.Question = nil })
		forged(func(m *dns.Msg) { m.Response = false })
		forged(func(m *dns.Msg) { m.Opcode = dns.OpcodeNotify })
	}
	if f.Garbage {
		_, _ = w.Write([]byte{byte(req.Id >> 8), byte(req.Id), 0x81, 0x80, 0, 1, 0xff, 0xff})
		_, _ = w.Write(nil)
	}
}

func udpSize(req *dns.Msg) int {
	if opt := req.IsEdns0(); opt != nil && opt.UDPSize() > plainUDP {
		return int(opt.UDPSize())
	}
	return plainUDP
}
