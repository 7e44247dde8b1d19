package watch

import (
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/text"
)

// A channel is a way to publish.
type channel string

const (
	channelDNS   channel = "dns"
	channelHTTPS channel = "https"
)

// name is for a person.
func (c channel) name() string { return strings.ToUpper(string(c)) }

// A place is what was found at one name or URL, and what became of it.
type place struct {
	channel channel
	origin  string
	failure *delegation.Error // it could not be looked at
	found   []statement
}

// A statement is one thing that was found at a place, and the verdict about it
// alone.
type statement struct {
	encoding    delegation.Encoding
	origin      string
	err         *delegation.Error // why it is no good, nil if it is good or revokes
	certificate certificate       // the signer's, zero if it leads to no trust anchor
	// Of a good one:
	floor   delegation.Floor // its place in the order and targets
	targets []delegation.Target
}

// describe tells a good statement from others, for a person.
func (s *statement) describe() string {
	to := "nobody"
	var hosts []string
	for _, t := range s.targets {
		hosts = append(hosts, t.Endpoint.String())
	}
	if len(hosts) > 0 {
		to = strings.Join(hosts, " ")
	}
	return fmt.Sprintf("one of %s by a certificate of %s to %s", text.Stamp(s.floor.Order.Issued), text.Stamp(s.floor.Order.Issuance), to)
}

// A reader gives a verdict about every place and every statement in it. It
// judges the same bytes at the same place once, even if several resolvers found
// them.
type reader struct {
	query  delegation.Query // without a target
	policy delegation.Policy
	judged map[string]statement // by place, state and octets
}

func newReader(q delegation.Query, p delegation.Policy) *reader {
	q.Target = delegation.Endpoint{}
	return &reader{query: q, policy: p, judged: map[string]statement{}}
}

func (r *reader) places(e *delegation.Evidence) []place {
	var list []place
	for _, a := range e.TXT {
		p := place{channel: channelDNS, origin: a.Name}
		for _, one := range r.split(a) {
			text := strings.Join(one.Records, "\n")
			r.read(&p, encodingOf(text), string(a.DNSSEC)+" "+text, func(part *delegation.Evidence) { part.TXT = []delegation.TXTAnswer{one} })
		}
		list = append(list, p)
	}
	for _, d := range e.Documents {
		p := place{channel: channelHTTPS, origin: d.URL}
		key := fmt.Sprintf("%d %s %s", d.Status, d.MediaType, d.Body)
		r.read(&p, r.encodingAt(d.URL), key, func(part *delegation.Evidence) { part.Documents = []delegation.Document{d} })
		list = append(list, p)
	}
	return list
}

// split makes an answer of each record, so that each gets its own verdict. With
// too many records none is judged, and it does not split.
func (r *reader) split(a delegation.TXTAnswer) []delegation.TXTAnswer {
	whole := []delegation.TXTAnswer{a}
	if len(a.Records) > limits.MaxTXTRecords {
		_, err := r.verify(new(statement), func(part *delegation.Evidence) { part.TXT = whole })
		if err != nil && err.Reason == reasons.TooManyRecords {
			return whole
		}
	}
	if len(a.Records) < 2 {
		return whole
	}
	var parts []delegation.TXTAnswer
	for _, record := range a.Records {
		one := a
		one.Records = []string{record}
		parts = append(parts, one)
	}
	return parts
}

// read enters the verdict about a part of the evidence into its place. The key
// recognizes the same part again.
func (r *reader) read(p *place, encoding delegation.Encoding, key string, put func(*delegation.Evidence)) {
	key = p.origin + " " + key
	if s, known := r.judged[key]; known {
		p.found = append(p.found, s)
		return
	}
	s := statement{encoding: encoding, origin: p.origin}
	result, err := r.verify(&s, put)
	switch {
	case err == nil:
		proven := result.Proven()
		s.encoding, s.floor, s.targets = proven.Encoding, proven.Floor, proven.Statement.Targets
	case err.Reason == reasons.NoStatement:
		return
	case err.Outcome == reasons.OutcomeUndetermined:
		p.failure = err
		return
	case err.Reason == reasons.Revoked:
		s.floor = err.Floor
	default:
		s.err = err
	}
	r.judged[key] = s
	p.found = append(p.found, s)
}

// verify gives the verdict about a part of the evidence. The part has no SRV
// answers, so the verdict is about the statement alone. Once the chain holds,
// the signer's certificate is entered into s.
func (r *reader) verify(s *statement, put func(*delegation.Evidence)) (*delegation.Result, *delegation.Error) {
	p := r.policy
	p.SignerCheck = func(chain []*x509.Certificate) error {
		s.certificate = aboutCertificate(chain[0])
		if r.policy.SignerCheck != nil {
			return r.policy.SignerCheck(chain)
		}
		return nil
	}
	part := delegation.Evidence{Version: delegation.EvidenceVersion, Source: r.query.Source, Service: r.query.Service}
	put(&part)
	result, err := delegation.Verify(r.query, &part, p)
	return result, asError(err)
}

// asError returns the error of Verify as its own type.
func asError(err error) *delegation.Error {
	var e *delegation.Error
	if err != nil && !errors.As(err, &e) {
		e = &delegation.Error{Outcome: reasons.OutcomeRefused, Reason: delegation.ReasonOf(err), Detail: err.Error()}
	}
	return e
}

// encodingOf is the encoding that a TXT record names, "" for another.
func encodingOf(record string) delegation.Encoding {
	for _, e := range delegation.Encodings() {
		if strings.HasPrefix(record, e.TXTRecord(nil)) {
			return e
		}
	}
	return ""
}

// encodingAt is the encoding that is asked for at a URL.
func (r *reader) encodingAt(url string) delegation.Encoding {
	for _, e := range delegation.Encodings() {
		if url == delegation.DocumentURL(r.query.Source, delegation.RoleOf(r.query.Service).Service, e) {
			return e
		}
	}
	return ""
}
