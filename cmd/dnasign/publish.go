package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/cli"
)

// ttl of a published record, in seconds: an hour, well below the life of a
// statement, so that a revocation spreads soon.
const ttl = 3600

// A zoneRecord is a TXT record to be put into a zone.
type zoneRecord struct {
	Name    string   `json:"name"` // with the trailing dot
	TTL     int      `json:"ttl"`  // seconds
	Type    string   `json:"type"`
	Strings []string `json:"strings"` // at most 255 octets each
}

func publishZoneCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "zone FILE ...",
		Short: "Print lines for a zone file",
		Long: `Print one TXT record for each statement, quoted and cut into strings of at most
255 octets, to be put into the zone of the domain. Remove the record that the new
one replaces.`,
		Example: `  dnasign publish zone b.example.jws >> b.example.zone`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
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
			for _, r := range records {
				if _, err := fmt.Fprintln(cmd.OutOrStdout(), r); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return cmd
}

func newZoneRecord(in *delegation.Inspection) zoneRecord {
	return zoneRecord{
		Name: delegation.TXTName(in.Statement.Source, in.Statement.Service) + ".", TTL: ttl, Type: "TXT",
		Strings: delegation.TXTStrings(in.Encoding, in.Raw),
	}
}

// String is the record in the form of RFC 1035, Section 5.1.
func (r zoneRecord) String() string {
	return fmt.Sprintf("%s %d IN %s \"%s\"", r.Name, r.TTL, r.Type, strings.Join(r.Strings, `" "`))
}

// A webFile is a statement that was put under a web root.
type webFile struct {
	File      string `json:"file"`
	URL       string `json:"url"`        // where it must be served
	MediaType string `json:"media_type"` // as what
}

func publishHTTPSCommand() *cobra.Command {
	var webroot string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "https --webroot DIR FILE ...",
		Short: "Write files under a web root",
		Long: `Write each statement to DIR/.well-known/dna/ under the name by which it is looked
for at https://<domain>/. A file is replaced in one step: no reader sees half of
it. The web root must be that of the statements' own domain, and the web server
must say the right media types; for nginx:

  location /.well-known/dna/ {
    types { ` + delegation.JWS.MediaType() + ` jws; ` + delegation.AC.MediaType() + ` p7c; }
  }`,
		Example: `  dnasign publish https --webroot /var/www/b.example b.example.jws`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			written, err := publishHTTPS(webroot, args)
			if err != nil {
				return err
			}
			if asJSON {
				return cli.WriteJSON(cmd.OutOrStdout(), written)
			}
			for _, w := range written {
				fmt.Fprintf(cmd.ErrOrStderr(), "dnasign: wrote %s, to be served as %s with the media type %s\n", w.File, w.URL, w.MediaType)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "say as JSON what was written")
	cmd.Flags().StringVar(&webroot, "webroot", "", "directory that the web server serves as / of the domain")
	if err := cmd.MarkFlagRequired("webroot"); err != nil {
		panic(err) // a flag that was not defined above
	}
	return cmd
}

func publishHTTPS(webroot string, files []string) ([]webFile, error) {
	info, err := os.Stat(webroot)
	if err != nil {
		return nil, err
	}
	if !info.IsDir() {
		return nil, cli.Usagef("%s is not a directory", webroot)
	}
	// All are read before the first is written, so that a bad one changes nothing.
	var all []*delegation.Inspection
	places := map[string]string{}
	for _, file := range files {
		in, err := loadToPublish(file)
		if err != nil {
			return nil, err
		}
		place := delegation.DocumentPath(in.Statement.Service, in.Encoding)
		if earlier, ok := places[place]; ok {
			return nil, cli.Usagef("%s and %s would be the same file, %s; a web root serves one domain", earlier, file, place)
		}
		places[place] = file
		if err := mayReplace(placeOf(webroot, in), in); err != nil {
			return nil, err
		}
		all = append(all, in)
	}
	var written []webFile
	for _, in := range all {
		name := placeOf(webroot, in)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return nil, err
		}
		if err := cli.WriteFile(name, in.Raw); err != nil {
			return nil, err
		}
		written = append(written, webFile{
			name, delegation.DocumentURL(in.Statement.Source, in.Statement.Service, in.Encoding), in.Encoding.MediaType(),
		})
	}
	return written, nil
}

// loadToPublish reads a statement and holds it to what can be checked without
// trust anchors: what has expired, or does not fit its own certificate, helps
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

func placeOf(webroot string, in *delegation.Inspection) string {
	return filepath.Join(webroot, filepath.FromSlash(delegation.DocumentPath(in.Statement.Service, in.Encoding)))
}

// mayReplace refuses to put a statement in the place of another domain's, or
// of a newer one: a revocation that is there must not be undone by an old file.
func mayReplace(name string, in *delegation.Inspection) error {
	there, err := load(name)
	if err != nil || there.Check(time.Now()) != nil {
		return nil // nothing there that counts
	}
	switch {
	case there.Statement.Source != in.Statement.Source:
		return cli.Usagef("%s holds a statement of %s, and a web root serves one domain; remove it first if you mean it", name, there.Statement.Source)
	case there.Order().Compare(in.Order()) > 0:
		return cli.Usagef("%s holds a newer statement, issued %s; remove it first if you mean it", name, there.Statement.Issued.Format(time.RFC3339))
	}
	return nil
}
