package delegation

import (
	"slices"
	"strings"
	"time"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/text"
	"github.com/dnasign/dnasign/keys"
)

// A candidate is something found that may be a statement.
type candidate struct {
	origin   string
	channel  channel
	encoding Encoding
	raw      []byte   // nil if a TXT record is known
	found    key      // what the cache knows it by, if there is a cache
	known    *cached  // if exactly that was verified before
	maxAge   int64    // seconds for which the place says it will not change; -1 unknown
	beside   []string // the TXT records at the place, itself included
}

// octets are those of the statement.
func (c *candidate) octets() []byte {
	if c.raw == nil && c.known != nil {
		_, c.raw, _ = parseTXTRecord(c.found.bytes)
	}
	return c.raw
}

// A channel is a way that statements come. What somebody puts into one of them
// must not keep a verifier from looking at the other.
type channel int

const (
	inDNS channel = iota
	inDocument
	inStream
	channels int = iota
)

// limit is how many signature checks may be spent on statements of the channel
// that these checks, or later ones, refuse.
func (c channel) limit() int {
	if c == inStream {
		return limits.MaxFailedStreamChecks
	}
	return limits.MaxFailedChecks
}

// judge holds one candidate to the algorithm of docs/spec.md, section 11, steps 2 to
// 13: cheap checks first, signatures last. named are the keys that may sign.
// spent is how many signature checks its channel has used up. log gets a line
// for each step.
func judge(c candidate, q Query, p *Policy, named namedKeys, spent *int, log *checks) (*Proven, *Error) {
	fail := func(step string, err error) (*Proven, *Error) {
		e := asError(err)
		log.fail(step, c.origin, e)
		return nil, e
	}

	known, again := c.known, c.known != nil
	var received *signed
	if !again {
		signer, header := p.Cache.inToken(c)
		var err error
		if received, err = decode(c.encoding, c.raw, header); err != nil {
			return fail("form", c.explain(asError(err)))
		}
		known = &cached{c.encoding, len(c.raw), received.statement, DigestTargets(received.statement.Targets), signer}
	}
	s := &known.statement
	log.ok("form", c.origin, "%s in good form, %d octets", c.encoding, known.size)

	if err := s.checkSubject(q); err != nil {
		return fail("subject", err)
	}
	log.ok("subject", c.origin, "%s of %s", s.Service, s.Source)

	if err := s.checkTime(p); err != nil {
		return fail("time", err)
	}
	log.ok("time", c.origin, "issued %s, expires %s", moment(s.Issued), moment(s.Expires))

	if known.signer == nil {
		var err *Error
		if known.signer, err = received.readSigner(p.Cache); err != nil {
			return fail("signer", err)
		}
	}
	chain := known.signer.certificates
	leaf := chain[0]
	if err := checkSigner(leaf, s.Source, named, p.Time); err != nil {
		return fail("signer", err)
	}
	if err := checkSignerTime(leaf, p.Time); err != nil {
		return fail("signer", err)
	}
	issuance, err := s.issuance(leaf)
	if err != nil {
		return fail("signer", err)
	}
	signer := keys.Name(leaf)
	log.ok("signer", c.origin, "certificate of %s, %s, until %s", signer, keys.Describe(leaf.PublicKey), moment(leaf.NotAfter))

	floor := Floor{
		Order: Order{issuance, s.Issued}, Targets: known.targets,
		SignerUntil: signerUntil(leaf),
	}
	if err := floor.checkAgainst(p.Floor); err != nil {
		return fail("order", err)
	}

	work := checksOf(chain)
	if limit := c.channel.limit(); *spent+work > limit {
		return fail("signature", Errorf(reasons.TooManyRecords, "other statements there have used up %d signature checks of %d and were refused; this one needs %d",
			*spent, limit, work))
	}
	*spent += work // given back at the end

	if !again {
		if err := received.verify(leaf); err != nil {
			return fail("signature", err)
		}
	}
	log.ok("signature", c.origin, "made with the key of that certificate")

	verified := path{chain[:1], leaf.NotAfter.Add(time.Second)}
	if named.any() {
		if named.until.Before(verified.end) {
			verified.end = named.until
		}
		log.ok("chain", c.origin, "not needed: the zone names this key, and DNSSEC secures that")
	} else {
		if verified, err = trustChain(known.signer, p); err != nil {
			return fail("chain", err)
		}
		log.ok("chain", c.origin, "leads to the trust anchor %s", byName{verified.chain[len(verified.chain)-1]})
	}

	if p.SignerCheck != nil {
		if err := p.SignerCheck(slices.Clone(verified.chain)); err != nil {
			return fail("policy", Errorf(reasons.SignerRejected, "%v", err))
		}
		log.ok("policy", c.origin, "the policy's own check of the chain agrees")
	}

	if !again {
		p.Cache.keep(c, known, received)
	}
	end := verified.end
	if s.Expires.Before(end) {
		end = s.Expires
	}
	floor.ValidUntil = end.UTC()
	if named.any() {
		floor.SignerUntil = floor.ValidUntil // K3d: nobody but the signer says when its certificate ends
	}
	*spent -= work
	return &Proven{
		Statement: *s, Encoding: c.encoding, Origin: c.origin,
		Signer: signer, Fingerprint: known.signer.fingerprint, Named: named.any(),
		ValidUntil: end.UTC(), Floor: floor, maxAge: c.maxAge,
	}, nil
}

// checkSubject: is the statement about what was asked? Exact source only.
func (s *Statement) checkSubject(q Query) *Error {
	if s.Source != q.Source {
		if strings.HasSuffix(q.Source, "."+s.Source) {
			return Errorf(reasons.ParentSource, "it is a delegation by %s, and %s does not inherit it", s.Source, q.Source)
		}
		return Errorf(reasons.SourceMismatch, "it is a delegation by %s, not by %s", s.Source, q.Source)
	}
	if err := s.checkRole(); err != nil {
		return err
	}
	if s.Service != q.Service {
		return Errorf(reasons.ServiceMismatch, "it delegates %s, not %s", s.Service, q.Service)
	}
	return nil
}

// checkRole: a second label of a role, such as _xmpps-server._tcp, has no
// statement of its own.
func (s *Statement) checkRole() *Error {
	if role := RoleOf(s.Service); role.Service != s.Service {
		return Errorf(reasons.ServiceMismatch, "it is for %s, which has no statement of its own: sign for %s, with \"tls\": \"direct\" at the targets",
			s.Service, role.Service)
	}
	return nil
}

// checkTime: there is no post-dating. Valid when iat - limits.ClockSkew <= t < exp.
func (s *Statement) checkTime(p *Policy) *Error {
	if p.Time.Before(s.Issued.Add(-limits.ClockSkew)) {
		return Errorf(reasons.NotYetValid, "issued at %s, and now it is %s", text.FineStamp(s.Issued), text.FineStamp(p.Time))
	}
	if !p.Time.Before(s.Expires) {
		return Errorf(reasons.Expired, "expired at %s, and now it is %s", text.FineStamp(s.Expires), text.FineStamp(p.Time))
	}
	return s.checkLife(p.maxLife())
}

// asError gives any error of the packages below its reason.
func asError(err error) *Error {
	if e, ok := err.(*Error); ok {
		return e
	}
	return Errorf(ReasonOf(err), "%v", err)
}
