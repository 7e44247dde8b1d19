package discovery

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

// errSilent: nothing came back that belongs to the question.
var errSilent = errors.New("no reply")

// exchange asks one server once: over UDP, and over TCP if the reply does not
// fit (RFC 7766, Section 5). The error wraps errSilent if nobody answered;
// otherwise what came over TCP cannot be used.
func exchange(ctx context.Context, server netip.AddrPort, q question, limit time.Duration) (*dns.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	reply, err := exchangeUDP(ctx, server, q)
	if err == nil && reply.Truncated {
		// Whatever is in it is incomplete and not looked at (RFC 2181,
		// Section 9).
		return exchangeTCP(ctx, server, q)
	}
	return reply, err
}

// connect opens a connection of its own for each question: the port is new and
// random, and with the ID what an attacker who cannot see the question has to
// guess (RFC 5452, Section 9.2). Connected UDP sockets take nothing from other
// addresses. release must be called; until then the end of ctx interrupts
// reads and writes.
func connect(ctx context.Context, network string, server netip.AddrPort) (conn net.Conn, release func(), err error) {
	conn, err = new(net.Dialer).DialContext(ctx, network, server.String())
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errSilent, err)
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
		_ = conn.Close() // nothing was written that could still fail
	}, nil
}

func exchangeUDP(ctx context.Context, server netip.AddrPort, q question) (*dns.Msg, error) {
	query := q.message()
	wire, err := query.Pack()
	if err != nil {
		return nil, fmt.Errorf("the name cannot be asked for: %w", err)
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
		if reply, err := readReply(query, buffer[:n]); err == nil {
			return reply, nil
		}
	}
}

// buffers are for what comes over UDP, which may be as large as it likes.
// The records of the types asked for hold no part of them when they are parsed.
var buffers = sync.Pool{New: func() any { return new([dns.MaxMsgSize]byte) }}

func exchangeTCP(ctx context.Context, server netip.AddrPort, q question) (*dns.Msg, error) {
	query := q.message()
	wire, err := query.Pack()
	if err != nil {
		return nil, fmt.Errorf("the name cannot be asked for: %w", err)
	}
	conn, release, err := connect(ctx, "tcp", server)
	if err != nil {
		return nil, fmt.Errorf("over TCP: %w", err)
	}
	defer release()
	// RFC 1035, Section 4.2.2: two octets of length go first.
	if _, err := conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(wire))), wire...)); err != nil {
		return nil, fmt.Errorf("over TCP: %w", silent(ctx, err, 0))
	}
	wire, err = readStream(conn)
	if ctx.Err() != nil {
		return nil, fmt.Errorf("over TCP: %w", silent(ctx, err, 0))
	}
	if err != nil {
		return nil, fmt.Errorf("over TCP: %w", err)
	}
	reply, err := readReply(query, wire)
	switch {
	case err != nil:
		return nil, fmt.Errorf("over TCP: %w", err)
	case reply.Truncated:
		return nil, errors.New("over TCP: the reply is truncated, which is for UDP only")
	}
	return reply, nil
}

// readStream reads one message and its length from a TCP connection.
func readStream(r io.Reader) ([]byte, error) {
	var length [2]byte
	if _, err := io.ReadFull(r, length[:]); err != nil {
		return nil, fmt.Errorf("the connection ends before the reply: %w", err)
	}
	wire := make([]byte, binary.BigEndian.Uint16(length[:]))
	if n, err := io.ReadFull(r, wire); err != nil {
		return nil, fmt.Errorf("the reply ends after %d of %d octets: %w", n, len(wire), err)
	}
	return wire, nil
}

// silent says why there is no reply. Octets that belong to no question of ours
// are worth a word: a broken network, or somebody who guesses.
func silent(ctx context.Context, err error, skipped int) error {
	if ctx.Err() != nil {
		err = errors.New("in time")
	}
	if skipped > 0 {
		return fmt.Errorf("%w: %w; %d that do not belong to the question were left out", errSilent, err, skipped)
	}
	return fmt.Errorf("%w: %w", errSilent, err)
}
