package watch

import (
	"cmp"
	"slices"

	"github.com/dnasign/dnasign/delegation/reasons"
)

// A Name names a kind of finding. The constants below are the whole, closed
// set; docs/watch.md says what to do about each.
type Name string

// The findings.
const (
	// Refused: others refuse what they find. The reason is that of the verdict.
	Refused Name = "refused"
	// Undetermined: others cannot tell at the moment.
	Undetermined Name = "undetermined"
	// HostNotAccepted: others do not accept the host asked about.
	HostNotAccepted Name = "host-not-accepted"
	// ResolversDiffer: two resolvers lead to different statements.
	ResolversDiffer Name = "resolvers-differ"
	// ChannelsDiffer: DNS and HTTPS have different statements.
	ChannelsDiffer Name = "channels-differ"
	// EncodingsDiffer: the JWS and the attribute certificate beside it were not
	// signed together.
	EncodingsDiffer Name = "encodings-differ"
	// SRVDiffers: two resolvers give different SRV records.
	SRVDiffers Name = "srv-differs"
	// SRVDisagrees: SRV records that are not delegated to, delegated targets that
	// no SRV record names, or TLS that begins otherwise than the SRV label says.
	SRVDisagrees Name = "srv-disagrees"
	// ChannelFailed: a place could not be looked at, and another had a good
	// statement.
	ChannelFailed Name = "channel-failed"
	// ChannelMissing: DNS or HTTPS has no statement, and the other has.
	ChannelMissing Name = "channel-missing"
	// AliasEmpty: the name of the record is an alias, and there is no statement
	// where it leads.
	AliasEmpty Name = "alias-empty"
	// BadStatement: a statement that nobody accepts lies beside others.
	BadStatement Name = "bad-statement"
	// LeftOver: a statement that has been replaced, or has expired, still lies
	// beside the newer one.
	LeftOver Name = "left-over"
	// UnknownCertificate: the signer of a statement, or the domain's web server, has
	// a certificate that the owner does not know.
	UnknownCertificate Name = "unknown-certificate"
	// StatementEnds: the statement ends soon.
	StatementEnds Name = "statement-ends"
	// CertificateEnds: the signer's certificate ends soon, and the statement no
	// sooner.
	CertificateEnds Name = "certificate-ends"
)

// kinds has every finding, in the order in which a report has them, with one
// sentence about what to do. It is "" where the reason of a verdict says it.
var kinds = []struct {
	name Name
	hint string
}{
	{Refused, ""},
	{Undetermined, ""},
	{HostNotAccepted, ""},
	{UnknownCertificate, "if you ordered that certificate, add its file to --known; if not, somebody else can sign for the domain: see docs/theft.md"},
	{ResolversDiffer, "see that all authoritative servers and web servers have the newest statement, and wait until the TTL of the old one is over"},
	{ChannelsDiffer, "publish the newest statement in DNS and on the web server alike"},
	{EncodingsDiffer, "sign both encodings together, and publish both"},
	{SRVDiffers, "see that all authoritative servers have the same SRV records, and wait until the TTL of the old ones is over"},
	{SRVDisagrees, "make the SRV records and the targets of the statement the same"},
	{ChannelFailed, "mend that place, or look only where you publish (--via)"},
	{ChannelMissing, "publish the statement there too, or look only where you publish (--via)"},
	{AliasEmpty, "publish the statement in that zone (dnasign renew), or correct the alias (dnasign alias)"},
	{BadStatement, ""},
	{LeftOver, "take the older statement away"},
	{StatementEnds, "sign and publish anew; if that should have happened automatically, find out why it did not"},
	{CertificateEnds, "renew the certificate, then sign and publish anew"},
}

// Names lists every finding, in the order in which a report has them.
func Names() (names []Name) {
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

func (n Name) hint() string {
	for _, k := range kinds {
		if k.name == n {
			return k.hint
		}
	}
	return ""
}

// A Severity says how bad a finding is.
type Severity string

// The severities. With an error, others refuse, or believe something other than
// what the owner says. A warning may become an error if nobody acts.
const (
	SeverityError        Severity = "error"
	SeverityUndetermined Severity = "undetermined"
	SeverityWarning      Severity = "warning"
)

// Severities lists every Severity, the worst first.
func Severities() []Severity {
	return []Severity{SeverityError, SeverityUndetermined, SeverityWarning}
}

// severityOf is the severity of a verdict other than verified.
func severityOf(o reasons.Outcome) Severity {
	if o == reasons.OutcomeUndetermined {
		return SeverityUndetermined
	}
	return SeverityError
}

// A Finding is something that an owner should know.
type Finding struct {
	Name     Name     `json:"name"`
	Severity Severity `json:"severity"`
	// Reason is that of the verdict behind it, if there is one.
	Reason reasons.Reason `json:"reason,omitempty"`
	// Resolvers are those through which it was found.
	Resolvers []string `json:"resolvers"`
	Detail    string   `json:"detail"` // the observation, for a person
	Hint      string   `json:"hint"`   // what to do
}

// findings collects findings. What is found through several resolvers alike
// stands there once.
type findings []Finding

func (f *findings) add(new Finding) {
	if new.Hint == "" {
		new.Hint = new.Name.hint()
	}
	for i := range *f {
		if old := &(*f)[i]; old.Name == new.Name && old.Severity == new.Severity && old.Reason == new.Reason && old.Detail == new.Detail {
			for _, r := range new.Resolvers {
				if !slices.Contains(old.Resolvers, r) {
					old.Resolvers = append(old.Resolvers, r)
				}
			}
			return
		}
	}
	*f = append(*f, new)
}

// sort puts the worst first, then the order of Names.
func (f findings) sort() {
	names, severities := Names(), Severities()
	slices.SortStableFunc(f, func(a, b Finding) int {
		return cmp.Or(
			cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity)),
			cmp.Compare(slices.Index(names, a.Name), slices.Index(names, b.Name)),
		)
	})
}
