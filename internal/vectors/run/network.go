package run

import (
	"context"
	"errors"
	"fmt"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/testkit/dnsserver"
	"github.com/dnasign/dnasign/internal/vectors"
)

// These operations are asked of a real client of package discovery, by a DNS
// server on the loopback address that replies as the case says.

// maxReplies bounds the replies of a case: an answer and a chain of aliases.
const maxReplies = 9

// A service without a second label: it takes one look-up.
const source, service = "b.example", "_imap._tcp"

// resolve is rule D1.
func resolve(ctx context.Context, c vectors.Case) (said *vectors.Expect, err error) {
	if len(c.Replies) == 0 || len(c.Replies) > maxReplies || c.Validating == nil {
		return nil, fmt.Errorf("%d replies, 1 to %d and validating are wanted", len(c.Replies), maxReplies)
	}
	name := func(i int) string {
		if i == 0 {
			return delegation.SRVName(source, service) + "."
		}
		return fmt.Sprintf("alias%d.example.", i)
	}
	var records []string
	faults := map[string]dnsserver.Fault{}
	for i, r := range c.Replies {
		switch {
		case i < len(c.Replies)-1:
			records = append(records, name(i)+" IN CNAME "+name(i+1))
		case r.Rcode != "NXDOMAIN" && r.CDRcode != "NXDOMAIN":
			records = append(records, name(i)+" IN SRV 0 0 993 imap.hosting.example.")
		}
		if faults[name(i)], err = faultOf(r); err != nil {
			return nil, err
		}
	}
	err = serve(records, faults, func(address string) error {
		client := &discovery.Client{Resolver: address, Validating: *c.Validating, Via: discovery.ViaDNS}
		e, err := client.Gather(ctx, source, service, nil)
		if err != nil {
			return err
		}
		said = reason(reasons.Verified)
		if f := e.SRV[0].Failure; f != nil {
			said = reason(f.Reason)
		}
		said.State = string(e.SRV[0].DNSSEC)
		return nil
	})
	return said, err
}

// faultOf makes the server give a reply. NXDOMAIN is what it says of a name
// that has no records.
func faultOf(r vectors.Reply) (dnsserver.Fault, error) {
	f := dnsserver.Fault{Authentic: r.AD, NoFollow: true}
	rcode := func(name string) (int, error) {
		code, known := dns.StringToRcode[name]
		if !known {
			return 0, fmt.Errorf("rcode %.20q", name)
		}
		if code == dns.RcodeNameError {
			code = dns.RcodeSuccess
		}
		return code, nil
	}
	var err error
	if f.Rcode, err = rcode(r.Rcode); err != nil {
		return f, err
	}
	if r.CDRcode != "" {
		unchecked, err := rcode(r.CDRcode)
		if err != nil {
			return f, err
		}
		f.RcodeCD = &unchecked
	}
	if len(r.EDE) > 0 {
		f.Error, f.More = &dnsserver.ExtendedError{Code: r.EDE[0]}, r.EDE[1:]
	}
	return f, nil
}

// states are replies that a validating resolver finds to be so.
var states = map[string]vectors.Reply{
	"secure":        {Rcode: "NOERROR", AD: true},
	"insecure":      {Rcode: "NOERROR"},
	"bogus":         {Rcode: "SERVFAIL", EDE: []uint16{6}, CDRcode: "NOERROR"},
	"indeterminate": {Rcode: "SERVFAIL", CDRcode: "SERVFAIL"},
}

// selfTest tests a resolver.
func selfTest(ctx context.Context, c vectors.Case) (said *vectors.Expect, err error) {
	faults := map[string]dnsserver.Fault{}
	for name, state := range map[string]string{"good.example.": c.Good, "bogus.example.": c.Bogus} {
		reply, known := states[state]
		if !known {
			return nil, fmt.Errorf("the state %.20q", state)
		}
		if faults[name], err = faultOf(reply); err != nil {
			return nil, err
		}
	}
	err = serve([]string{"good.example. IN A 192.0.2.1", "bogus.example. IN A 192.0.2.1"}, faults, func(address string) error {
		client := &discovery.Client{Resolver: address, Validating: true, Via: discovery.ViaDNS}
		said, err = ended(client.SelfTest(ctx, "good.example", "bogus.example"))
		return err
	})
	return said, err
}

// serve runs a DNS server for as long as use takes.
func serve(records []string, faults map[string]dnsserver.Fault, use func(address string) error) (err error) {
	server, err := dnsserver.Start(records)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.Close()) }()
	for name, f := range faults {
		if err := server.Fault(name, "", f); err != nil {
			return err
		}
	}
	return use(server.Addr)
}
