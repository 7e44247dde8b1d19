package publish

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
)

// Limits of what is asked and sent. Passing one is an error.
const (
	// askTime bounds one question to one server, updateTime one update: a
	// server that signs the zone answers after it has.
	askTime    = 5 * time.Second
	updateTime = 20 * time.Second
	// maxMessage is the longest DNS message, in octets (RFC 1035, Section
	// 4.2.2).
	maxMessage = 65535
	// maxAliases bounds the CNAME records from a name to its record set.
	maxAliases = 8
	// maxServers bounds the name servers of a zone that are looked at, and
	// maxAddresses the addresses of one. The root zone has 13 and 2.
	maxServers   = 16
	maxAddresses = 4
	// maxResolvers is how many resolvers of the system are asked, as many as
	// resolv.conf(5) documents.
	maxResolvers = 3

	resolvConf = "/etc/resolv.conf"
	dnsPort    = 53
)

// parseServer reads address:port, or an address alone for port 53.
func parseServer(s string) (netip.AddrPort, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return netip.AddrPortFrom(a, dnsPort), nil
	}
	server, err := netip.ParseAddrPort(s)
	if err != nil || server.Port() == 0 {
		return server, failure(delegation.BadQuery, "%q is not an IP address and a port, such as 192.0.2.1:53 or [2001:db8::1]:53", s)
	}
	return server, nil
}

func parseServers(list []string) ([]netip.AddrPort, error) {
	var servers []netip.AddrPort
	for _, s := range list {
		server, err := parseServer(s)
		if err != nil {
			return nil, err
		}
		servers = append(servers, server)
	}
	return servers, nil
}

// exchange sends octets to a server over a TCP connection of their own and
// returns the octets that come back (RFC 7766). sent is whether the server may
// have received them.
func exchange(ctx context.Context, server netip.AddrPort, wire []byte) (reply []byte, sent bool, err error) {
	defer func() {
		if err != nil && ctx.Err() != nil {
			err = fmt.Errorf("no reply in time: %w", context.Cause(ctx))
		}
	}()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", server.String())
	if err != nil {
		return nil, false, err
	}
	// The end of ctx interrupts reads and writes.
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		_ = conn.SetDeadline(time.Unix(1, 0)) // fails only on a broken socket
	})
	defer func() {
		if !stop() {
			<-interrupted
		}
		_ = conn.Close() // what could fail was read
	}()
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(wire))), wire...)); err != nil {
		return nil, true, err
	}
	var length [2]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return nil, true, fmt.Errorf("the connection ends before the reply: %w", err)
	}
	reply = make([]byte, binary.BigEndian.Uint16(length[:]))
	if _, err := io.ReadFull(conn, reply); err != nil {
		return nil, true, fmt.Errorf("the connection ends within the reply: %w", err)
	}
	return reply, true, nil
}

// readReply parses the reply to a message and makes sure that it is that. The
// library takes a message that is cut for one with fewer records, so the counts
// of the header are compared (RFC 1035, Section 4.1.1).
func readReply(query *dns.Msg, wire []byte) (*dns.Msg, error) {
	reply := new(dns.Msg)
	if err := reply.Unpack(wire); err != nil {
		return nil, fmt.Errorf("the reply is no DNS message: %w", err)
	}
	count := func(offset int) int { return int(binary.BigEndian.Uint16(wire[offset:])) }
	switch {
	case reply.Id != query.Id || !reply.Response || reply.Opcode != query.Opcode:
		return nil, errors.New("the reply is to another message")
	case count(4) != len(reply.Question) || count(6) != len(reply.Answer) || count(8) != len(reply.Ns) || count(10) != len(reply.Extra):
		return nil, errors.New("the reply is cut")
	}
	return reply, nil
}

// ask puts a question to a server. recurse is for resolvers.
func ask(ctx context.Context, server netip.AddrPort, name string, qtype uint16, recurse bool) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	query := new(dns.Msg).SetQuestion(name, qtype)
	query.RecursionDesired = recurse
	wire, err := query.Pack()
	if err != nil {
		return nil, fmt.Errorf("%s cannot be asked for: %w", name, err)
	}
	wire, _, err = exchange(ctx, server, wire)
	if err != nil {
		return nil, err
	}
	reply, err := readReply(query, wire)
	if err != nil {
		return nil, err
	}
	if reply.Rcode != dns.RcodeSuccess && reply.Rcode != dns.RcodeNameError {
		return reply, nil // some servers leave the question out
	}
	if len(reply.Question) != 1 || reply.Question[0].Qtype != qtype || dns.CanonicalName(reply.Question[0].Name) != name || reply.Truncated {
		return nil, errors.New("the reply is to another question, or truncated")
	}
	return reply, nil
}

// answered reports whether a reply says what there is or that there is none,
// and comes from a server that should know.
func answered(reply *dns.Msg) bool {
	return (reply.Rcode == dns.RcodeSuccess || reply.Rcode == dns.RcodeNameError) && (reply.Authoritative || reply.RecursionAvailable)
}

// resolvers are those to ask for names.
func (d *DNS) resolvers() ([]netip.AddrPort, error) {
	if d.Resolver != "" {
		return parseServers([]string{d.Resolver})
	}
	conf, err := dns.ClientConfigFromFile(resolvConf)
	if err != nil {
		return nil, failure(delegation.BadQuery, "the system names no resolver, name one, or the servers of the zone: %v", err)
	}
	var servers []netip.AddrPort
	for _, s := range conf.Servers {
		if server, err := parseServer(s); err == nil && len(servers) < maxResolvers {
			servers = append(servers, server)
		}
	}
	return servers, nil
}

// resolve asks the resolvers in turn until one answers.
func (d *DNS) resolve(ctx context.Context, name string, qtype uint16) (*dns.Msg, error) {
	servers, err := d.resolvers()
	if err != nil {
		return nil, err
	}
	var said []string
	for _, server := range servers {
		reply, err := ask(ctx, server, name, qtype, true)
		switch {
		case err != nil:
			said = append(said, fmt.Sprintf("%s: %v", server, err))
		case !answered(reply):
			said = append(said, fmt.Sprintf("%s: %s", server, rcode(reply.Rcode)))
		default:
			return reply, nil
		}
	}
	return nil, failure(delegation.DNSFailure, "%s %s: %s", strings.TrimSuffix(name, "."), dns.TypeToString[qtype], strings.Join(said, "; "))
}

func rcode(code int) string {
	if text, ok := dns.RcodeToString[code]; ok {
		return text
	}
	return fmt.Sprintf("response code %d", code)
}
