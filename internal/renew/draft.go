package renew

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dnasign/dnasign/delegation"
)

// A Draft is what a first configuration is written from.
type Draft struct {
	Cert, Key string // {domain} stands for the domain
	Domains   []DraftDomain
}

// A DraftDomain is a domain and its services.
type DraftDomain struct {
	Domain   string         `json:"domain"`
	Services []DraftService `json:"services"`
}

// A DraftService is a service and where DNS says that it runs.
type DraftService struct {
	Service string                    `json:"service"`
	Targets []delegation.ReportTarget `json:"targets"`
}

// DraftOf puts the SRV answers of evidence into the form for a draft. A service
// that says of itself that there is none (the target ".") is named in none. The
// error is a *[delegation.Error]: of a look-up that failed, or of records that
// a statement cannot list.
func DraftOf(e *delegation.Evidence) (found []DraftService, none []string, err error) {
	for _, a := range e.SRV {
		if a.Failure != nil {
			return nil, nil, refuse(a.Failure.Reason, "%s SRV: %s", a.Name, a.Failure.Detail)
		}
		service := strings.TrimSuffix(a.Name, "."+e.Source)
		var targets []delegation.Target
		for _, r := range a.Records {
			if r.Target == "." {
				none = append(none, service)
				continue
			}
			if err := delegation.CheckName(r.Target); err != nil || r.Port == 0 {
				return nil, nil, refuse(delegation.BadTargets, "%s SRV: a statement cannot list %.80q, port %d", a.Name, r.Target, r.Port)
			}
			t := delegation.Target{Endpoint: delegation.Endpoint{Host: r.Target, Port: r.Port}, Priority: r.Priority, Weight: r.Weight}
			if !slices.ContainsFunc(targets, func(o delegation.Target) bool { return o.Endpoint == t.Endpoint }) {
				targets = append(targets, t)
			}
		}
		if len(targets) > delegation.MaxTargets {
			return nil, nil, refuse(delegation.BadTargets, "%s SRV: %d records, and a statement lists %d targets at most", a.Name, len(targets), delegation.MaxTargets)
		}
		if len(targets) > 0 {
			found = append(found, DraftService{service, delegation.ReportTargets(targets)})
		}
	}
	return found, none, nil
}

// String is a configuration file with a comment for each line.
func (d Draft) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, `# What dnasign renew keeps signed and published. Paths are as seen from the folder
# of this file; {domain} stands for the domain, in quotes.

# What holds for every domain that does not say otherwise.
defaults:
  # The certificate of the domain with its whole chain, leaf first, and its key.
  cert: %s
  key: %s

  # The forms of the statement: jws, ac (an attribute certificate), or both.
  formats: [jws]

  # How long a statement lives, never longer than its certificate. It is signed
  # anew when less than a third of that is left.
  valid: 14d

  # Where statements are put. A file is for somebody who carries it further, for
  # example into the form of a DNS provider: "dnasign publish zone FILE" prints the
  # record. Let renew do that instead, if you can, with one of these lines:
  #   - dns: {server: "192.0.2.53:53", tsig: /etc/dnasign/tsig.key}
  #   - https: {webroot: "/var/www/{domain}"}
  publish:
    - file: "{domain}.{service}.{format}"

# The domains, and who may run which service of them: host:port/priority/weight.
# This list was taken from SRV records, which anybody on the way could have
# forged. CHECK IT: what is here will be signed. If nobody is to run any of the
# services, write "revoke: true" instead of targets.
domains:
`, strconv.Quote(d.Cert), strconv.Quote(d.Key))
	for _, domain := range d.Domains {
		fmt.Fprintf(&b, "  - domain: %s\n    services:\n", domain.Domain)
		for _, s := range domain.Services {
			fmt.Fprintf(&b, "      %s:\n", s.Service)
			for _, t := range s.Targets {
				fmt.Fprintf(&b, "        - %s/%d/%d\n", t.Endpoint, t.Priority, t.Weight)
			}
		}
	}
	return b.String()
}
