package dnsexchange

import (
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"

	"github.com/miekg/dns"
)

// headerSize is the length of the header of a message, in bytes (RFC 1035,
// Section 4.1.1).
const headerSize = 12

// errForeign: the bytes are no reply to the query.
var errForeign = errors.New("not a reply to the query")

func foreign(why string) error { return fmt.Errorf("%w: %s", errForeign, why) }

// Read reads the bytes of a reply to a query. It looks at the header and the
// question first, since they decide what to do with the rest:
//
//   - With another ID or question, the bytes are no reply, and that is the error.
//     Over UDP somebody else may have sent them.
//   - Of a truncated reply nothing more is read: what is in it is incomplete (RFC
//     2181, Section 9), and often cut in the middle of a record. The message that
//     is returned has Truncated set and no records.
//   - Otherwise all records must be there and readable, except for EDNS options
//     (RFC 6891, Section 6.1.2): those that are damaged are left out.
//
// The reply to an update (RFC 2136) need not repeat the zone. A reply with an
// error and no answer need not repeat the question.
func Read(query *dns.Msg, wire []byte) (*dns.Msg, error) {
	reply, err := readFront(query, wire)
	if err != nil || reply.Truncated {
		return reply, err
	}
	asked := len(reply.Question) > 0
	reply, err = unpack(wire)
	switch {
	case query.Opcode == dns.OpcodeQuery && !asked && (err != nil || !IsError(reply)):
		return nil, foreign("another question")
	case err != nil:
		return nil, fmt.Errorf("the reply is damaged: %w", err)
	case !complete(reply, wire):
		return nil, errors.New("the reply is damaged: it has fewer records than it promises")
	}
	for _, rr := range reply.Answer {
		// The library reads a record without data as one with zero values.
		if query.Opcode == dns.OpcodeQuery && rr.Header().Rdlength == 0 {
			return nil, errors.New("the reply is damaged: a record has no data")
		}
	}
	return reply, nil
}

// readFront reads the header and the question of a reply and compares them with
// the query. There is no question in what it returns if the reply may go
// without.
func readFront(query *dns.Msg, wire []byte) (*dns.Msg, error) {
	if len(wire) < headerSize {
		return nil, foreign("too short for a DNS message")
	}
	front := new(dns.Msg)
	// The library takes a header alone for a message without records.
	if err := front.Unpack(wire[:headerSize]); err != nil {
		return nil, foreign("no DNS message")
	}
	questions := count(wire, 4)
	switch {
	case front.Id != query.Id:
		return nil, foreign("another ID")
	case !front.Response || front.Opcode != query.Opcode:
		return nil, foreign("another kind of message")
	case query.Opcode != dns.OpcodeQuery:
		return front, nil
	case questions == 0 && count(wire, 6) == 0 && !front.Truncated:
		// Some servers send nothing but the header when they refuse. Whether it
		// is an error can depend on an EDNS record (RFC 6891, Section 6.1.3).
		return front, nil
	case questions != 1:
		return nil, foreign("another question")
	}
	q, err := question(wire)
	if err != nil || !same(q, query.Question[0]) {
		return nil, foreign("another question")
	}
	front.Question = []dns.Question{q}
	return front, nil
}

// count is one of the four counts of the header, by its place.
func count(wire []byte, at int) int { return int(binary.BigEndian.Uint16(wire[at:])) }

var errCut = errors.New("it ends too early")

func question(wire []byte) (dns.Question, error) {
	name, at, err := dns.UnpackDomainName(wire, headerSize)
	if err != nil {
		return dns.Question{}, err
	}
	if at+4 > len(wire) {
		return dns.Question{}, errCut
	}
	return dns.Question{Name: name, Qtype: binary.BigEndian.Uint16(wire[at:]), Qclass: binary.BigEndian.Uint16(wire[at+2:])}, nil
}

// same compares names without regard to case (RFC 4343).
func same(a, b dns.Question) bool {
	return a.Qtype == b.Qtype && a.Qclass == b.Qclass && dns.CanonicalName(a.Name) == dns.CanonicalName(b.Name)
}

// IsError: only NOERROR and NXDOMAIN are answers.
func IsError(reply *dns.Msg) bool {
	return reply.Rcode != dns.RcodeSuccess && reply.Rcode != dns.RcodeNameError
}

// complete compares the counts of the header (RFC 1035, Section 4.1.1) with
// what was read. The library takes a message that ends early for one with fewer
// records.
func complete(reply *dns.Msg, wire []byte) bool {
	return count(wire, 4) == len(reply.Question) && count(wire, 6) == len(reply.Answer) &&
		count(wire, 8) == len(reply.Ns) && count(wire, 10) == len(reply.Extra)
}

// unpack parses a message. The library refuses all of it for one damaged EDNS
// option. Then the OPT record is read apart, without what is damaged.
func unpack(wire []byte) (*dns.Msg, error) {
	reply := new(dns.Msg)
	err := reply.Unpack(wire)
	if err == nil {
		return reply, nil
	}
	hidden := hideOPT(wire)
	if hidden == nil {
		return nil, err
	}
	reply = new(dns.Msg)
	if err := reply.Unpack(hidden); err != nil {
		return nil, err
	}
	for i, rr := range reply.Extra {
		if unknown, ok := rr.(*dns.RFC3597); ok && unknown.Hdr.Rrtype == typeHidden {
			opt := readOPT(unknown)
			reply.Extra[i] = opt
			reply.Rcode |= opt.ExtendedRcode()
		}
	}
	return reply, nil
}

// typeHidden stands for OPT while the rest of a message is parsed. It is a type
// for private use, whose bytes the library keeps (RFC 6895, Section 3.1).
const typeHidden = 0xff4f

// hideOPT returns a copy of a message in which OPT records of the additional
// section have another type. It is nil if there are none, or if the message is
// damaged in another place.
func hideOPT(wire []byte) []byte {
	var hidden []byte
	at := headerSize
	for range count(wire, 4) {
		_, next, err := dns.UnpackDomainName(wire, at)
		if err != nil {
			return nil
		}
		at = next + 4
	}
	others := count(wire, 6) + count(wire, 8)
	for i := range others + count(wire, 10) {
		_, next, err := dns.UnpackDomainName(wire, at)
		if err != nil || next+10 > len(wire) {
			return nil
		}
		if i >= others && binary.BigEndian.Uint16(wire[next:]) == dns.TypeOPT {
			if hidden == nil {
				hidden = append(hidden, wire...)
			}
			binary.BigEndian.PutUint16(hidden[next:], typeHidden)
		}
		at = next + 10 + count(wire, next+8)
	}
	return hidden
}

// readOPT makes an OPT record of a hidden one, with the options that can be
// read.
func readOPT(hidden *dns.RFC3597) *dns.OPT {
	opt := &dns.OPT{Hdr: hidden.Hdr}
	opt.Hdr.Rrtype = dns.TypeOPT
	data, err := hex.DecodeString(hidden.Rdata)
	for err == nil && len(data) >= 4 {
		size := 4 + count(data, 2)
		if size > len(data) {
			break // the framing is lost
		}
		// The library reads options only within a record: the root, the type,
		// class and TTL, and the length of this one option.
		record := append([]byte{0, 0, byte(dns.TypeOPT), 0, 0, 0, 0, 0, 0, byte(size >> 8), byte(size)}, data[:size]...)
		if rr, _, err := dns.UnpackRR(record, 0); err == nil {
			opt.Option = append(opt.Option, rr.(*dns.OPT).Option...)
		}
		data = data[size:]
	}
	return opt
}
