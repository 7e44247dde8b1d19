package delegation

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"slices"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/testkit/acder"
	"github.com/dnasign/dnasign/internal/testkit/dertree"
	"github.com/dnasign/dnasign/keys"
)

// acSet is a spoiler that replaces one part of acinfo.
func acSet(with *dertree.Node, path ...int) func(*trial) {
	return acInfo(func(info *dertree.Node) { *info.At(path...) = *with })
}

// acContent is a spoiler that replaces the content of one primitive part of
// acinfo.
func acContent(content string, path ...int) func(*trial) {
	return acInfo(func(info *dertree.Node) { info.At(path...).Content = []byte(content) })
}

// acAdd is a spoiler that appends to a constructed part of acinfo.
func acAdd(child *dertree.Node, path ...int) func(*trial) {
	return acInfo(func(info *dertree.Node) { info.At(path...).Add(child) })
}

func acSerialOf(octets ...byte) func(*trial) {
	return acSet(dertree.Primitive(acder.TagInteger, octets...), acder.PartSerial)
}

// acSigned is a spoiler for a signer of a kind, an algorithm and its options.
func acSigned(kind string, algorithm *dertree.Node, opts crypto.SignerOpts) func(*trial) {
	return func(tr *trial) {
		tr.signer = tr.issue(kind, nil)
		withAC(acEdits{opts: opts, info: func(info *dertree.Node) { *info.At(acder.PartAlgorithm) = *algorithm }})(tr)
	}
}

// acBy is a spoiler for another signer's certificate.
func acBy(kind string, edit func(*x509.Certificate)) func(*trial) {
	return func(tr *trial) {
		tr.signer = tr.issue(kind, edit)
		withAC(acEdits{})(tr)
	}
}

// acCases are what the test vectors do not have.
func acCases() []verifyCase {
	signerInfo := dertree.Constructed(acder.TagSequence, acder.Integer(1))
	return []verifyCase{
		{"empty", acOctets(func([]byte) []byte { return nil }), reasons.MalformedBag},
		{"signer infos without certificates", acMessage(func(signed *dertree.Node) {
			signed.At(acder.BagSigners).Add(signerInfo)
			signed.Remove(acder.BagCertificates)
		}), reasons.BagContents},
		{"the issuer twice", acInfo(func(info *dertree.Node) {
			list := info.At(acder.PathIssuerList...)
			list.Add(list.Children[0])
		}), reasons.IssuerForm},
		{"SHA-512 with P-384", acSigned("P-384", acder.AlgorithmID("1.2.840.10045.4.3.4"), crypto.SHA512), reasons.UnsupportedAlgorithm},
		{"21 octets, the first zero", acSerialOf(append([]byte{0, 0x80}, make([]byte, 19)...)...), reasons.BadSerial},
		{"the value twice", acInfo(func(info *dertree.Node) {
			values := info.At(acder.PathValues...)
			values.Add(values.Children[0])
		}), reasons.MalformedAttribute},
		{"source in UTF-8", acContent("bücher.example", append(slices.Clone(acder.PathValue), 1)...), reasons.MalformedAttribute},
		{"signerHash of SHA-384", acSet(dertree.Primitive(acder.TagOctets, make([]byte, 48)...), append(slices.Clone(acder.PathValue), 4)...), reasons.MalformedAttribute},
		{"host outside ASCII", acContent("xmpp.hosting.ex\xe4mple", append(slices.Clone(acder.PathTarget), 0)...), reasons.MalformedAttribute},
		{"a pin", acAdd(dertree.Constructed(acder.Context(0), dertree.Primitive(acder.TagOctets, make([]byte, 32)...)), acder.PathTarget...), reasons.Verified},
		{"an authority", acBy("P-256", func(c *x509.Certificate) {
			c.IsCA, c.KeyUsage = true, c.KeyUsage|x509.KeyUsageCertSign
		}), reasons.SignerIsCA},
		{"another name", acBy("P-256", func(c *x509.Certificate) { c.DNSNames = []string{"c.example"} }), reasons.SignerNameMismatch},
		{"keyUsage without digitalSignature", acBy("RSA-2048", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), reasons.SignerKeyUsage},
		{"a signer of the past", acBy("P-256", func(c *x509.Certificate) { c.NotAfter = now.Add(-time.Second) }), reasons.SignerExpired},
		{"an anchor that is not trusted", func(tr *trial) {
			tr.policy.Roots = x509.NewCertPool()
			withAC(acEdits{})(tr)
		}, reasons.UntrustedSigner},
	}
}

func TestACCases(t *testing.T) {
	runCases(t, 15, acCases())
}

// TestACSameReason: what is wrong with a statement, and not with its encoding,
// has the same reason in both encodings.
func TestACSameReason(t *testing.T) {
	target := targetJSON(host, 5269, 10, 5)
	pinList := func(n int) *dertree.Node {
		list := dertree.Constructed(acder.Context(0))
		for range n {
			list.Add(dertree.Primitive(acder.TagOctets, make([]byte, 32)...))
		}
		return list
	}
	number := func(i int, n int64) func(*trial) {
		return acSet(acder.Integer(n), append(slices.Clone(acder.PathTarget), i)...)
	}
	cases := []struct {
		name      string
		statement func(s *Statement) // the defect, or
		jws, ac   func(*trial)       // the defect in each encoding, that Statement cannot hold
		want      reasons.Reason
	}{
		{"source in upper case", func(s *Statement) { s.Source = "B.example" }, nil, nil, reasons.BadName},
		{"source of one label", func(s *Statement) { s.Source = "example" }, nil, nil, reasons.BadName},
		{"source with a trailing dot", func(s *Statement) { s.Source += "." }, nil, nil, reasons.BadName},
		{"source empty", func(s *Statement) { s.Source = "" }, nil, nil, reasons.BadName},
		{"source a wildcard", func(s *Statement) { s.Source = "*.example" }, nil, nil, reasons.BadName},
		{"source an address", func(s *Statement) { s.Source = "192.0.2.1" }, nil, nil, reasons.BadName},
		{"source that is local", func(s *Statement) { s.Source = "b.local" }, nil, nil, reasons.BadName},
		{"source with a bad A-label", func(s *Statement) { s.Source = "xn--a.example" }, nil, nil, reasons.BadName},
		{"source with a space", func(s *Statement) { s.Source = "b .example" }, nil, nil, reasons.BadName},
		{"owner name too long", func(s *Statement) { s.Source = longName(253) }, nil, nil, reasons.BadName},
		{"service without underscore", func(s *Statement) { s.Service = "xmpp-server._tcp" }, nil, nil, reasons.BadName},
		{"service over sctp", func(s *Statement) { s.Service = "_xmpp-server._sctp" }, nil, nil, reasons.BadName},
		{"service empty", func(s *Statement) { s.Service = "" }, nil, nil, reasons.BadName},
		{"host in upper case", func(s *Statement) { s.Targets[0].Host = "Xmpp.hosting.example" }, nil, nil, reasons.BadName},
		{"host empty", func(s *Statement) { s.Targets[0].Host = "" }, nil, nil, reasons.BadName},
		{"host too long", func(s *Statement) { s.Targets[0].Host = longName(254) }, nil, nil, reasons.BadName},
		{"port 0", func(s *Statement) { s.Targets[0].Port = 0 }, nil, nil, reasons.BadTargets},
		{"endpoint twice", func(s *Statement) { s.Targets = append(s.Targets, s.Targets[0]) }, nil, nil, reasons.BadTargets},
		{"17 targets", func(s *Statement) {
			for i := range uint16(limits.MaxTargets) {
				s.Targets = append(s.Targets, Target{Endpoint: Endpoint{host, 1 + i}})
			}
		}, nil, nil, reasons.BadTargets},
		{"5 pins", func(s *Statement) { s.Targets[0].SPKI = make([]Pin, 5) }, nil, nil, reasons.BadTargets},
		{"exp equals iat", func(s *Statement) { s.Expires = s.Issued }, nil, nil, reasons.BadLifetime},
		{"exp before iat", func(s *Statement) { s.Expires = s.Issued.Add(-time.Hour) }, nil, nil, reasons.BadLifetime},
		{"exp after the year 9999", func(s *Statement) { s.Expires = time.Unix(maxTime+1, 0) }, nil, nil, reasons.BadLifetime},
		{"another source", func(s *Statement) { s.Source = "c.example" }, nil, nil, reasons.SourceMismatch},
		{"a parent of the source", func(s *Statement) { s.Source = "sub.b.example" }, nil, nil, reasons.SourceMismatch},
		{"another service", func(s *Statement) { s.Service = "_xmpp-client._tcp" }, nil, nil, reasons.ServiceMismatch},
		{"not yet issued", func(s *Statement) { s.Issued = now.Add(limits.ClockSkew + time.Second) }, nil, nil, reasons.NotYetValid},
		{"expired", func(s *Statement) { s.Expires = now }, nil, nil, reasons.Expired},
		{"a life too long", func(s *Statement) { s.Expires = s.Issued.Add(limits.DefaultMaxLife + time.Second) }, nil, nil, reasons.LifeTooLong},
		{"issued long before its signer", func(s *Statement) { s.Issued = now.Add(-10*day - limits.ClockSkew - time.Second) }, nil, nil, reasons.IssuedBeforeSigner},
		{"revoked", func(s *Statement) { s.Targets = nil }, nil, nil, reasons.Revoked},

		{"port 65536", nil, targets(targetJSON(host, 65536, 10, 5)), number(1, 65536), reasons.BadTargets},
		{"port 5269 + 2^32", nil, targets(targetJSON(host, 5269+1<<32, 10, 5)), number(1, 5269+1<<32), reasons.BadTargets},
		{"priority 65536", nil, targets(targetJSON(host, 5269, 65536, 5)), number(2, 65536), reasons.BadTargets},
		{"weight 65536", nil, targets(targetJSON(host, 5269, 10, 65536)), number(3, 65536), reasons.BadTargets},
		{"no pins in the list", nil, targets(pins(0)), acAdd(pinList(0), acder.PathTarget...), reasons.BadTargets},
		{"6 pins", nil, targets(pins(6)), acAdd(pinList(6), acder.PathTarget...), reasons.BadTargets},
		{"a bad name and a bad port", nil, payload(target, targetJSON("X.example", 65536, 10, 5)), acInfo(func(info *dertree.Node) {
			info.At(acder.PathTarget...).Children[0] = dertree.Primitive(acder.TagIA5, []byte("X.example")...)
			info.At(acder.PathTarget...).Children[1] = acder.Integer(65536)
		}), reasons.BadName},
		{"a bad port and a bad life", nil, func(tr *trial) {
			payload(target, targetJSON(host, 65536, 10, 5))(tr)
			tr.statement.Expires = tr.statement.Issued
		}, func(tr *trial) {
			tr.statement.Expires = tr.statement.Issued
			number(1, 65536)(tr)
		}, reasons.BadTargets},
	}
	if len(cases) < 39 {
		t.Errorf("%d cases", len(cases))
	}
	for _, c := range cases {
		jws, ac := c.jws, c.ac
		if c.statement != nil {
			jws = func(tr *trial) { c.statement(&tr.statement) }
			ac = acStatement(c.statement)
		}
		for name, spoil := range map[Encoding]func(*trial){JWS: jws, AC: ac} {
			t.Run(c.name+"/"+string(name), func(t *testing.T) {
				tr := newTrial(t)
				spoil(tr)
				result, err := tr.verify()
				wantEnd(t, c.want, result, err)
			})
		}
	}
}

// TestSignACRefuses: Sign refuses for this encoding what it refuses for the
// other, and makes nothing.
func TestSignACRefuses(t *testing.T) {
	lab := newLaboratory(t)
	for _, c := range []struct {
		name   string
		signer *keys.Signer
		spoil  func(s *Statement)
		want   reasons.Reason
	}{
		{"a bad name", lab.signer, func(s *Statement) { s.Source = "B.example" }, reasons.BadName},
		{"no life", lab.signer, func(s *Statement) { s.Expires = s.Issued }, reasons.BadLifetime},
		{"a zero ID", lab.signer, func(s *Statement) { s.ID = ID{} }, reasons.MalformedClaims},
		{"another domain's certificate", lab.issue("P-256", func(c *x509.Certificate) { c.DNSNames = []string{"c.example"} }), func(*Statement) {}, reasons.SignerNameMismatch},
		{"P-521", lab.issue("P-521", nil), func(*Statement) {}, reasons.UnsupportedKey},
		{"an authority", lab.issue("P-256", func(c *x509.Certificate) { c.IsCA = true }), func(*Statement) {}, reasons.SignerIsCA},
		{"a key that may not sign", lab.issue("RSA-2048", func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyEncipherment }), func(*Statement) {}, reasons.SignerKeyUsage},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := goodStatement()
			c.spoil(&s)
			raw, err := Sign(s, AC, c.signer)
			if got := ReasonOf(err); got != c.want || raw != nil {
				t.Errorf("%v and %d octets, want %s", err, len(raw), c.want)
			}
		})
	}
}

// TestACKeyIdentifier: authorityKeyIdentifier is the signer's
// subjectKeyIdentifier, else made of its key.
func TestACKeyIdentifier(t *testing.T) {
	lab := newLaboratory(t)
	for _, id := range [][]byte{nil, {1, 2, 3}} {
		signer := lab.issue("P-256", func(c *x509.Certificate) { c.SubjectKeyId = id })
		raw, err := Sign(goodStatement(), AC, signer)
		if err != nil {
			t.Fatal(err)
		}
		got := acParse(t, raw).AuthorityKeyID
		if id == nil && len(got) != 20 || id != nil && !bytes.Equal(got, id) {
			t.Errorf("%x for %x", got, id)
		}
	}
}

// TestACReasonOrder holds messages with several defects to the order of
// docs/spec.md, section 11, steps 3, 4 and 11.
func TestACReasonOrder(t *testing.T) {
	defects := []struct {
		want  reasons.Reason
		spoil func(e *acEdits)
	}{
		{reasons.BagContents, inMessage(func(signed *dertree.Node) { signed.At(acder.BagSigners).Add(acder.Integer(1)) })},
		{reasons.BagDuplicate, inMessage(func(signed *dertree.Node) {
			set := signed.At(acder.BagCertificates)
			set.Add(set.Children[0])
		})},
		{reasons.MalformedAC, inInfo(func(info *dertree.Node) { info.Children[acder.PartVersion] = acder.Integer(2) })},
		{reasons.IssuerForm, inInfo(func(info *dertree.Node) { info.At(acder.PathIssuerList...).Add(acder.DNSName(source)) })},
		{reasons.BadSerial, inInfo(func(info *dertree.Node) { info.Children[acder.PartSerial] = acder.Integer(0) })},
		{reasons.BadACTime, inInfo(func(info *dertree.Node) { info.At(acder.PartValidity, 0).Content = []byte("20260701110000+0000") })},
		{reasons.DuplicateExtension, inInfo(func(info *dertree.Node) {
			list := info.At(acder.PartExtensions)
			list.Add(list.Children[0])
		})},
		{reasons.UnsupportedAlgorithm, inInfo(func(info *dertree.Node) { *info.At(acder.PartAlgorithm) = *acder.AlgorithmID("1.2.3.4") })},
		{reasons.CriticalExtension, inInfo(func(info *dertree.Node) { info.At(acder.PartExtensions).Add(acder.Extension("2.25.1", true, nil)) })},
		{reasons.BadRevocation, inInfo(func(info *dertree.Node) {
			info.At(acder.PartExtensions).Add(acder.Extension("2.5.29.31", false, []byte{acder.TagSequence, 0}))
		})},
		{reasons.AttributeVersion, inInfo(func(info *dertree.Node) { info.At(acder.PathValue...).Children[0] = acder.Integer(2) })},
		{reasons.BadName, inInfo(func(info *dertree.Node) { info.At(acder.PathValue...).At(1).Content = []byte("B.example") })},
		{reasons.BadTargets, inInfo(func(info *dertree.Node) { info.At(acder.PathTarget...).Children[1] = acder.Integer(0) })},
		{reasons.HolderMismatch, inInfo(func(info *dertree.Node) { info.At(acder.PathHolderList...).Children[0] = acder.DNSName(source) })},
		{reasons.SignerHashMismatch, inInfo(func(info *dertree.Node) { clear(info.At(acder.PathValue...).At(4).Content) })},
	}
	if len(defects) < 15 {
		t.Errorf("%d defects", len(defects))
	}
	for i, first := range defects {
		t.Run(string(first.want), func(t *testing.T) {
			tr := newTrial(t)
			var e acEdits
			for _, d := range defects[i:] {
				d.spoil(&e)
			}
			withAC(e)(tr)
			result, err := tr.verify()
			wantEnd(t, first.want, result, err)
		})
	}
}

// inInfo and inMessage add a change to the changes that there are.
func inInfo(change func(*dertree.Node)) func(*acEdits) {
	return func(e *acEdits) { e.info = acAfter(e.info, change) }
}

func inMessage(change func(*dertree.Node)) func(*acEdits) {
	return func(e *acEdits) { e.bag = acAfter(e.bag, change) }
}

func acAfter(earlier, change func(*dertree.Node)) func(*dertree.Node) {
	return func(n *dertree.Node) {
		if earlier != nil {
			earlier(n)
		}
		change(n)
	}
}
