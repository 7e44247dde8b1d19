package dnsserver

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"slices"
	"time"

	"github.com/miekg/dns"
)

// typeUpdate stands for updates in the table of faults: a type for private use
// (RFC 6895, Section 3.1).
const typeUpdate = 0xff00

// otherSecret is what forged replies are signed with, in base64.
const otherSecret = "b3RoZXIgc2VjcmV0IG9mIGEgZm9yZ2Vy"

// AllowUpdates lets anybody who has a TSIG key, with this secret in base64, update
// every zone (RFC 2136, RFC 8945). An empty secret forgets the key.
func (s *Server) AllowUpdates(name, secret string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil {
		s.keys = map[string]string{}
	}
	s.keys[dns.CanonicalName(name)] = secret
}

// acceptUpdates decides by the header alone what is parsed: what the library
// does by itself, and updates.
func acceptUpdates(h dns.Header) dns.MsgAcceptAction {
	const response = 1 << 15
	if opcode := int(h.Bits>>11) & 0xf; opcode == dns.OpcodeUpdate && h.Bits&response == 0 && h.Qdcount == 1 {
		return dns.MsgAccept
	}
	return dns.DefaultMsgAcceptFunc(h)
}

// tsig signs and checks with the keys of a server.
type tsig struct{ s *Server }

var hashes = map[string]func() hash.Hash{
	dns.HmacSHA256: sha256.New, dns.HmacSHA384: sha512.New384, dns.HmacSHA512: sha512.New,
}

// Generate implements [dns.TsigProvider].
func (t tsig) Generate(msg []byte, rr *dns.TSIG) ([]byte, error) {
	t.s.mu.Lock()
	secret := t.s.keys[dns.CanonicalName(rr.Hdr.Name)]
	t.s.mu.Unlock()
	raw, err := base64.StdEncoding.DecodeString(secret)
	newHash := hashes[dns.CanonicalName(rr.Algorithm)]
	if err != nil || secret == "" || newHash == nil {
		return nil, dns.ErrSecret
	}
	mac := hmac.New(newHash, raw)
	mac.Write(msg)
	return mac.Sum(nil), nil
}

// Verify implements [dns.TsigProvider].
func (t tsig) Verify(msg []byte, rr *dns.TSIG) error {
	want, err := t.Generate(msg, rr)
	if err != nil {
		return err
	}
	if got, err := hex.DecodeString(rr.MAC); err != nil || !hmac.Equal(got, want) {
		return dns.ErrSig
	}
	return nil
}

// pack is a reply in octets, signed if the question was. If its signature is
// wrong, that is the reply (RFC 8945, Section 5.2).
func (s *Server) pack(w dns.ResponseWriter, req, reply *dns.Msg) ([]byte, error) {
	signature := req.IsTsig()
	if signature == nil {
		return reply.Pack()
	}
	code := tsigError(w.TsigStatus())
	if code != dns.RcodeSuccess {
		reply = new(dns.Msg).SetReply(req)
		reply.Rcode = dns.RcodeNotAuth
	}
	reply.SetTsig(signature.Hdr.Name, signature.Algorithm, signature.Fudge, time.Now().Unix())
	if code != dns.RcodeSuccess {
		reply.IsTsig().Error = code
		return reply.Pack()
	}
	s.mu.Lock()
	secret := s.keys[dns.CanonicalName(signature.Hdr.Name)]
	s.mu.Unlock()
	wire, _, err := dns.TsigGenerate(reply, secret, signature.MAC, false)
	return wire, err
}

// handleUpdate makes an update and answers it.
func (s *Server) handleUpdate(w dns.ResponseWriter, req *dns.Msg, f Fault) {
	reply := new(dns.Msg).SetReply(req)
	signature := req.IsTsig()
	if signature != nil && !f.Unsigned {
		reply.SetTsig(signature.Hdr.Name, signature.Algorithm, signature.Fudge, time.Now().Unix())
	}
	switch code := tsigError(w.TsigStatus()); {
	case signature == nil:
		reply.Rcode = dns.RcodeRefused
	case code != dns.RcodeSuccess:
		reply.Rcode = dns.RcodeNotAuth
		if own := reply.IsTsig(); own != nil {
			own.Error = code
			if code == dns.RcodeBadTime { // RFC 8945, Section 5.2.3
				own.TimeSigned = signature.TimeSigned
				own.OtherData = fmt.Sprintf("%012x", time.Now().Unix())
				own.OtherLen = 6
			}
		}
	case f.Rcode != dns.RcodeSuccess:
		reply.Rcode = f.Rcode
	default:
		if f.Raced {
			s.race(req)
		}
		reply.Rcode = s.update(req)
	}
	// A client that is gone is no concern of the server.
	switch {
	case f.Lost:
	case f.Forged && signature != nil:
		if wire, _, err := dns.TsigGenerate(reply, otherSecret, signature.MAC, false); err == nil {
			_, _ = w.Write(wire)
		}
	default:
		_ = w.WriteMsg(reply)
	}
}

// race adds a record to the first set that an update names.
func (s *Server) race(req *dns.Msg) {
	if len(req.Answer) == 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	h := req.Answer[0].Header()
	k := key{dns.CanonicalName(h.Name), h.Rrtype}
	s.put(k, append(slices.Clone(s.records[k]), &dns.TXT{
		Hdr: dns.RR_Header{Name: k.name, Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: negativeTTL},
		Txt: []string{fmt.Sprintf("somebody else's, number %d", len(s.records[k]))},
	}))
}

// tsigError is how RFC 8945, Section 5.2, calls what is wrong with a signature.
func tsigError(err error) uint16 {
	switch {
	case err == nil:
		return dns.RcodeSuccess
	case errors.Is(err, dns.ErrTime):
		return dns.RcodeBadTime
	case errors.Is(err, dns.ErrSecret):
		return dns.RcodeBadKey
	}
	return dns.RcodeBadSig
}

// update is RFC 2136, Section 3: all of it or nothing.
func (s *Server) update(req *dns.Msg) (rcode int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	zone := dns.CanonicalName(req.Question[0].Name)
	if len(s.records[key{zone, dns.TypeSOA}]) == 0 {
		return dns.RcodeNotAuth
	}
	for _, rr := range slices.Concat(req.Answer, req.Ns) {
		if !dns.IsSubDomain(zone, rr.Header().Name) {
			return dns.RcodeNotZone
		}
	}
	if rcode := s.prerequisites(req.Answer); rcode != dns.RcodeSuccess {
		return rcode
	}
	for _, rr := range req.Ns {
		h := rr.Header()
		k := key{dns.CanonicalName(h.Name), h.Rrtype}
		// Readers may hold the old slice.
		others := slices.DeleteFunc(slices.Clone(s.records[k]), func(old dns.RR) bool { return sameData(old, rr) })
		switch {
		case h.Class == dns.ClassANY && h.Rrtype == dns.TypeANY: // delete all of a name
			for at := range s.records {
				if at.name == k.name {
					s.put(at, nil)
				}
			}
		case h.Class == dns.ClassANY: // delete a record set
			s.put(k, nil)
		case h.Class == dns.ClassNONE: // delete a record
			s.put(k, others)
		default:
			s.put(k, append(others, rr))
		}
	}
	return dns.RcodeSuccess
}

// prerequisites is RFC 2136, Section 3.2, of record sets and not of names.
// Those with data are compared set by set.
func (s *Server) prerequisites(list []dns.RR) (rcode int) {
	wanted := map[key][]dns.RR{}
	for _, rr := range list {
		h := rr.Header()
		k := key{dns.CanonicalName(h.Name), h.Rrtype}
		used := len(s.records[k]) > 0
		switch {
		case h.Class == dns.ClassANY && !used:
			return dns.RcodeNXRrset
		case h.Class == dns.ClassNONE && used:
			return dns.RcodeYXRrset
		case h.Class == dns.ClassINET:
			wanted[k] = append(wanted[k], rr)
		}
	}
	for k, set := range wanted {
		if len(set) != len(s.records[k]) {
			return dns.RcodeNXRrset
		}
		for _, rr := range set {
			if !slices.ContainsFunc(s.records[k], func(old dns.RR) bool { return sameData(old, rr) }) {
				return dns.RcodeNXRrset
			}
		}
	}
	return dns.RcodeSuccess
}

// sameData compares records without TTL and class, which an update uses for
// other ends.
func sameData(a, b dns.RR) bool {
	a, b = dns.Copy(a), dns.Copy(b)
	a.Header().Class, b.Header().Class = dns.ClassINET, dns.ClassINET
	return dns.IsDuplicate(a, b)
}

// parent is a name without its first label; that of a top-level name is ".".
func parent(name string) string {
	next, end := dns.NextLabel(name, 0)
	if end {
		return "."
	}
	return name[next:]
}
