package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/publish"
	"github.com/dnasign/dnasign/keys"
)

func publishCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "publish",
		Short: "Put signed statements where others find them",
	}
	cmd.AddCommand(publishZoneCommand(), publishHTTPSCommand(), publishDNSCommand(), publishCommandCommand(), publishTLSACommand())
	return cmd
}

// ownerFlags say which statements at a place stop a new one.
type ownerFlags struct {
	roots string
	force bool
}

func (f *ownerFlags) define(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.roots, "roots", "", "PEM file with the trust anchors, instead of the system's")
	cmd.Flags().BoolVar(&f.force, "force", false, "replace whatever statement is there")
}

func (f ownerFlags) owner() (publish.Owner, error) {
	roots, err := keys.LoadRoots(cli.Input(f.roots))
	return publish.Owner{Roots: roots, Force: f.force}, err
}

// loadToPublish reads a statement and checks what it can without trust anchors.
// A statement that has expired, or does not fit its own certificate, helps
// nobody.
func loadToPublish(file string) (*delegation.Inspection, error) {
	in, err := load(file)
	if err != nil {
		return nil, err
	}
	if err := in.Check(time.Now()); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return in, nil
}

// A zoneRecord is a TXT record to be put into a zone.
type zoneRecord struct {
	Name    string   `json:"name"` // with the trailing dot
	TTL     int      `json:"ttl"`  // seconds
	Type    string   `json:"type"`
	Strings []string `json:"strings"` // at most 255 octets each

	encoding delegation.Encoding
}

func publishZoneCommand() *cobra.Command {
	var asJSON, value bool
	cmd := &cobra.Command{
		Use:   "zone FILE ...",
		Short: "Print lines for a zone file",
		Long: `Print one TXT record for each statement, quoted and cut into strings of at most
255 octets, to be put into the zone of the domain. Remove the record that the new
one replaces.

With --value it is only the value of one record, in one piece and without quotes,
as the form of a DNS provider wants it.`,
		Example: `  dnasign publish zone b.example.jws >> b.example.zone
  dnasign publish zone --value b.example.jws`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if value && len(args) > 1 {
				return cli.Usagef("--value is for one statement at a time: a form takes one record")
			}
			if err := cli.OneInput(args...); err != nil {
				return err
			}
			var records []zoneRecord
			for _, file := range args {
				in, err := loadToPublish(file)
				if err != nil {
					return err
				}
				records = append(records, newZoneRecord(in))
			}
			if asJSON {
				return cli.WriteJSON(cmd.OutOrStdout(), records)
			}
			if value {
				return writeValue(cmd, records[0])
			}
			return writeLines(cmd, records)
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	cmd.Flags().BoolVar(&value, "value", false, "only the value, for the form of a DNS provider")
	cmd.MarkFlagsMutuallyExclusive("json", "value")
	return cmd
}

// writeValue prints what a person pastes into a form, and says where.
func writeValue(cmd *cobra.Command, r zoneRecord) error {
	text := strings.Join(r.Strings, "")
	say(cmd, "the value, of %d characters, of a TXT record with the name %s", len(text), strings.TrimSuffix(r.Name, "."))
	if names := publish.TooLarge(text); len(names) > 0 {
		say(cmd, "that is more than these providers take: %s; %s", strings.Join(names, ", "), publish.Advice(r.encoding))
	}
	_, err := fmt.Fprintln(cmd.OutOrStdout(), text)
	return err
}

func newZoneRecord(in *delegation.Inspection) zoneRecord {
	return zoneRecord{
		Name: delegation.TXTName(in.Statement.Source, in.Statement.Service) + ".", TTL: int(publish.DefaultTTL / time.Second), Type: "TXT",
		Strings: in.Encoding.TXTStrings(in.Raw), encoding: in.Encoding,
	}
}

// String is the record in the form of RFC 1035, Section 5.1.
func (r zoneRecord) String() string {
	return fmt.Sprintf("%s %d IN %s \"%s\"", r.Name, r.TTL, r.Type, strings.Join(r.Strings, `" "`))
}
