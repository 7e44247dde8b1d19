package renew

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/cli"
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
	Service string              `json:"service"`
	Targets []delegation.Target `json:"targets"`
}

// DraftOf puts the SRV answers of evidence, those of both labels of a role, into
// one service for a draft. It has no targets where the service is not there. The
// notes are for a person. The error is a *[delegation.Error]: of a lookup that
// failed, or of records that a statement cannot list.
func DraftOf(e *delegation.Evidence) (draft DraftService, notes []string, err error) {
	role := delegation.RoleOf(e.Service)
	draft.Service = role.Service
	var targets []delegation.Target
	for _, a := range e.SRV {
		if a.Failure != nil {
			return draft, nil, delegation.Errorf(a.Failure.Reason, "%s SRV: %s", a.Name, a.Failure.Detail)
		}
		label := strings.TrimSuffix(a.Name, "."+e.Source)
		second := 0
		for _, r := range a.Records {
			if r.Target == "." {
				notes = append(notes, fmt.Sprintf("%s says in DNS that it has no service %s", e.Source, label))
				continue
			}
			if err := delegation.CheckName(r.Target); err != nil || r.Port == 0 {
				return draft, nil, delegation.Errorf(reasons.BadTargets, "%s SRV: a statement cannot list %.80q, port %d", a.Name, r.Target, r.Port)
			}
			t := delegation.Target{Endpoint: delegation.Endpoint{Host: r.Target, Port: r.Port}, Priority: r.Priority, Weight: r.Weight}
			if label == role.Second {
				t.TLS = delegation.Direct
			}
			switch i := slices.IndexFunc(targets, func(o delegation.Target) bool { return o.Endpoint == t.Endpoint }); {
			case i < 0:
				targets = append(targets, t)
				if t.TLS == delegation.Direct {
					second++
				}
			case targets[i].TLS != t.TLS:
				notes = append(notes, fmt.Sprintf("%s is in the SRV records of both %s and %s; it is taken for one of %[2]s", t.Endpoint, role.Service, role.Second))
			}
		}
		if second > 0 {
			notes = append(notes, fmt.Sprintf("the SRV records of %s (%s) are in the statement for %s, as /direct", label, e.Source, role.Service))
		}
	}
	if len(targets) > limits.MaxTargets {
		return draft, nil, delegation.Errorf(reasons.BadTargets, "%s of %s: %d SRV records, and a statement lists %d targets at most", role.Service, e.Source, len(targets), limits.MaxTargets)
	}
	draft.Targets = append([]delegation.Target{}, targets...)
	return draft, notes, nil
}

// names lists the TXT records of all services, as a comment.
func (d Draft) names() string {
	var b strings.Builder
	seen := map[string]bool{}
	for _, domain := range d.Domains {
		for _, s := range domain.Services {
			if !seen[s.Service] {
				fmt.Fprintf(&b, "  #   TXT %s\n", delegation.TXTName("{domain}", s.Service))
			}
			seen[s.Service] = true
		}
	}
	return b.String()
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

  # The forms of the statement: ac (an attribute certificate, the smaller one, which
  # more DNS providers take), jws, or both.
  formats: [ac]

  # How long a statement lives, never longer than its certificate. It is signed
  # anew when less than a third of that is left.
  valid: 14d

  # Where statements are put. A file is for somebody who carries it further, for
  # example into the form of a DNS provider: "dnasign publish zone FILE" prints the
  # record. Let renew do that instead, if you can, with one of these lines:
  #   - dns: {server: "192.0.2.53:53", tsig: /etc/dnasign/tsig.key}
  #   - command: [/usr/local/lib/dnasign/lexicon, cloudflare]
  #   - https: {webroot: "/var/www/{domain}"}
  # Each service has a record of its own, and the key must be allowed to change all
  # of them:
%s  publish:
    - file: "{domain}.{service}.{format}"

# The domains, and who may run which service of them: host:port/priority/weight,
# and /direct behind it where TLS begins with the first byte. This list was
# taken from SRV records, and a forged DNS answer could have put a wrong host
# there. CHECK IT: what is here will be signed. Components, such as
# conference.b.example, are domains of their own, with an entry each. If nobody
# is to run any of the services, write "revoke: true" instead of targets. Take out
# a service that you do not want to sign for.
domains:
`, strconv.Quote(d.Cert), strconv.Quote(d.Key), d.names())
	for _, domain := range d.Domains {
		fmt.Fprintf(&b, "  - domain: %s\n    services:\n", domain.Domain)
		for _, s := range domain.Services {
			fmt.Fprintf(&b, "      %s:\n", s.Service)
			for _, t := range s.Targets {
				fmt.Fprintf(&b, "        - %s\n", cli.TargetText(t))
			}
		}
	}
	return b.String()
}
