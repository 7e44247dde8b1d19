package publish

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/dnsexchange"
)

// Limits of what is asked and sent. Passing one is an error.
const (
	// askTime bounds one question to one server, updateTime one update: a
	// server that signs the zone answers after it has.
	askTime    = 5 * time.Second
	updateTime = 20 * time.Second
	// findTime bounds all questions about where a record set is. Anybody who owns
	// the zone that an alias leads to chooses how many there are, and how long
	// each takes.
	findTime = 30 * time.Second
	// maxMessage is the longest DNS message, in octets (RFC 1035, Section
	// 4.2.2).
	maxMessage = 65535
	// maxAliases bounds the CNAME records from a name to its record set.
	maxAliases = 8
	// maxServers bounds the name servers of a zone that are looked at, and
	// maxAddresses the addresses of one. The root zone has 13 and 2.
	maxServers   = 16
	maxAddresses = 4
)

// parseServer is [dnsexchange.ParseServer] with the error of this package.
func parseServer(s string) (netip.AddrPort, error) {
	server, err := dnsexchange.ParseServer(s)
	if err != nil {
		return server, delegation.Errorf(reasons.BadQuery, "%v", err)
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

// An asker puts questions to one server.
type asker struct {
	address netip.AddrPort
	recurse bool // it is a resolver
	// key signs the questions, nil if they are not signed. A server may show
	// different things to a client with a key: by views, or by its access lists.
	key *TSIGKey
	now func() time.Time
}

// asker is who asks a server as the owner: with the key, if updates go there.
func (d *DNS) asker(server netip.AddrPort) asker {
	if updated, err := parseServer(d.Server); err == nil && updated == server {
		return d.keyed(server)
	}
	return asker{address: server}
}

// keyed is who asks with the key.
func (d *DNS) keyed(server netip.AddrPort) asker {
	return asker{address: server, key: d.Key, now: d.Now}
}

func (a asker) String() string { return a.address.String() }

// A standing is what the server lets the key do, as far as a signed question
// shows. The zero standing: the server signs no replies to questions, or there
// is no key.
type standing struct {
	known    bool     // the reply is signed with the key
	rejected *dns.Msg // the reply that says what is wrong with the signature (NOTAUTH)
}

// ask puts a question. A signed question that gets no answer is asked once more
// without a signature. So a bad key does not hide what is published.
func (a asker) ask(ctx context.Context, name string, qtype uint16) (reply *dns.Msg, key standing, err error) {
	if a.key != nil {
		reply, key.known, err = a.once(ctx, name, qtype, a.key)
		if err == nil && key.known && a.answers(reply) || errors.Is(err, dnsexchange.ErrSilent) {
			return reply, key, err
		}
		if err == nil && !key.known && reply.Rcode == dns.RcodeNotAuth {
			key.rejected = reply
		}
	}
	plain, _, err := a.once(ctx, name, qtype, nil)
	if key.known && (err != nil || !a.answers(plain)) {
		return reply, key, nil
	}
	return plain, standing{rejected: key.rejected}, err
}

// said is what a server said in place of an answer, for a message.
func (a asker) said(reply *dns.Msg, key standing) string {
	who := "a question without a key"
	if key.known {
		who = "a question that is signed with the key " + a.key.String()
	}
	if reply.Rcode == dns.RcodeSuccess || reply.Rcode == dns.RcodeNameError {
		return fmt.Sprintf("%s has no authority for it", a)
	}
	return fmt.Sprintf("%s says %s to %s", a, rcode(reply.Rcode), who)
}

// once puts a question once, signed with a key or not, over TCP.
func (a asker) once(ctx context.Context, name string, qtype uint16, key *TSIGKey) (reply *dns.Msg, known bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	query := new(dns.Msg).SetQuestion(name, qtype)
	query.RecursionDesired = a.recurse
	wire, mac, err := pack(query, key, a.now)
	if err != nil {
		return nil, false, fmt.Errorf("%s cannot be asked for: %w", name, err)
	}
	wire, _, err = dnsexchange.OverTCP(ctx, a.address, wire)
	if err != nil {
		return nil, false, err
	}
	reply, err = dnsexchange.Read(query, wire)
	if err != nil {
		return nil, false, err
	}
	if reply.Truncated {
		return nil, false, errors.New("the reply is truncated, which is for UDP only")
	}
	return reply, key.signed(reply, wire, mac), nil
}

// pack is a message in octets, signed with a key if there is one, and the
// signature.
func pack(m *dns.Msg, key *TSIGKey, clock func() time.Time) (wire []byte, mac string, err error) {
	if key == nil {
		wire, err = m.Pack()
		return wire, "", err
	}
	m.SetTsig(key.name, key.algorithm, 300, now(clock).Unix())
	return dns.TsigGenerate(m, key.secret, "", false)
}

// signed reports whether the reply to a message with that signature is signed
// with the key.
func (k *TSIGKey) signed(reply *dns.Msg, wire []byte, mac string) bool {
	// The library shortens the octets it is given.
	return k != nil && reply.IsTsig() != nil && dns.TsigVerify(slices.Clone(wire), k.secret, mac, false) == nil
}

// answers reports whether a reply says what there is or that there is none, and
// comes from a server that should know.
func (a asker) answers(reply *dns.Msg) bool {
	return (reply.Rcode == dns.RcodeSuccess || reply.Rcode == dns.RcodeNameError) &&
		(reply.Authoritative || a.recurse && reply.RecursionAvailable)
}

// resolvers are those to ask for names.
func (d *DNS) resolvers() ([]netip.AddrPort, error) {
	if d.Resolver != "" {
		return parseServers([]string{d.Resolver})
	}
	servers, err := dnsexchange.SystemResolvers("")
	if err != nil {
		return nil, delegation.Errorf(reasons.BadQuery, "%v; name one, or the servers of the zone", err)
	}
	return servers, nil
}

// resolve asks the resolvers in turn until one answers, and says which.
func (d *DNS) resolve(ctx context.Context, name string, qtype uint16) (*dns.Msg, asker, error) {
	servers, err := d.resolvers()
	if err != nil {
		return nil, asker{}, err
	}
	var said []string
	for _, server := range servers {
		a := asker{address: server, recurse: true}
		reply, _, err := a.ask(ctx, name, qtype)
		switch {
		case err != nil:
			said = append(said, fmt.Sprintf("%s: %v", server, err))
		case !a.answers(reply):
			said = append(said, fmt.Sprintf("%s: %s", server, rcode(reply.Rcode)))
		default:
			return reply, a, nil
		}
	}
	return nil, asker{}, delegation.Errorf(reasons.DNSFailure, "%s %s: %s", strings.TrimSuffix(name, "."), dns.TypeToString[qtype], strings.Join(said, "; "))
}

func rcode(code int) string {
	if text, ok := dns.RcodeToString[code]; ok {
		return text
	}
	return fmt.Sprintf("response code %d", code)
}
