// Package dnsexchange sends one DNS message to one server and reads the reply.
// It is what the resolver of package discovery and the tools that publish
// statements have in common.
//
//	query -> Exchange (UDP, then TCP) -> reply
//	bytes -> OverTCP -> bytes -> Read -> reply
//
// It decides whether bytes are a reply to the query, and whether they are all
// of it. It does not look at response codes or records, it follows nothing and
// asks nobody twice. It neither signs nor checks signatures: a caller that uses
// TSIG (RFC 8945) gives the signed bytes to OverTCP.
package dnsexchange

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/miekg/dns"
)

// ErrSilent is wrapped by errors that say that no reply came, or none in time.
var ErrSilent = errors.New("no reply")

// Exchange asks a server once, until ctx ends: over UDP, and over TCP if the
// reply is truncated (RFC 7766, Section 5) or damaged. A connection has a new
// port and a new message ID each time. The error wraps ErrSilent if nobody
// answered; otherwise it says why what came over TCP cannot be used.
func Exchange(ctx context.Context, server netip.AddrPort, query *dns.Msg) (*dns.Msg, error) {
	query = query.Copy()
	reply, err := overUDP(ctx, server, query)
	if err == nil && !reply.Truncated || errors.Is(err, ErrSilent) || errors.Is(err, errNotSent) {
		return reply, err
	}
	query.Id = dns.Id()
	reply, err = overTCP(ctx, server, query)
	if err != nil {
		return nil, fmt.Errorf("over TCP: %w", err)
	}
	return reply, nil
}

// errNotSent: there is no message to send.
var errNotSent = errors.New("the name cannot be asked for")

func pack(query *dns.Msg) ([]byte, error) {
	wire, err := query.Pack()
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errNotSent, err)
	}
	return wire, nil
}

// connect opens a connection of its own for each question, from a new random
// port. The port and the ID are what an attacker who cannot see the question
// has to guess (RFC 5452, Section 9.2). Connected UDP sockets take nothing from
// other addresses. release must be called; until then the end of ctx interrupts
// reads and writes.
func connect(ctx context.Context, network string, server netip.AddrPort) (conn net.Conn, release func(), err error) {
	conn, err = new(net.Dialer).DialContext(ctx, network, server.String())
	if err != nil {
		return nil, nil, silent(ctx, err, 0)
	}
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		// An error means that the socket is broken, and then reads end too.
		_ = conn.SetDeadline(time.Unix(1, 0))
	})
	return conn, func() {
		if !stop() {
			<-interrupted
		}
		_ = conn.Close() // what could fail was read
	}, nil
}

// overUDP waits for the reply to a query. The error is ErrSilent, or says what
// is wrong with a reply that has the ID and the question of the query.
func overUDP(ctx context.Context, server netip.AddrPort, query *dns.Msg) (*dns.Msg, error) {
	wire, err := pack(query)
	if err != nil {
		return nil, err
	}
	conn, release, err := connect(ctx, "udp", server)
	if err != nil {
		return nil, err
	}
	defer release()
	if _, err := conn.Write(wire); err != nil {
		return nil, silent(ctx, err, 0)
	}
	pooled := buffers.Get().(*[dns.MaxMsgSize]byte)
	defer buffers.Put(pooled)
	buffer := pooled[:]
	for skipped := 0; ; skipped++ {
		n, err := conn.Read(buffer)
		if err != nil {
			return nil, silent(ctx, err, skipped)
		}
		// Somebody else may have sent what is no reply to the query. The right
		// one can still come (RFC 5452, Section 9.1).
		if reply, err := Read(query, buffer[:n]); !errors.Is(err, errForeign) {
			return reply, err
		}
	}
}

// buffers are for what comes over UDP, which may be as large as it likes. A
// parsed message holds no part of them.
var buffers = sync.Pool{New: func() any { return new([dns.MaxMsgSize]byte) }}

func overTCP(ctx context.Context, server netip.AddrPort, query *dns.Msg) (*dns.Msg, error) {
	wire, err := pack(query)
	if err != nil {
		return nil, err
	}
	if wire, _, err = OverTCP(ctx, server, wire); err != nil {
		return nil, err
	}
	reply, err := Read(query, wire)
	if err == nil && reply.Truncated {
		return nil, errors.New("the reply is truncated, which is for UDP only")
	}
	return reply, err
}

// OverTCP sends the bytes of a message to a server, over a TCP connection of
// their own, and returns the bytes that come back (RFC 7766). sent is whether
// the server may have received them. The error wraps ErrSilent if the server
// cannot be reached or ctx ended.
func OverTCP(ctx context.Context, server netip.AddrPort, wire []byte) (reply []byte, sent bool, err error) {
	conn, release, err := connect(ctx, "tcp", server)
	if err != nil {
		return nil, false, err
	}
	defer release()
	// RFC 1035, Section 4.2.2: two bytes of length go first.
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(wire))), wire...)); err != nil {
		return nil, true, silent(ctx, err, 0)
	}
	reply, err = readStream(conn)
	if ctx.Err() != nil {
		return nil, true, silent(ctx, err, 0)
	}
	return reply, true, err
}

// readStream reads one message and its length from a TCP connection.
func readStream(r io.Reader) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, fmt.Errorf("the connection ends before the reply: %w", err)
	}
	wire := make([]byte, binary.BigEndian.Uint16(length[:]))
	if n, err := io.ReadFull(r, wire); err != nil {
		return nil, fmt.Errorf("the reply ends after %d of %d bytes: %w", n, len(wire), err)
	}
	return wire, nil
}

// silent says why there is no reply. Bytes that belong to no question of ours
// are worth a word: a broken network, or somebody who guesses.
func silent(ctx context.Context, err error, skipped int) error {
	// The addresses of the sockets differ from try to try and tell nobody anything.
	if op, ok := errors.AsType[*net.OpError](err); ok {
		err = op.Err
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("in time: %w", context.Cause(ctx))
	}
	if skipped > 0 {
		return fmt.Errorf("%w: %w; %d that do not belong to the question were left out", ErrSilent, err, skipped)
	}
	return fmt.Errorf("%w: %w", ErrSilent, err)
}
