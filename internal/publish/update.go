package publish

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
)

// An Update is a DNS update that is ready to be sent: one transaction, which a
// server makes as a whole or not at all (RFC 2136, Section 3.7). Records are in
// the form of a zone file.
type Update struct {
	Server  string   `json:"server"`  // address and port
	Zone    string   `json:"zone"`    // with the trailing dot
	Name    string   `json:"name"`    // of the record set, with the trailing dot
	Present []string `json:"present"` // the set must still be these; if none, it must not be there
	Remove  []string `json:"remove"`
	Add     []string `json:"add"` // none: the statement is there

	server               netip.AddrPort
	present, remove, add []dns.RR
}

// Nothing reports whether there is nothing to be done.
func (u *Update) Nothing() bool { return len(u.Add) == 0 && len(u.Remove) == 0 }

// plan reads the record set at the server that is to be updated and decides
// what to change.
func (r *Records) plan(ctx context.Context, at spot, server nameServer, in *delegation.Inspection) (*Update, error) {
	set, address, err := server.readSet(ctx, at.owner)
	switch {
	case delegation.ReasonOf(err) == delegation.DNSTimeout:
		return nil, failure(delegation.UpdateFailed, "%s; nothing was sent", detail(err))
	case err != nil:
		return nil, failure(delegation.UpdateRefused, "%s; nothing was sent", detail(err))
	}
	u := &Update{
		Server: address.String(), Zone: at.zone, Name: at.owner,
		server: address, present: set,
	}
	if err := u.decide(r, in); err != nil {
		return nil, err
	}
	u.Present, u.Remove, u.Add = texts(u.present), texts(u.remove), texts(u.add)
	return u, nil
}

// decide fills in what goes and what comes. Records that are no statements
// stay, and so do those for another source or service, in another encoding, or
// in one that is not known here. A statement of the same encoding goes, and
// whatever claims to be one and cannot be read.
func (u *Update) decide(r *Records, in *delegation.Inspection) error {
	text := delegation.TXTRecord(in.Encoding, in.Raw)
	at := now(r.dns.Now)
	there, staying := false, 0
	for _, rr := range u.present {
		old := strings.Join(rr.(*dns.TXT).Txt, "")
		found, counts, err := delegation.InspectTXT(old)
		switch {
		case !counts:
		case delegation.ReasonOf(err) == delegation.UnsupportedEncoding:
			staying++
		case err != nil:
			u.remove = append(u.remove, rr)
		case found.Statement.Source != r.source || found.Statement.Service != r.service:
			staying++
		case found.Encoding != in.Encoding:
			staying++
			if err := mayStandBeside(u.Name, found, in, at); err != nil {
				return err
			}
		case old == text && !there:
			there = true
		default:
			if err := mayReplace(u.Name, found, in, at); err != nil {
				return err
			}
			u.remove = append(u.remove, rr)
		}
	}
	if staying >= delegation.MaxTXTRecords {
		return failure(delegation.TooManyRecords, "%s has %d records of other statements already, and verifiers look at %d in all", u.Name, staying, delegation.MaxTXTRecords)
	}
	if there {
		return nil
	}
	ttl := uint32(r.dns.ttl() / time.Second)
	if len(u.present) > 0 {
		ttl = u.present[0].Header().Ttl
	}
	u.add = []dns.RR{&dns.TXT{
		Hdr: dns.RR_Header{Name: u.Name, Rrtype: dns.TypeTXT, Class: dns.ClassINET, Ttl: ttl},
		Txt: delegation.TXTStrings(in.Encoding, in.Raw),
	}}
	return nil
}

// texts is records in the form of a zone file, with single spaces.
func texts(records []dns.RR) []string {
	list := []string{}
	for _, rr := range records {
		h := rr.Header()
		list = append(list, fmt.Sprintf("%s %d IN TXT %s", h.Name, h.Ttl, data(rr)))
	}
	return list
}

// data is a record's data in the form of a zone file.
func data(rr dns.RR) string { return strings.TrimPrefix(rr.String(), rr.Header().String()) }

// readSet reads the TXT record set at a name from one of the server's
// addresses, the first that answers. The reason of the error is
// [delegation.DNSTimeout] if none did.
func (s nameServer) readSet(ctx context.Context, owner string) (set []dns.RR, address netip.AddrPort, err error) {
	if s.err != nil {
		return nil, netip.AddrPort{}, s.err
	}
	for _, address = range s.addresses {
		var reply *dns.Msg
		reply, err = ask(ctx, address, owner, dns.TypeTXT, false)
		switch {
		case err != nil:
			err = failure(delegation.DNSTimeout, "%s: %v", address, err)
			continue
		case !answered(reply) || !reply.Authoritative:
			err = failure(delegation.DNSFailure, "%s says %s and has no authority for %s", address, rcode(reply.Rcode), owner)
			continue
		}
		for _, rr := range reply.Answer {
			if txt, ok := rr.(*dns.TXT); ok && dns.CanonicalName(txt.Hdr.Name) == owner {
				set = append(set, txt)
			}
		}
		return set, address, nil
	}
	return nil, address, err
}

// message is the update as RFC 2136, Section 2 has it.
func (u *Update) message() *dns.Msg {
	// The library changes class and TTL of what it is given.
	copies := func(records []dns.RR) []dns.RR {
		var list []dns.RR
		for _, rr := range records {
			list = append(list, dns.Copy(rr))
		}
		return list
	}
	m := new(dns.Msg).SetUpdate(u.Zone)
	m.Compress = true
	if len(u.present) > 0 {
		m.Used(copies(u.present)) // Section 2.4.2
	} else {
		m.RRsetNotUsed([]dns.RR{&dns.TXT{Hdr: dns.RR_Header{Name: u.Name, Rrtype: dns.TypeTXT}}}) // Section 2.4.3
	}
	m.Remove(copies(u.remove)) // Section 2.5.4
	m.Insert(copies(u.add))    // Section 2.5.1
	return m
}

// send sends an update. raced says that nothing was changed since the record
// set is no longer what it was.
func (d *DNS) send(ctx context.Context, u *Update) (raced bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, updateTime)
	defer cancel()
	m := u.message()
	m.SetTsig(d.Key.name, d.Key.algorithm, 300, now(d.Now).Unix())
	if size := m.Len(); size > maxMessage {
		return false, failure(delegation.UpdateTooLarge, "the update would have %d octets, and a DNS message has at most %d", size, maxMessage)
	}
	wire, mac, err := dns.TsigGenerate(m, d.Key.secret, "", false)
	if err != nil || len(wire) > maxMessage {
		return false, failure(delegation.UpdateTooLarge, "the update does not fit into a DNS message: %d octets, %v", len(wire), err)
	}
	wire, sent, err := exchange(ctx, u.server, wire)
	switch {
	case err != nil && !sent:
		return false, failure(delegation.UpdateFailed, "%s: %v; nothing was sent", u.server, err)
	case err != nil:
		return false, failure(delegation.UpdateFailed, "%s: %v; it is not known whether the update was made", u.server, err)
	}
	reply, err := readReply(m, wire)
	if err != nil {
		return false, failure(delegation.UpdateFailed, "%s: %v; it is not known whether the update was made", u.server, err)
	}
	return d.judge(u, reply, wire, mac)
}

// judge says what a reply means. Only a reply that is signed with the key is
// believed; one that is not can but say why there is none (RFC 8945, Section
// 5.2 and 5.3.2).
func (d *DNS) judge(u *Update, reply *dns.Msg, wire []byte, mac string) (raced bool, err error) {
	tsig := reply.IsTsig()
	if tsig != nil && reply.Rcode == dns.RcodeNotAuth {
		switch tsig.Error {
		case dns.RcodeBadKey:
			return false, failure(delegation.TSIGRejected, "%s does not know the key %s, or does not let it update %s (BADKEY)", u.server, d.Key, u.Zone)
		case dns.RcodeBadSig, dns.RcodeBadTrunc:
			return false, failure(delegation.TSIGRejected, "%s has another secret for the key %s (%s)", u.server, d.Key, rcode(int(tsig.Error)))
		case dns.RcodeBadTime:
			return false, failure(delegation.ClockMismatch, "this machine's clock says %s, that of %s %s (BADTIME)",
				now(d.Now).UTC().Format(time.RFC3339), u.server, serverTime(tsig))
		}
	}
	unsigned := ""
	// The library shortens the octets it is given.
	if tsig == nil || dns.TsigVerify(slices.Clone(wire), d.Key.secret, mac, false) != nil {
		unsigned = " (in a reply that is not signed with the key)"
	}
	says := fmt.Sprintf("%s says %s%s", u.server, rcode(reply.Rcode), unsigned)
	switch reply.Rcode {
	case dns.RcodeSuccess:
		if unsigned != "" {
			return false, failure(delegation.UpdateFailed, "%s; it is not known whether the update was made", says)
		}
		return false, nil
	case dns.RcodeNXRrset, dns.RcodeYXRrset, dns.RcodeNameError, dns.RcodeYXDomain:
		if unsigned != "" {
			return false, failure(delegation.UpdateFailed, "%s; it is not known whether the update was made", says)
		}
		return true, nil
	case dns.RcodeRefused:
		return false, failure(delegation.UpdateRefused, "%s: the key %s may not update %s there", says, d.Key, u.Name)
	case dns.RcodeNotAuth, dns.RcodeNotZone:
		return false, failure(delegation.UpdateRefused, "%s: it is not the primary of the zone %s", says, u.Zone)
	case dns.RcodeNotImplemented, dns.RcodeFormatError:
		return false, failure(delegation.UpdateRefused, "%s: it does not take DNS updates", says)
	}
	return false, failure(delegation.UpdateFailed, "%s; it is not known whether the update was made", says)
}

// serverTime is the time in the other data of a BADTIME reply (RFC 8945,
// Section 5.2.3): 48 bits of seconds since 1970.
func serverTime(tsig *dns.TSIG) string {
	raw, err := hex.DecodeString(tsig.OtherData)
	if err != nil || len(raw) != 6 {
		return "something else"
	}
	seconds := int64(0)
	for _, octet := range raw {
		seconds = seconds<<8 | int64(octet)
	}
	return time.Unix(seconds, 0).UTC().Format(time.RFC3339)
}
