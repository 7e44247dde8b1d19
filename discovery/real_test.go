package discovery

import (
	"context"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/dnasign/dnasign/internal/dnsexchange"
	"github.com/dnasign/dnasign/internal/testkit/realtest"
)

// cutter stands in front of a real resolver. It passes on what comes over TCP.
// Over UDP it asks for the whole reply and sends what cut leaves of it, as
// middleboxes and old servers do. It returns its address.
func cutter(t *testing.T, resolver netip.AddrPort, cut func([]byte) []byte) string {
	t.Helper()
	addr := fmt.Sprintf("127.0.0.1:%d", realtest.Port(t))
	packets, err := net.ListenPacket("udp", addr)
	if err != nil {
		t.Fatal(err)
	}
	listener, err := net.Listen("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		buffer := make([]byte, 512)
		for {
			n, from, err := packets.ReadFrom(buffer)
			if err != nil {
				return
			}
			if wire, _, err := dnsexchange.OverTCP(ctx, resolver, buffer[:n]); err == nil {
				packets.WriteTo(cut(wire), from)
			}
		}
	})
	running.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			running.Go(func() {
				defer conn.Close()
				query := make([]byte, 512)
				n, err := conn.Read(query)
				if err != nil || n < 2 {
					return
				}
				if wire, _, err := dnsexchange.OverTCP(ctx, resolver, query[2:n]); err == nil {
					conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(wire))), wire...))
				}
			})
		}
	})
	t.Cleanup(func() {
		cancel()
		packets.Close()
		listener.Close()
		running.Wait()
	})
	return addr
}

// TestRealTruncation: a statement in a zone of Knot DNS, through unbound, behind
// something that cuts what comes over UDP.
func TestRealTruncation(t *testing.T) {
	zone := strings.TrimSuffix(statementRecord(), "\n")
	zone = strings.Replace(zone, "."+source+". IN", " 300 IN", 1)
	_, addr := realtest.KnotAndUnbound(t, realtest.Zone{Name: source, Content: zone + "\n"})
	resolver := netip.MustParseAddrPort(addr)
	at := func(n int) func([]byte) []byte {
		return func(w []byte) []byte { return cut(min(n, len(w)))(w) }
	}
	for name, edit := range map[string]func([]byte) []byte{
		"as it is":                      func(w []byte) []byte { return w },
		"cut at 512 bytes":              at(512),
		"cut at 1232 bytes":             at(1232),
		"cut behind the question":       at(questionEnd),
		"cut, and the answer is said 0": func(w []byte) []byte { w[answersAt+1] = 0; return at(512)(w) },
		"cut, and the answer is said 9": func(w []byte) []byte { w[answersAt+1] = 9; return at(questionEnd)(w) },
		"cut at 512 bytes without TC":   func(w []byte) []byte { return w[:min(512, len(w))] },
		"a damaged option": func(w []byte) []byte {
			w = at(len(w))(w)
			return withOptions(0, 15, 0, 1, 6)(w)
		},
	} {
		t.Run(name, func(t *testing.T) {
			address := cutter(t, resolver, edit)
			promptly(t, func() {
				c := &Client{Resolver: address, Via: ViaDNS, timeouts: &timeouts{try: time.Hour, lookup: time.Hour}}
				a := gather(t, c).TXT[0]
				if a.Failure != nil || len(a.Records) != 1 || a.Records[0] != statementText {
					t.Errorf("failure %+v, %d records, want the statement", a.Failure, len(a.Records))
				}
			})
		})
	}
}
