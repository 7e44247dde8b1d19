// Package hints says what a person can do about a reason. Hints name commands,
// flags and files of this project, so they belong to the programs and not to the
// packages that others import.
package hints

import (
	"strings"

	"github.com/dnasign/dnasign/delegation/reasons"
)

// For is one sentence for somebody who verifies. It is empty for
// [reasons.Verified] and for an unknown reason.
func For(r reasons.Reason) string { return forVerifiers[r] }

// ForOwner is one sentence for the owner of the domain.
func ForOwner(r reasons.Reason) string {
	if hint := forOwners[r]; hint != "" {
		return hint
	}
	return toOwner.Replace(For(r))
}

// toOwner makes what a hint says about the owner something said to the owner.
var toOwner = strings.NewReplacer("the owner must ", "", "the owner can ", "", "the owner signs it ", "sign the target ")

// forVerifiers has a hint for every reason but verified.
var forVerifiers = map[reasons.Reason]string{
	reasons.BadFile:              "check the file's name, permissions and contents",
	reasons.BadPEM:               "give PEM files: one with the certificate and its chain, one with the private key",
	reasons.KeyEncrypted:         "decrypt the key first, for example: \"openssl pkey -in KEY -out PLAINKEY\"",
	reasons.KeyReadable:          "make the key private: \"chmod 600 KEY\"; on a read-only mount set its mode where it is mounted",
	reasons.KeyMismatch:          "give the key that belongs to the certificate",
	reasons.MissingInput:         "give what is missing; trust anchors, time and question have no defaults",
	reasons.BadQuery:             "give a domain such as b.example, a service such as xmpp-server, a target such as host.example:5269",
	reasons.BadEvidence:          "use evidence that was saved for this domain and service by this version",
	reasons.NoStatement:          "nothing that can be used is published; the owner begins with \"dnasign init --domain DOMAIN\" and publishes with \"dnasign renew\"; if that was done, compare it with what was found",
	reasons.Unanswered:           "try again",
	reasons.DNSTimeout:           "is the resolver reachable? try again, or name another with --resolver",
	reasons.DNSFailure:           "ask the name with another resolver; the zone's servers may be broken",
	reasons.DNSBogus:             "DNSSEC validation failed: the zone is broken or somebody forges answers; do not go on",
	reasons.AliasLoop:            "the owner must mend the CNAME chain",
	reasons.HTTPSTimeout:         "try again; the web server is slow or away",
	reasons.HTTPSFailure:         "look at the web server and its certificate (is the chain complete, its trust anchor among yours or --roots?); without HTTPS: --via dns",
	reasons.BadRedirect:          "the owner must serve the file itself, or redirect to https on port 443, three times at most",
	reasons.DocumentTooLarge:     "the owner must serve the statement and nothing else at that address",
	reasons.AddressNotAllowed:    "the name points to a private or special address; in a laboratory use --allow-private-addresses",
	reasons.SelfTestFailed:       "name a resolver that validates DNSSEC, and two names whose state you know",
	reasons.TooManyRecords:       "the owner must remove old records, and those that do not verify",
	reasons.MalformedRecord:      "publish the record again, as \"dnasign publish zone FILE\" prints it for zone files and \"dnasign publish zone --value FILE\" for forms",
	reasons.StatementTooLarge:    "sign with a shorter chain or fewer targets",
	reasons.UnsupportedEncoding:  "use a verifier that knows this encoding",
	reasons.MalformedToken:       "the data is damaged or not a statement; publish it again",
	reasons.BadHeader:            "sign with alg, typ and x5c in the header and nothing else",
	reasons.WrongType:            "this is another kind of token; a delegation has typ dna+jwt",
	reasons.UnsupportedAlgorithm: "sign with ES256, ES384, RS256, PS256 or EdDSA",
	reasons.MalformedCertificate: "put the signer's chain, leaf first and at most five certificates, into the statement",
	reasons.MalformedBag:         "the data is damaged or not a statement; publish it again",
	reasons.BagContents:          "put certificates into the CMS message and nothing else",
	reasons.BagDuplicate:         "put each certificate into the CMS message once",
	reasons.BagCount:             "put exactly one attribute certificate into the CMS message",
	reasons.MalformedAC:          "make the attribute certificate in strict DER by RFC 5755",
	reasons.IssuerForm:           "name the issuer in v2Form, by one directoryName",
	reasons.InnerOuterMismatch:   "the attribute certificate was altered, or made by faulty software",
	reasons.BadSerial:            "use a positive serial number of 16 octets at most",
	reasons.BadACTime:            "write times in UTC and whole seconds, as YYYYMMDDHHMMSSZ",
	reasons.DuplicateAttribute:   "write each attribute type once",
	reasons.DuplicateExtension:   "write each extension once",
	reasons.CriticalExtension:    "leave out critical extensions",
	reasons.BadRevocation:        "write noRevAvail and no pointer to revocation information",
	reasons.MalformedAttribute:   "write the one attribute of the specification, in strict DER",
	reasons.AttributeVersion:     "use a verifier that knows this version",
	reasons.MalformedClaims:      "sign exactly the claims of the specification",
	reasons.BadName:              "sign names in ASCII, lower-case, without a trailing dot",
	reasons.BadTargets:           "sign 0 to 16 distinct targets with ports from 1 to 65535",
	reasons.BadLifetime:          "sign with an end that is after the beginning",
	reasons.HolderMismatch:       "write the targets' hosts as the holder, each once, in order",
	reasons.SignerHashMismatch:   "carry the very certificate the statement was signed with",
	reasons.SourceMismatch:       "this statement belongs to another domain; find the one for the domain you ask about",
	reasons.ParentSource:         "a delegation covers exactly one domain; the owner must sign one for this domain",
	reasons.ServiceMismatch:      "this statement is for another service; the owner must sign for this one, and for the role such as xmpp-server, never for its second label such as xmpps-server",
	reasons.NotYetValid:          "compare the clocks of signer and verifier",
	reasons.Expired:              "the owner must sign and publish a new one: \"dnasign renew\"",
	reasons.LifeTooLong:          "the owner must sign for a shorter time, such as --valid 14d",
	reasons.UnsupportedKey:       "sign with RSA of 2048 to 4096 bits, P-256, P-384 or Ed25519",
	reasons.ChainNotLinear:       "give the chain leaf first, each certificate followed by its issuer, none twice",
	reasons.SignerVersion:        "sign with an X.509 version 3 certificate",
	reasons.SignerIsCA:           "sign with the domain's server certificate, not with a certification authority",
	reasons.SignerWildcard:       "a wildcard is not enough: get a certificate that names the domain itself",
	reasons.SignerCommonNameOnly: "the common name does not count: get a certificate with the domain as DNS name (subjectAltName)",
	reasons.SignerNameMismatch:   "sign with a certificate that has the domain as DNS name (subjectAltName)",
	reasons.SignerNotNamed:       "sign with a key that the TLSA records at _signer.SERVICE._dna.DOMAIN name, or add a record for this key there",
	reasons.SignerKeyUsage:       "sign with a certificate whose keyUsage has digitalSignature",
	reasons.SignerExtKeyUsage:    "sign with a certificate for TLS servers (extKeyUsage serverAuth)",
	reasons.SignerNotYetValid:    "wait until the certificate is valid, or look at the clock",
	reasons.SignerExpired:        "renew the certificate and sign again",
	reasons.IssuedBeforeSigner:   "sign again: a statement cannot be older than its certificate",
	reasons.Superseded:           "somebody shows an old statement, and only the newest one is accepted; if the domain is yours, see docs/theft.md",
	reasons.Conflict:             "the owner must sign again, with targets that agree with the SRV records",
	reasons.AlgorithmMismatch:    "sign with the algorithm that belongs to the certificate's key",
	reasons.IssuerNameMismatch:   "write the subject of the signer's certificate as the issuer, octet for octet",
	reasons.BadSignature:         "the statement was altered, or signed with another key",
	reasons.UntrustedSigner:      "is the chain complete, and its trust anchor among yours? others are given with --roots",
	reasons.SignerRejected:       "your own policy refuses this certificate",
	reasons.Revoked:              "the owner revoked the delegation of this service; only the domain's own certificate is accepted",
	reasons.ServiceNotAvailable:  "the domain says that it does not have this service",
	reasons.PortMismatch:         "the host is delegated to on another port; the owner must sign this one or mend the SRV record",
	reasons.TargetMismatch:       "do not connect there: the owner did not delegate to it",
	reasons.NotSecure:            "sign the zone, and name a validating resolver with --validating-resolver",
	reasons.NotUsed:              "nothing: something that ranks higher comes first",
	reasons.NoPOSH:               "nothing: a signed statement needs no POSH file",
	reasons.MalformedPOSH:        "correct the POSH file (RFC 7711), or remove it and publish a statement",
	reasons.ConnectFailed:        "is the target up, and its port open? try again later",
	reasons.ConnectTimeout:       "the target is slow or silent; try again later",
	reasons.NoTLSStart:           "if TLS begins with the first byte there, the owner can sign the target with tls direct",
	reasons.STARTTLSMissing:      "somebody on the path may have removed the offer; never go on in plain text",
	reasons.STARTTLSFailed:       "the target must speak the protocol of the service, host this domain and have a certificate set up; where TLS begins with the first byte, the owner signs it with tls direct",
	reasons.STARTTLSInjection:    "somebody on the path adds plain text, or the server is faulty; do not go on",
	reasons.TLSFailed:            "the target needs a certificate for the name it is asked for, and TLS 1.2 or later; where it begins in clear text, the owner signs it without tls direct; its log says more",
	reasons.PeerUntrusted:        "the provider must show a certificate that leads to a trust anchor of yours",
	reasons.DANEMismatch:         "the provider must show what its TLSA records name, or publish a record for the new key before it uses that",
	reasons.PeerNameMismatch:     "the provider must show a certificate for the name it was delegated to",
	reasons.ProofExpired:         "verify again",
	reasons.PeerKeyMismatch:      "the provider changed its key; the owner must sign its new pin",
	reasons.Overloaded:           "try again later; the limits are options of dnaverify serve, and its metrics show who uses them up",
	reasons.MemoryFailed:         "look at the memory of statements (--store): its disk, permissions, or server; dnaverify serve names the error, when it starts and in its log",
	reasons.BadTSIGKey:           "give a key file as tsig-keygen or keymgr -t writes it, for hmac-sha256, hmac-sha384 or hmac-sha512",
	reasons.TSIGRejected:         "compare name, algorithm and secret of the key with those of the server, and which zones it may update",
	reasons.ClockMismatch:        "set the clock of this machine, or the server's, from the network (NTP)",
	reasons.UpdateRefused:        "let the key update this name at the server; name the zone's primary with --server",
	reasons.UpdateTooLarge:       "remove old records by hand, or sign with the format ac, a shorter chain or fewer targets",
	reasons.UpdateFailed:         "is the server up and reachable over TCP, and does the program do what docs/publish.md says? try again; the old statement is there, or the new one",
	reasons.UpdateRaced:          "try again; is another program writing these records all the time?",
	reasons.NotEverywhere:        "look at the servers named: do they get the zone from the primary? nothing needs to be undone",
}

// forOwners has the reasons about which an owner can do something else.
var forOwners = map[reasons.Reason]string{
	reasons.Superseded:        "a newer statement or certificate of the domain exists; if none of your machines made it, somebody else did: see docs/theft.md",
	reasons.Expired:           "sign with a valid certificate and publish the new statement; \"dnasign renew\" does both",
	reasons.SignerExpired:     "sign with a valid certificate and publish the new statement; \"dnasign renew\" does both",
	reasons.NoStatement:       "nothing that can be used is published; \"dnasign renew\" signs and publishes what is missing",
	reasons.Revoked:           "the service is revoked, so only the domain's own certificate is accepted; to delegate again, sign with targets",
	reasons.Conflict:          "sign again, with targets that agree with your SRV records: the newer statement replaces what is there",
	reasons.ServiceMismatch:   "sign for the role, such as xmpp-server, with --target HOST:PORT/direct where TLS begins with the first byte",
	reasons.TargetMismatch:    "make the SRV records and the targets of the statement the same",
	reasons.PortMismatch:      "make the SRV records and the targets of the statement the same",
	reasons.SourceMismatch:    "publish this statement at a place of its own domain",
	reasons.UntrustedSigner:   "sign with a certificate from an authority that others trust, and with its whole chain; name an authority of your own with --roots",
	reasons.SignerNotYetValid: "set the clock of this machine from the network (NTP)",
	reasons.ClockMismatch:     "set the clock of this machine from the network (NTP)",
}
