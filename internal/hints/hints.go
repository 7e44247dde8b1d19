// Package hints has what a person reads about a reason: what it means, and what
// to do about it. Hints name commands, flags and files of this project, so they
// belong to the programs and not to the packages that others import.
package hints

import (
	"strings"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/keys"
)

// Plain says a reason to somebody who does not know the protocol. It follows a
// colon, as in "b.example is not verified: the statement has expired". Where the
// reason is about a host, that is called as the caller says.
func Plain(r reasons.Reason, host string) string {
	return strings.ReplaceAll(table[r].plain, "{host}", host)
}

// For is one sentence for somebody who verifies. It is empty for
// [reasons.Verified] and for an unknown reason.
func For(r reasons.Reason) string { return table[r].hint }

// ForOwner is one sentence for the owner of the domain.
func ForOwner(r reasons.Reason) string {
	if hint := table[r].owner; hint != "" {
		return hint
	}
	return toOwner.Replace(For(r))
}

// toOwner makes what a hint says about the owner something said to the owner.
var toOwner = strings.NewReplacer("the owner must ", "", "the owner can ", "", "the owner signs it ", "sign the target ")

// oneOf lists algorithms as a sentence does.
func oneOf(list []keys.Algorithm) string {
	var b strings.Builder
	for i, a := range list {
		switch i {
		case 0:
		case len(list) - 1:
			b.WriteString(" or ")
		default:
			b.WriteString(", ")
		}
		b.WriteString(string(a))
	}
	return b.String()
}

// words are the texts about a reason. Owner is there where an owner can do
// something else than the hint says.
type words struct{ plain, hint, owner string }

// table has every reason. Only verified has no hint.
var table = map[reasons.Reason]words{
	reasons.BadFile: {
		plain: "a file is missing or cannot be read",
		hint:  "check the file's name, permissions and contents, and whether the disk is full",
	},
	reasons.BadPEM: {
		plain: "a file does not have the certificates or keys that it should have",
		hint:  "give PEM files: one with the certificate and its chain, one with the private key",
	},
	reasons.KeyEncrypted: {
		plain: "a private key is locked with a pass phrase",
		hint:  "decrypt the key first, for example: \"openssl pkey -in KEY -out PLAINKEY\"",
	},
	reasons.KeyReadable: {
		plain: "a private key can be read by every user of the machine",
		hint:  "make the key private: \"chmod 600 KEY\"; on a read-only mount set its mode where it is mounted",
	},
	reasons.KeyMismatch: {
		plain: "a private key does not belong to its certificate",
		hint:  "give the key that belongs to the certificate",
	},
	reasons.MissingInput: {
		plain: "a part of what is needed for a verdict is missing",
		hint:  "give what is missing; trust anchors, time and question have no defaults",
	},
	reasons.BadQuery: {
		plain: "the domain, service or host asked about is not written correctly",
		hint:  "give a domain such as b.example, a service such as xmpp-server, a target such as host.example:5269",
	},
	reasons.BadEvidence: {
		plain: "the saved evidence is damaged, or about something else",
		hint:  "use evidence that was saved for this domain and service by this version",
	},
	reasons.NoStatement: {
		plain: "the domain has published no delegation that could be found",
		hint:  "nothing that can be used is published; the owner begins with \"dnasign init --domain DOMAIN\" and publishes with \"dnasign renew\"; if that was done, compare it with what was found",
		owner: "nothing that can be used is published; \"dnasign renew\" signs and publishes what is missing",
	},
	reasons.Unanswered: {
		plain: "the search ended before an answer came",
		hint:  "try again",
	},
	reasons.DNSTimeout: {
		plain: "the name servers did not answer in time",
		hint:  "is the resolver reachable? try again, or name another with --resolver",
		owner: "are the resolver and the zone's own name servers reachable? try again, or name another resolver with --resolver, and other name servers with --authority (in a configuration, authority)",
	},
	reasons.DNSFailure: {
		plain: "the name servers gave no usable answer",
		hint:  "ask the name with another resolver; the zone's servers may be broken",
	},
	reasons.DNSBogus: {
		plain: "the DNS answers are forged, or the domain's DNSSEC is broken",
		hint:  "DNSSEC validation failed: the zone is broken or somebody forges answers; do not go on",
	},
	reasons.AliasLoop: {
		plain: "the domain's DNS aliases lead in a circle or too far",
		hint:  "the owner must mend the CNAME chain",
	},
	reasons.HTTPSTimeout: {
		plain: "the domain's web server did not answer in time",
		hint:  "try again; the web server is slow or away",
	},
	reasons.HTTPSFailure: {
		plain: "the domain's web server cannot be reached safely",
		hint:  "look at the web server and its certificate (is the chain complete, its trust anchor among yours or --roots?); without HTTPS: --via dns",
	},
	reasons.BadRedirect: {
		plain: "the domain's web server sends visitors to a place that is not allowed",
		hint:  "the owner must serve the file itself, or redirect to https on port 443, three times at most",
	},
	reasons.DocumentTooLarge: {
		plain: "the domain's web server sent far more than a statement",
		hint:  "the owner must serve the statement and nothing else at that address",
	},
	reasons.AddressNotAllowed: {
		plain: "the domain's name leads into a private network",
		hint:  "the name points to a private or special address; in a laboratory use --allow-private-addresses",
	},
	reasons.SelfTestFailed: {
		plain: "the resolver that should check DNSSEC does not do so",
		hint:  "name a resolver that validates DNSSEC, and two names whose state you know",
	},
	reasons.TooManyRecords: {
		plain: "too many statements are published at one place",
		hint:  "the owner must remove old records, and those that do not verify",
	},
	reasons.MalformedRecord: {
		plain: "the DNS record with the statement is damaged",
		hint:  "publish the record again, as \"dnasign publish zone FILE\" prints it for zone files and \"dnasign publish zone --value FILE\" for forms",
	},
	reasons.StatementTooLarge: {
		plain: "the statement is too large",
		hint:  "sign with a shorter chain or fewer targets",
	},
	reasons.UnsupportedEncoding: {
		plain: "the statement has a form that this program does not know",
		hint:  "use a verifier that knows this encoding",
	},
	reasons.MalformedToken: {
		plain: "the statement is damaged",
		hint:  "the data is damaged or not a statement; publish it again",
	},
	reasons.BadHeader: {
		plain: "the header of the statement has something that does not belong there",
		hint:  "sign with alg, typ and x5c in the header and nothing else",
	},
	reasons.WrongType: {
		plain: "what is published there is another kind of document",
		hint:  "this is another kind of token; a delegation has typ dna+jwt",
	},
	reasons.UnsupportedAlgorithm: {
		plain: "the statement is signed by a method that is not accepted",
		hint:  "sign with " + oneOf(keys.Algorithms()),
	},
	reasons.MalformedCertificate: {
		plain: "the certificates in the statement are damaged or missing",
		hint:  "put the signer's chain, leaf first and at most five certificates, into the statement",
	},
	reasons.MalformedBag: {
		plain: "the envelope of the statement is damaged",
		hint:  "the data is damaged or not a statement; publish it again",
	},
	reasons.BagContents: {
		plain: "the envelope of the statement has something that does not belong there",
		hint:  "put certificates into the CMS message and nothing else",
	},
	reasons.BagDuplicate: {
		plain: "the envelope of the statement has a certificate twice",
		hint:  "put each certificate into the CMS message once",
	},
	reasons.BagCount: {
		plain: "the envelope must have exactly one statement and has none or several",
		hint:  "put exactly one attribute certificate into the CMS message",
	},
	reasons.MalformedAC: {
		plain: "the statement, an attribute certificate, is damaged",
		hint:  "make the attribute certificate in strict DER by RFC 5755",
	},
	reasons.IssuerForm: {
		plain: "the statement names its signer in a form that is not accepted",
		hint:  "name the issuer in v2Form, by one directoryName",
	},
	reasons.InnerOuterMismatch: {
		plain: "the statement contradicts itself about how it is signed",
		hint:  "the attribute certificate was altered, or made by faulty software",
	},
	reasons.BadSerial: {
		plain: "the statement has a serial number that is not allowed",
		hint:  "use a positive serial number of 16 octets at most",
	},
	reasons.BadACTime: {
		plain: "the statement has a time that is not written correctly",
		hint:  "write times in UTC and whole seconds, as YYYYMMDDHHMMSSZ",
	},
	reasons.DuplicateAttribute: {
		plain: "the statement says one thing twice",
		hint:  "write each attribute type once",
	},
	reasons.DuplicateExtension: {
		plain: "the statement has an extension twice",
		hint:  "write each extension once",
	},
	reasons.CriticalExtension: {
		plain: "the statement demands something that this program does not know",
		hint:  "leave out critical extensions",
	},
	reasons.BadRevocation: {
		plain: "the statement says wrongly how it could be revoked",
		hint:  "write noRevAvail and no pointer to revocation information",
	},
	reasons.MalformedAttribute: {
		plain: "the part that says who is delegated to is missing or damaged",
		hint:  "write the one attribute of the specification, in strict DER",
	},
	reasons.AttributeVersion: {
		plain: "the statement is of a version that this program does not know",
		hint:  "use a verifier that knows this version",
	},
	reasons.MalformedClaims: {
		plain: "the statement has missing or unknown members",
		hint:  "sign exactly the claims of the specification",
	},
	reasons.BadName: {
		plain: "a name in the statement is not written correctly",
		hint:  "sign names in ASCII, lower-case, without a trailing dot",
	},
	reasons.BadTargets: {
		plain: "the list of hosts in the statement is not correct",
		hint:  "sign 0 to 16 distinct targets with ports from 1 to 65535",
	},
	reasons.BadLifetime: {
		plain: "the statement ends before it begins",
		hint:  "sign with an end that is after the beginning",
	},
	reasons.HolderMismatch: {
		plain: "the statement contradicts itself about its hosts",
		hint:  "write the targets' hosts as the holder, each once, in order",
	},
	reasons.SignerHashMismatch: {
		plain: "the certificate that the statement was signed with is not there",
		hint:  "carry the very certificate the statement was signed with",
	},
	reasons.SourceMismatch: {
		plain: "the statement belongs to another domain",
		hint:  "this statement belongs to another domain; find the one for the domain you ask about",
		owner: "publish this statement at a place of its own domain",
	},
	reasons.ParentSource: {
		plain: "the statement is for the domain above, and does not cover this one",
		hint:  "a delegation covers exactly one domain; the owner must sign one for this domain",
	},
	reasons.ServiceMismatch: {
		plain: "the statement is for another service",
		hint:  "this statement is for another service; the owner must sign for this one, and for the role such as xmpp-server, never for its second label such as xmpps-server",
		owner: "sign for the role, such as xmpp-server, with --target HOST:PORT/direct where TLS begins with the first byte",
	},
	reasons.NotYetValid: {
		plain: "the statement is dated in the future",
		hint:  "compare the clocks of signer and verifier",
	},
	reasons.Expired: {
		plain: "the statement has expired",
		hint:  "the owner must sign and publish a new one: \"dnasign renew\"",
		owner: "sign with a valid certificate and publish the new statement; \"dnasign renew\" does both",
	},
	reasons.LifeTooLong: {
		plain: "the statement is valid for longer than is accepted",
		hint:  "the owner must sign for a shorter time, such as --valid 14d",
	},
	reasons.UnsupportedKey: {
		plain: "a certificate has a key that is too weak, or of an unknown kind",
		hint:  "sign with RSA of 2048 to 4096 bits, P-256, P-384 or Ed25519",
	},
	reasons.ChainNotLinear: {
		plain: "the certificates of the statement do not follow each other",
		hint:  "give the chain leaf first, each certificate followed by its issuer, none twice",
	},
	reasons.SignerVersion: {
		plain: "the signer's certificate is of an outdated version",
		hint:  "sign with an X.509 version 3 certificate",
	},
	reasons.SignerIsCA: {
		plain: "it is signed by a certification authority instead of the domain",
		hint:  "sign with the domain's server certificate, not with a certification authority",
	},
	reasons.SignerWildcard: {
		plain: "the signer's certificate covers the domain by a wildcard only",
		hint:  "a wildcard is not enough: get a certificate that names the domain itself",
	},
	reasons.SignerCommonNameOnly: {
		plain: "the signer's certificate names the domain in an outdated way",
		hint:  "the common name does not count: get a certificate with the domain as DNS name (subjectAltName)",
	},
	reasons.SignerNameMismatch: {
		plain: "the signer's certificate is not for this domain",
		hint:  "sign with a certificate that has the domain as DNS name (subjectAltName)",
	},
	reasons.SignerNotNamed: {
		plain: "the zone of this domain names other keys that may sign",
		hint:  "sign with a key that the TLSA records at _signer.SERVICE._dna.DOMAIN name, or add a record for this key there",
	},
	reasons.SignerKeyUsage: {
		plain: "the signer's certificate is not allowed to sign",
		hint:  "sign with a certificate whose keyUsage has digitalSignature",
	},
	reasons.SignerExtKeyUsage: {
		plain: "the signer's certificate is not one for servers",
		hint:  "sign with a certificate for TLS servers (extKeyUsage serverAuth)",
	},
	reasons.SignerNotYetValid: {
		plain: "the signer's certificate is not valid yet",
		hint:  "wait until the certificate is valid, or look at the clock",
		owner: "set the clock of this machine from the network (NTP)",
	},
	reasons.SignerExpired: {
		plain: "the signer's certificate has expired",
		hint:  "renew the certificate and sign again",
		owner: "sign with a valid certificate and publish the new statement; \"dnasign renew\" does both",
	},
	reasons.IssuedBeforeSigner: {
		plain: "the statement is older than the certificate it is signed with",
		hint:  "sign again: a statement cannot be older than its certificate",
	},
	reasons.Superseded: {
		plain: "an old statement is shown, and a newer one was seen before",
		hint:  "somebody shows an old statement, and only the newest one is accepted; if the domain is yours, see docs/theft.md",
		owner: "a newer statement or certificate of the domain exists; if none of your machines made it, somebody else did: see docs/theft.md",
	},
	reasons.Conflict: {
		plain: "two authentic answers of the domain contradict each other",
		hint:  "the owner must sign again, with targets that agree with the SRV records",
		owner: "sign again, with targets that agree with your SRV records: the newer statement replaces what is there",
	},
	reasons.AlgorithmMismatch: {
		plain: "the signature does not fit the kind of key",
		hint:  "sign with the algorithm that belongs to the certificate's key",
	},
	reasons.IssuerNameMismatch: {
		plain: "the statement names another signer than its certificate",
		hint:  "write the subject of the signer's certificate as the issuer, octet for octet",
	},
	reasons.BadSignature: {
		plain: "the signature is wrong: the statement was altered, or signed by somebody else",
		hint:  "the statement was altered, or signed with another key",
	},
	reasons.UntrustedSigner: {
		plain: "the signer's certificate comes from no authority that is trusted",
		hint:  "is the chain complete, and its trust anchor among yours? others are given with --roots",
		owner: "sign with a certificate from an authority that others trust, and with its whole chain; name an authority of your own with --roots",
	},
	reasons.SignerRejected: {
		plain: "the policy of this verifier does not accept the signer",
		hint:  "your own policy refuses this certificate",
	},
	reasons.Revoked: {
		plain: "the domain has revoked the delegation",
		hint:  "the owner revoked the delegation of this service; only the domain's own certificate is accepted",
		owner: "the service is revoked, so only the domain's own certificate is accepted; to delegate again, sign with targets",
	},
	reasons.ServiceNotAvailable: {
		plain: "the domain says that it does not offer this service",
		hint:  "the domain says that it does not have this service",
	},
	reasons.PortMismatch: {
		plain: "the domain delegates to {host} on another port only",
		hint:  "the host is delegated to on another port; the owner must sign this one or mend the SRV record",
		owner: "make the SRV records and the targets of the statement the same",
	},
	reasons.TargetMismatch: {
		plain: "the domain did not delegate to {host}",
		hint:  "do not connect there: the owner did not delegate to it",
		owner: "make the SRV records and the targets of the statement the same",
	},
	reasons.NotSecure: {
		plain: "the DNS answers are not protected by DNSSEC",
		hint:  "sign the zone, and name a validating resolver with --validating-resolver",
	},
	reasons.NotUsed: {
		plain: "something stronger decides already, so this is not needed",
		hint:  "nothing: something that ranks higher comes first",
	},
	reasons.NoPOSH: {
		plain: "the domain has no POSH file",
		hint:  "nothing: a signed statement needs no POSH file",
	},
	reasons.MalformedPOSH: {
		plain: "the POSH file of the domain cannot be used",
		hint:  "correct the POSH file (RFC 7711), or remove it and publish a statement",
	},
	reasons.ConnectFailed: {
		plain: "the provider's server cannot be reached",
		hint:  "is the target up, and its port open? try again later",
	},
	reasons.ConnectTimeout: {
		plain: "the provider's server did not answer in time",
		hint:  "the target is slow or silent; try again later",
	},
	reasons.NoTLSStart: {
		plain: "it is not known how encryption begins for this service",
		hint:  "if TLS begins with the first byte there, the owner can sign the target with tls direct",
	},
	reasons.STARTTLSMissing: {
		plain: "the provider's server offers no encryption, or somebody removed the offer",
		hint:  "somebody on the path may have removed the offer; never go on in plain text",
	},
	reasons.STARTTLSFailed: {
		plain: "the provider's server refused encryption",
		hint:  "the target must speak the protocol of the service, host this domain and have a certificate set up; where TLS begins with the first byte, the owner signs it with tls direct",
	},
	reasons.STARTTLSInjection: {
		plain: "somebody adds text before encryption begins",
		hint:  "somebody on the path adds plain text, or the server is faulty; do not go on",
	},
	reasons.TLSFailed: {
		plain: "encryption with the provider's server failed",
		hint:  "the target needs a certificate for the name it is asked for, and TLS 1.2 or later; where it begins in clear text, the owner signs it without tls direct; its log says more",
	},
	reasons.PeerUntrusted: {
		plain: "the certificate of the provider's server is not trusted",
		hint:  "the provider must show a certificate that leads to a trust anchor of yours",
	},
	reasons.PeerNameMismatch: {
		plain: "the certificate of the provider's server is for another name",
		hint:  "the provider must show a certificate for the name it was delegated to",
	},
	reasons.DANEMismatch: {
		plain: "the provider's server shows another key than the provider's zone names",
		hint:  "the provider must show what its TLSA records name, or publish a record for the new key before it uses that",
	},
	reasons.ProofExpired: {
		plain: "the proof has ended since it was verified",
		hint:  "verify again",
	},
	reasons.PeerKeyMismatch: {
		plain: "the provider's server has another key than the domain allows",
		hint:  "the provider changed its key; the owner must sign its new pin",
	},
	reasons.Verified: {
		plain: "every step holds",
	},
	reasons.Overloaded: {
		plain: "this verifier has too much to do",
		hint:  "try again later; the limits are options of dnaverify serve, and its metrics show who uses them up",
	},
	reasons.MemoryFailed: {
		plain: "this verifier cannot read its memory of earlier statements",
		hint:  "look at the memory of statements (--store): its disk, permissions, or server; dnaverify serve names the error, when it starts and in its log",
	},
	reasons.BadTSIGKey: {
		plain: "the key for updating DNS is damaged",
		hint:  "give a key file as tsig-keygen or keymgr -t writes it, for hmac-sha256, hmac-sha384 or hmac-sha512",
	},
	reasons.TSIGRejected: {
		plain: "the name server does not accept the key for updating DNS",
		hint:  "compare name, algorithm and secret of the key with those of the server, and which zones it may update",
	},
	reasons.ClockMismatch: {
		plain: "two clocks are too far apart",
		hint:  "set the clock of this machine, or the server's, from the network (NTP)",
		owner: "set the clock of this machine from the network (NTP)",
	},
	reasons.UpdateRefused: {
		plain: "the name server does not allow the update",
		hint:  "let the key update this name at the server; name the zone's primary with --server",
	},
	reasons.UpdateTooLarge: {
		plain: "the statement is too large for one DNS update",
		hint:  "remove old records by hand, or sign with the format ac, a shorter chain or fewer targets",
	},
	reasons.UpdateFailed: {
		plain: "the DNS update was not confirmed",
		hint:  "is the server up and reachable over TCP, and does the program do what docs/publish.md says? try again; the old statement is there, or the new one",
	},
	reasons.UpdateRaced: {
		plain: "somebody else changes the same DNS records all the time",
		hint:  "try again; is another program writing these records all the time?",
	},
	reasons.NotEverywhere: {
		plain: "not every server shows the newest statement yet",
		hint:  "look at the servers named: do they get the zone from the primary? nothing needs to be undone",
	},
}
