package demo

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/encoding/jws"
	"github.com/dnasign/dnasign/internal/testkit/peerserver"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/internal/text"
	"github.com/dnasign/dnasign/keys"
)

// Begins is what a program says before it runs the demo.
const Begins = "the demo begins: it talks to this machine alone and leaves nothing behind"

// Run plays the story and tells it on out. It returns an error if anything
// ended other than it must.
func Run(ctx context.Context, out io.Writer) error {
	w, err := build(time.Now().UTC().Truncate(time.Second))
	defer w.close()
	if err != nil {
		return fmt.Errorf("demo: %w", err)
	}
	s := &story{stage: w, ctx: ctx, out: out, policy: w.Policy()}
	s.sign()
	for _, act := range []func() error{s.find, s.connect, s.ways, s.attack} {
		if err := act(); err != nil {
			return fmt.Errorf("demo: %w", err)
		}
	}
	fmt.Fprintf(out, "\nEverything ended as it must.\n")
	return nil
}

// A story is the demonstration while it goes on.
type story struct {
	*stage
	ctx    context.Context
	out    io.Writer
	policy delegation.Policy

	jws, ac  []byte
	decision *association.Association
}

func (s *story) title(format string, args ...any) {
	fmt.Fprintf(s.out, "\n"+format+"\n", args...)
}

func (s *story) line(what, format string, args ...any) {
	fmt.Fprintf(s.out, "  OK  %-40s %s\n", what, fmt.Sprintf(format, args...))
}

func (s *story) sign() {
	fmt.Fprintf(s.out, "The owner of %s signs: %s is delegated to %s, where TLS begins with the first byte.\n", source, service, s.target)
	expires := s.Now.Add(limits.DefaultLife)
	s.jws, s.ac = s.signed(delegation.JWS, s.Now, expires, s.target), s.signed(delegation.AC, s.Now, expires, s.target)
	s.line("signed as JSON web signature", "%d octets", len(s.jws))
	s.line("signed as X.509 attribute certificate", "%d octets", len(s.ac))
}

func (s *story) find() error {
	s.title("Somebody who wants to reach %s finds the statement and verifies it.", source)
	for _, way := range []struct {
		via      discovery.Via
		encoding delegation.Encoding
		raw      []byte
	}{
		{discovery.ViaDNS, delegation.JWS, s.jws},
		{discovery.ViaDNS, delegation.AC, s.ac},
		{discovery.ViaHTTPS, delegation.JWS, s.jws},
		{discovery.ViaHTTPS, delegation.AC, s.ac},
	} {
		if err := s.publish(s.target, way.encoding, way.raw); err != nil {
			return err
		}
		a, err := s.check(s.ctx, way.via, s.policy)
		if err != nil {
			return err
		}
		result, err := a.Statement()
		if err != nil {
			return err
		}
		s.line(fmt.Sprintf("over %s, as %s", way.via, way.encoding), "verified until %s", text.Stamp(result.ValidUntil()))
		s.decision = a
	}
	return nil
}

func (s *story) connect() error {
	s.title("It connects to %s, which shows its own certificate.", s.target)
	peers := delegation.PeerPolicy{Roots: s.CA.Pool(), Now: time.Now}
	accept := func(state tls.ConnectionState) error {
		_, err := s.decision.Accept(s.target, peers, state.PeerCertificates)
		return err
	}
	state, err := s.dial(s.peer.Addr, accept)
	if err != nil {
		return err
	}
	s.line("certificate of "+state.PeerCertificates[0].DNSNames[0], "accepted, %s", tls.VersionName(state.Version))

	hijacked, err := peerserver.Start(tlsConfig(s.Of(other)))
	if err != nil {
		return err
	}
	defer hijacked.Close()
	_, err = s.dial(hijacked.Addr, accept)
	if err := s.refused("certificate of "+other, err, reasons.PeerNameMismatch); err != nil {
		return err
	}

	newer := s.decision.Floor()
	newer.Order.Issued, newer.Targets = newer.Order.Issued.Add(time.Second), delegation.DigestTargets(nil)
	peers.Floor = func(string, string) delegation.Floor { return newer }
	_, err = s.dial(s.peer.Addr, accept)
	return s.refused("a revocation became known meanwhile", err, reasons.Superseded)
}

// dial connects as a server that relies on the proof does: the check does all
// that crypto/tls would, and more.
func (s *story) dial(address string, check func(tls.ConnectionState) error) (state tls.ConnectionState, err error) {
	d := tls.Dialer{Config: &tls.Config{
		ServerName: host, MinVersion: tls.VersionTLS12, SessionTicketsDisabled: true,
		InsecureSkipVerify: true, VerifyConnection: check,
	}}
	c, err := d.DialContext(s.ctx, "tcp", address)
	if err != nil {
		return state, err
	}
	defer c.Close()
	return c.(*tls.Conn).ConnectionState(), nil
}

func (s *story) attack() error {
	s.title("The attacker answers instead of DNS and of the web server.")
	evil := delegation.Endpoint{Host: "evil.example", Port: s.target.Port}

	// Exchange the last two different characters before the last, so that it
	// is base64url as before.
	altered := slices.Clone(s.jws)
	for i := len(altered) - 2; ; i-- {
		if altered[i] != altered[i-1] {
			altered[i], altered[i-1] = altered[i-1], altered[i]
			break
		}
	}
	foreign := signedBy(s.Of(other), other, delegation.JWS, s.Now, s.Now.Add(world.Day), evil)
	expired := s.signed(delegation.JWS, s.Now.Add(-20*time.Hour), s.Now.Add(-time.Hour), evil)
	older := s.signed(delegation.JWS, s.Now.Add(-time.Hour), s.Now.Add(world.Day), evil)
	second, err := s.secondLabel(older)
	if err != nil {
		return err
	}
	remembering := s.policy
	remembering.Floor = s.decision.Floor()

	for _, attempt := range []struct {
		what   string
		srv    delegation.Endpoint
		raw    []byte
		policy delegation.Policy
		want   reasons.Reason
	}{
		{"a forged SRV record", evil, s.jws, s.policy, reasons.TargetMismatch},
		{"an altered statement", evil, altered, s.policy, reasons.BadSignature},
		{"a statement of another domain", evil, foreign, s.policy, reasons.SourceMismatch},
		{"an expired statement", evil, expired, s.policy, reasons.Expired},
		{"an older statement after a newer one", evil, older, remembering, reasons.Superseded},
		{"a statement for the second SRV label", evil, second, s.policy, reasons.ServiceMismatch},
	} {
		if err := s.publish(attempt.srv, delegation.JWS, attempt.raw); err != nil {
			return err
		}
		_, err := s.check(s.ctx, discovery.ViaBoth, attempt.policy)
		if err := s.refused(attempt.what, err, attempt.want); err != nil {
			return err
		}
	}
	return nil
}

// secondLabel signs a statement again, with the owner's own key, for the second
// SRV label of the role. dnasign does not do that.
func (s *story) secondLabel(token []byte) ([]byte, error) {
	payload, err := base64.RawURLEncoding.DecodeString(strings.Split(string(token), ".")[1])
	if err != nil {
		return nil, err
	}
	payload = bytes.Replace(payload, []byte(service), []byte(label), 1)
	return jws.Sign(payload, delegation.Type, keys.ES256, s.Of(source))
}

// refused tells of a refusal, which must be the one expected.
func (s *story) refused(what string, err error, want reasons.Reason) error {
	e, ok := errors.AsType[*delegation.Error](err)
	if !ok || e.Outcome != reasons.OutcomeRefused || e.Reason != want {
		return fmt.Errorf("%s: got %v, want it refused: %s", what, err, want)
	}
	s.line(what, "refused: %s: %s", e.Reason, e.Detail)
	return nil
}
