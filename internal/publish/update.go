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
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/dnsexchange"
	"github.com/dnasign/dnasign/internal/text"
)

// An Update is a DNS update that is ready to be sent. It is one transaction,
// which a server makes as a whole or not at all (RFC 2136, Section 3.7).
// Records are in the form of a zone file.
type Update struct {
	Server  string   `json:"server"`  // address and port
	Zone    string   `json:"zone"`    // with the trailing dot
	Name    string   `json:"name"`    // of the record set, with the trailing dot
	Present []string `json:"present"` // the set must still be these; if none, it must not be there
	Remove  []string `json:"remove"`
	Add     []string `json:"add"` // none: the statement is there

	server               netip.AddrPort
	key                  standing // at the server
	present, remove, add []dns.RR
}

// Nothing reports whether there is nothing to be done.
func (u *Update) Nothing() bool { return len(u.Add) == 0 && len(u.Remove) == 0 }

// plan reads the record set and decides what to change. It reads at the server to
// be updated, with the key: the server may show others another zone. What a wildcard
// shows at the name is not there (RFC 2136, Section 2.4.2).
func (r *Records) plan(ctx context.Context, at spot, server nameServer, decide func(*Update) error) (*Update, error) {
	set, from, key, err := server.readSet(ctx, at.owner, r.dns.keyed)
	if err == nil && len(set) > 0 {
		var made bool
		if made, err = from.makesTXT(ctx, at.owner, set); made {
			set = nil
		}
	}
	switch reason := delegation.ReasonOf(err); {
	case key.rejected != nil && err != nil:
		return nil, r.dns.tsigError(from.address, key.rejected)
	case reason == reasons.DNSTimeout:
		return nil, delegation.Errorf(reasons.UpdateFailed, "%s; nothing was sent", detail(err))
	case err != nil:
		return nil, delegation.Errorf(reasons.UpdateRefused, "%s; nothing was sent", detail(err))
	}
	u := &Update{
		Server: from.address.String(), Zone: at.zone, Name: at.owner,
		server: from.address, key: key, present: set,
	}
	if err := decide(u); err != nil {
		return nil, err
	}
	u.Present, u.Remove, u.Add = texts(u.present), texts(u.remove), texts(u.add)
	return u, nil
}

// decide fills in what goes and what comes. A statement of the same source,
// role and encoding goes, and whatever claims to be one and cannot be read.
// What else claims to be a statement stays while verifiers look at so many
// records. When there are too many, those that no verifier accepts go first.
// Otherwise a stranger could fill the place.
func (u *Update) decide(r *Records, in *delegation.Inspection) error {
	owner := r.dns.Owner
	owner.Leaf = in.Certificates[0]
	text := in.Encoding.TXTRecord(in.Raw)
	there := false
	var others, idle []dns.RR // statements that others rely on, and those that nobody does
	for _, rr := range u.present {
		old := strings.Join(rr.(*dns.TXT).Txt, "")
		found, counts, err := delegation.InspectTXT(old)
		switch {
		case !counts:
		case delegation.ReasonOf(err) == reasons.UnsupportedEncoding:
			idle = append(idle, rr)
		case err != nil:
			u.remove = append(u.remove, rr)
		case old == text && !there:
			there = true
		case found.Statement.Source == r.source && found.Statement.Service == r.service && found.Encoding == in.Encoding:
			if err := owner.mayReplace(u.Name, found, in); err != nil {
				return err
			}
			u.remove = append(u.remove, rr)
		case owner.idle(found, r.source, r.service):
			idle = append(idle, rr)
		default:
			if err := owner.mayStandBeside(u.Name, found, in); err != nil {
				return err
			}
			others = append(others, rr)
		}
	}
	const room = limits.MaxTXTRecords - 1
	if len(others) > room && !owner.Force {
		return delegation.Errorf(reasons.TooManyRecords, "%s has %d valid records of other statements already, and verifiers look at %d in all; remove some, or use --force",
			u.Name, len(others), limits.MaxTXTRecords)
	}
	if stay := slices.Concat(others, idle); len(stay) > room {
		u.remove = append(u.remove, stay[room:]...)
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
		Txt: in.Encoding.TXTStrings(in.Raw),
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
// addresses, the first that answers, by an asker made for it. The reason of the
// error is [reasons.DNSTimeout] if none answered.
func (s nameServer) readSet(ctx context.Context, owner string, asker func(netip.AddrPort) asker) (set []dns.RR, from asker, key standing, err error) {
	if s.err != nil {
		return nil, from, key, s.err
	}
	for _, address := range s.addresses {
		from = asker(address)
		var reply *dns.Msg
		reply, key, err = from.ask(ctx, owner, dns.TypeTXT)
		switch {
		case err != nil:
			err = delegation.Errorf(reasons.DNSTimeout, "%s: %v", address, err)
		case !from.answers(reply):
			err = delegation.Errorf(reasons.DNSFailure, "%s, about TXT %s", from.said(reply, key), owner)
		default:
			return txtOf(reply, owner), from, key, nil
		}
	}
	return nil, from, key, err
}

// clears reports whether nothing of the record set stays. It is then removed as
// a whole. Named one by one, the records would be in the message twice, and a
// stranger's long ones would leave no room.
func (u *Update) clears() bool {
	return len(u.present) > 0 && !slices.ContainsFunc(u.present, func(rr dns.RR) bool { return !slices.Contains(u.remove, rr) })
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
	if u.clears() {
		m.RemoveRRset(copies(u.remove[:1])) // Section 2.5.2
	} else {
		m.Remove(copies(u.remove)) // Section 2.5.4
	}
	m.Insert(copies(u.add)) // Section 2.5.1
	return m
}

// send sends an update. raced says that nothing was changed since the record
// set is not what the update names.
func (d *DNS) send(ctx context.Context, u *Update) (raced bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, updateTime)
	defer cancel()
	m := u.message()
	wire, mac, err := pack(m, d.Key, d.Now)
	if size := max(len(wire), m.Len()); size > maxMessage {
		return false, delegation.Errorf(reasons.UpdateTooLarge, "the update would have %d octets, and a DNS message has at most %d", size, maxMessage)
	}
	if err != nil {
		return false, delegation.Errorf(reasons.UpdateTooLarge, "the update does not fit into a DNS message: %v", err)
	}
	wire, sent, err := dnsexchange.OverTCP(ctx, u.server, wire)
	if err != nil && !sent {
		return false, delegation.Errorf(reasons.UpdateFailed, "%s: %v; nothing was sent", u.server, err)
	}
	var reply *dns.Msg
	if err == nil {
		reply, err = dnsexchange.Read(m, wire)
	}
	if err != nil {
		return false, delegation.Errorf(reasons.UpdateFailed, "%s: %v; it is not known whether the update was made", u.server, err)
	}
	return d.judge(u, reply, d.Key.signed(reply, wire, mac))
}

// judge says what a reply means. Only a reply signed with the key is believed.
// A reply that is not signed can only say why (RFC 8945, Section 5.2 and
// 5.3.2).
func (d *DNS) judge(u *Update, reply *dns.Msg, signed bool) (raced bool, err error) {
	if tsig := reply.IsTsig(); tsig != nil && reply.Rcode == dns.RcodeNotAuth && tsig.Error != dns.RcodeSuccess {
		if tsig.Error == dns.RcodeBadKey && u.key.known {
			// What Knot DNS says of a key that may change other records.
			return false, delegation.Errorf(reasons.UpdateRefused, "%s knows the key %s and does not let it change TXT %s (BADKEY)", u.server, d.Key, u.Name)
		}
		return false, d.tsigError(u.server, reply)
	}
	says := fmt.Sprintf("%s says %s", u.server, rcode(reply.Rcode))
	if !signed {
		says += " (in a reply that is not signed with the key)"
	}
	switch reply.Rcode {
	case dns.RcodeSuccess:
		if signed {
			return false, nil
		}
	case dns.RcodeNXRrset, dns.RcodeYXRrset, dns.RcodeNameError, dns.RcodeYXDomain:
		if signed {
			return true, nil
		}
	case dns.RcodeRefused:
		if !signed && u.key.rejected != nil { // what PowerDNS says of a wrong signature
			return false, d.tsigError(u.server, u.key.rejected)
		}
		return false, delegation.Errorf(reasons.UpdateRefused, "%s: the key %s may not change TXT %s there", says, d.Key, u.Name)
	case dns.RcodeNotAuth, dns.RcodeNotZone:
		return false, delegation.Errorf(reasons.UpdateRefused, "%s: it is not the primary of the zone %s", says, u.Zone)
	case dns.RcodeNotImplemented, dns.RcodeFormatError:
		return false, delegation.Errorf(reasons.UpdateRefused, "%s: it does not take DNS updates", says)
	}
	return false, delegation.Errorf(reasons.UpdateFailed, "%s; it is not known whether the update was made", says)
}

// tsigError says what a server finds wrong with a signature, by a reply with the
// code NOTAUTH (RFC 8945, Section 5.2).
func (d *DNS) tsigError(server netip.AddrPort, reply *dns.Msg) error {
	code := uint16(dns.RcodeSuccess)
	tsig := reply.IsTsig()
	if tsig != nil {
		code = tsig.Error
	}
	switch code {
	case dns.RcodeBadKey:
		return delegation.Errorf(reasons.TSIGRejected, "%s does not know the key %s, or does not let it change anything in the zone (BADKEY)", server, d.Key)
	case dns.RcodeBadSig, dns.RcodeBadTrunc:
		return delegation.Errorf(reasons.TSIGRejected, "%s has another secret for the key %s (%s)", server, d.Key, rcode(int(code)))
	case dns.RcodeBadTime:
		return delegation.Errorf(reasons.ClockMismatch, "this machine's clock says %s, that of %s %s (BADTIME)",
			text.Stamp(now(d.Now)), server, serverTime(tsig))
	}
	return delegation.Errorf(reasons.TSIGRejected, "%s does not know the key %s, or has another secret for it (NOTAUTH)", server, d.Key)
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
	return text.Stamp(time.Unix(seconds, 0))
}
