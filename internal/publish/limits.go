package publish

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/miekg/dns"

	"github.com/dnasign/dnasign/delegation"
)

// A Unit is what a DNS provider counts.
type Unit string

// The units.
const (
	Characters Unit = "characters"             // of the text
	Quoted     Unit = "characters with quotes" // of the strings in the form of a zone file
	Wire       Unit = "bytes on the wire"      // of the record's data: the text, and a byte for each string
)

// A Provider is a DNS provider that takes no TXT record above a size. Its
// customers' statements may not fit.
type Provider struct {
	Name string
	// NameServers are parts of the names of its name servers, by which a zone is
	// known to be there.
	NameServers []string
	Most        int // of one record
	Unit        Unit
	// Together is how many characters all TXT records at one name may have, 0 if
	// that is not known to be bounded.
	Together int
	Source   string // who says so
}

// providers are those whose limits are public. docs/publish.md has the same table.
var providers = []Provider{
	{"Amazon Route 53", []string{".awsdns-"}, 4000, Quoted, 0, "Route 53 API reference, ResourceRecord"},
	{"Cloudflare", []string{".ns.cloudflare.com"}, 4096, Wire, 8192, "Cloudflare DNS documentation, DNS record types"},
	{"Azure DNS", []string{".azure-dns."}, 4096, Characters, 4096, "the error of its API, in terraform-provider-azurerm #24169"},
	{"TransIP", []string{".transip.net", ".transip.nl", ".transip.eu"}, 1024, Characters, 0, "DNSControl, checked 2024-01"},
	{"DNSimple", []string{".dnsimple.com", ".dnsimple-edge.net", ".dnsimple-edge.org"}, 1000, Quoted, 0, "DNSimple support, TXT Record Formatting"},
	{"Alibaba Cloud DNS", []string{".hichina.com", ".alidns.com"}, 512, Characters, 0, "DNSControl, checked 2025-12"},
	{"DigitalOcean", []string{".digitalocean.com"}, 512, Quoted, 0, "DNSControl"},
	{"name.com", []string{".name.com"}, 512, Quoted, 0, "DNSControl, checked 2024-12"},
	{"Loopia", []string{".loopia.se"}, 450, Characters, 0, "DNSControl, checked 2025-07"},
}

// ProviderOf is the provider of a zone by the names of its name servers, in the
// form of View.Where. It is nil for one that is not known to have a limit.
func ProviderOf(nameServers ...string) *Provider {
	for _, server := range nameServers {
		server = "." + strings.ToLower(strings.TrimSuffix(server, "."))
		for i, p := range providers {
			for _, part := range p.NameServers {
				open := strings.HasSuffix(part, ".") || strings.HasSuffix(part, "-") // more may follow
				if strings.HasSuffix(server, part) || open && strings.Contains(server, part) {
					return &providers[i]
				}
			}
		}
	}
	return nil
}

// Provider is that of the zone of the record, nil if it is not known to have a limit.
func (r *Records) Provider(ctx context.Context) *Provider {
	_, servers, err := r.servers(ctx)
	if err != nil {
		return nil
	}
	return providerOf(servers)
}

// Provider is that of the zone that a domain is in, nil if it is not known to have a
// limit. The resolver is not asked for the record, which may still be to come.
func (d *DNS) Provider(ctx context.Context, domain string) *Provider {
	ctx, cancel := d.finding(ctx)
	defer cancel()
	domain = dns.CanonicalName(domain)
	reply, _, err := d.resolve(ctx, domain, dns.TypeSOA)
	if err != nil {
		return nil
	}
	at, ok := zoneOf(reply, domain)
	if !ok {
		return nil
	}
	names, err := d.nameServers(ctx, at.zone)
	if err != nil {
		return nil
	}
	return ProviderOf(names...)
}

// statementSize is what an attribute certificate with one target has beside the
// certificates, in bytes, measured.
const statementSize = 400

// Likely is as long as the TXT record of a statement with a chain will be at least,
// before it is signed.
func Likely(chain []*x509.Certificate) string {
	size := statementSize
	for _, c := range chain {
		if !bytes.Equal(c.RawSubject, c.RawIssuer) { // a root is left out
			size += len(c.Raw)
		}
	}
	return delegation.AC.TXTRecord(make([]byte, size))
}

func providerOf(servers []nameServer) *Provider {
	var names []string
	for _, server := range servers {
		names = append(names, server.String())
	}
	return ProviderOf(names...)
}

// size is how large a TXT record with that text is.
func (u Unit) size(text string) int {
	pieces := (len(text) + 254) / 255 // strings of 255 octets
	switch u {
	case Quoted:
		return len(text) + 2*pieces + max(0, pieces-1) // and a blank between two
	case Wire:
		return len(text) + pieces
	}
	return len(text)
}

// Exceeded says by how much a TXT record is too large for the provider, "" if it
// is not. No provider takes everything.
func (p *Provider) Exceeded(text string) string {
	if p == nil {
		return ""
	}
	size := p.Unit.size(text)
	if size <= p.Most {
		return ""
	}
	return fmt.Sprintf("the TXT record has %d %s, and %s takes %d", size, p.Unit, p.Name, p.Most)
}

// Advice is what to do where a record of an encoding does not fit.
func Advice(e delegation.Encoding) string {
	smaller := "with a shorter chain or fewer targets"
	if e != delegation.AC {
		smaller = "with the format ac, " + smaller
	}
	return "sign " + smaller + ", or make an alias to a zone elsewhere (dnasign alias --help)"
}

// TooLarge names the providers that do not take a TXT record, for a person whose
// provider is not known.
func TooLarge(text string) (names []string) {
	for i := range providers {
		if p := &providers[i]; p.Exceeded(text) != "" {
			names = append(names, p.Name)
		}
	}
	return names
}

// together reports whether old and new texts fit at one name.
func (p *Provider) together(texts []string) bool {
	if p == nil || p.Together == 0 {
		return true
	}
	sum := 0
	for _, text := range texts {
		sum += len(text)
	}
	return sum <= p.Together
}
