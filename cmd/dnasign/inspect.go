package main

import (
	"encoding/pem"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/limits"
	"github.com/dnasign/dnasign/encoding/x509attr"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/signing"
	"github.com/dnasign/dnasign/internal/text"
	"github.com/dnasign/dnasign/keys"
)

// description is a statement as inspect shows it; its JSON form is part of the
// interface.
type description struct {
	Version      int                 `json:"version"`
	Verified     bool                `json:"verified"` // always false
	File         string              `json:"file"`
	Encoding     delegation.Encoding `json:"encoding"`
	Algorithm    string              `json:"algorithm"`
	Source       string              `json:"source"`
	Service      string              `json:"service"`
	Targets      []delegation.Target `json:"targets"`
	Issued       time.Time           `json:"issued"`
	Issuance     time.Time           `json:"issuance"` // of the signer's certificate, which ranks the statement
	Expires      time.Time           `json:"expires"`
	ID           string              `json:"id"` // base64url, as jti
	Size         int                 `json:"size"`
	Certificates []certificate       `json:"certificates"`
}

type certificate struct {
	Subject   string    `json:"subject"`
	Issuer    string    `json:"issuer"`
	DNSNames  []string  `json:"dns_names,omitempty"`
	Key       string    `json:"key"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	SHA256    string    `json:"sha256"`
}

func inspectCommand() *cobra.Command {
	var asJSON, asPEM bool
	cmd := &cobra.Command{
		Use:   "inspect FILE",
		Short: "Show what a statement says, without verifying it",
		Long: `Show everything a signed statement says and carries. Nothing is verified, since
that needs trust anchors and a question: dnaverify verify does it.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			in, err := load(args[0])
			if err != nil {
				return err
			}
			out := cmd.OutOrStdout()
			switch d := describe(args[0], in); {
			case asJSON:
				return cli.WriteJSON(out, d)
			case asPEM:
				_, err = out.Write(pemText(in))
			default:
				_, err = fmt.Fprint(cli.Wrapped(out), d)
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	cmd.Flags().BoolVar(&asPEM, "pem", false, "as PEM: the attribute certificate, if it is one, and the signer's chain")
	cmd.MarkFlagsMutuallyExclusive("json", "pem")
	return cmd
}

// load reads a statement from a file; one that is too large is refused by
// Inspect.
func load(file string) (*delegation.Inspection, error) {
	raw, err := cli.ReadFile(file, limits.MaxStatementSize+2)
	if err != nil {
		return nil, err
	}
	in, err := delegation.Inspect(raw)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return in, nil
}

// pemText is what the statement carries, for other software.
func pemText(in *delegation.Inspection) []byte {
	var out []byte
	if in.AttributeCertificate != nil {
		out = x509attr.EncodePEM(in.AttributeCertificate)
	}
	for _, c := range in.Certificates {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

func describe(file string, in *delegation.Inspection) description {
	s := in.Statement
	d := description{
		Version: 1, File: file, Encoding: in.Encoding, Algorithm: in.Algorithm,
		Source: s.Source, Service: s.Service, Targets: append([]delegation.Target{}, s.Targets...),
		Issued: s.Issued, Issuance: in.Order().Issuance, Expires: s.Expires, ID: signing.IDText(s.ID), Size: len(in.Raw),
	}
	for _, c := range in.Certificates {
		d.Certificates = append(d.Certificates, certificate{
			Subject: c.Subject.String(), Issuer: c.Issuer.String(), DNSNames: c.DNSNames,
			Key: keys.Describe(c.PublicKey), NotBefore: c.NotBefore, NotAfter: c.NotAfter,
			SHA256: signing.Fingerprint(c).String(),
		})
	}
	return d
}

// String is the form for a person.
func (d description) String() string {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		fmt.Fprintf(&b, "%-12s %s\n", name, fmt.Sprintf(format, args...))
	}
	b.WriteString("UNVERIFIED   this is what the file says; anybody can write one\n")
	line("source", "%s", d.Source)
	line("service", "%s", d.Service)
	if role := delegation.RoleOf(d.Service).Service; role != d.Service {
		line("", "no verifier accepts it: sign for %s, with TLS from the first byte at the targets (host:port/direct)", role)
	}
	if len(d.Targets) == 0 {
		line("targets", "none: a revocation, delegated to nobody")
	}
	for _, t := range d.Targets {
		name := "target"
		for _, text := range cli.TargetLines(t) {
			line(name, "%s", text)
			name = ""
		}
	}
	line("issued", "%s, by a certificate of %s", text.Stamp(d.Issued), text.FineStamp(d.Issuance))
	line("expires", "%s", text.Stamp(d.Expires))
	line("id", "%s", d.ID)
	line("encoding", "%s, %s, %d octets", d.Encoding, d.Algorithm, d.Size)
	for i, c := range d.Certificates {
		name := "signer"
		if i > 0 {
			name = "issuer"
		}
		line(name, "subject %q, DNS names %q", c.Subject, c.DNSNames)
		line("", "issued by %q", c.Issuer)
		line("", "%s, valid from %s to %s", c.Key, text.Stamp(c.NotBefore), text.Stamp(c.NotAfter))
		line("", "sha256 %s", c.SHA256)
	}
	return b.String()
}

func targetText(targets []delegation.Target) string {
	if len(targets) == 0 {
		return "nobody (revocation)"
	}
	var names []string
	for _, t := range targets {
		names = append(names, t.Endpoint.String())
	}
	return strings.Join(names, ", ")
}
