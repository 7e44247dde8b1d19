package main

import (
	"context"
	"os"

	"github.com/spf13/cobra"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/internal/cli"
	"github.com/dnasign/dnasign/internal/publish"
)

// A webFile is a statement that was put under a web root.
type webFile struct {
	File      string `json:"file"`
	URL       string `json:"url"`        // where it must be served
	MediaType string `json:"media_type"` // as what
	Changed   bool   `json:"changed"`    // false: it was there already
}

func publishHTTPSCommand() *cobra.Command {
	var f ownerFlags
	var webroot string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "https --webroot DIR FILE ...",
		Short: "Write files under a web root",
		Long: `Write each statement to DIR/.well-known/dna/ under the name by which it is looked
for at https://<domain>/. A file is replaced in one step, so that no reader sees
half of it, or no file. A file that ranks higher stays, and so does a valid one of
another domain. --force replaces both. A file that does not lead to your trust
anchors (--roots) is replaced: anybody could have put it there. The web root must
be that of the statements' own domain. The web server must send the right media
types; for nginx:

  location /.well-known/dna/ {
    types { ` + delegation.JWS.MediaType() + ` jws; ` + delegation.AC.MediaType() + ` p7c; }
  }`,
		Example: `  dnasign publish https --webroot /var/www/b.example b.example.jws`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			written, err := publishHTTPS(cmd.Context(), f, webroot, args)
			if err != nil {
				return err
			}
			if asJSON {
				return cli.WriteJSON(cmd.OutOrStdout(), written)
			}
			for _, w := range written {
				did := "wrote " + w.File
				if !w.Changed {
					did = w.File + " is there already"
				}
				say(cmd, "%s, to be served as %s with the media type %s", did, w.URL, w.MediaType)
			}
			return nil
		},
	}
	f.define(cmd)
	cmd.Flags().BoolVar(&asJSON, "json", false, "say as JSON what was written")
	cmd.Flags().StringVar(&webroot, "webroot", "", "directory that the web server serves as / of the domain")
	cli.Required(cmd, "webroot")
	return cmd
}

func publishHTTPS(ctx context.Context, f ownerFlags, webroot string, files []string) ([]webFile, error) {
	if err := cli.OneInput(append(files, f.roots)...); err != nil {
		return nil, err
	}
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
		all = append(all, in)
	}
	owner, err := f.owner()
	if err != nil {
		return nil, err
	}
	web := &publish.Web{Owner: owner, Root: webroot}
	var written []webFile
	for _, in := range all {
		s := in.Statement
		place := web.Place(s.Source, s.Service)
		change, err := place.Publish(ctx, in.Raw)
		if err == nil {
			err = place.Check(ctx, in.Raw)
		}
		if err != nil {
			return nil, err
		}
		written = append(written, webFile{
			change.Where, delegation.DocumentURL(s.Source, s.Service, in.Encoding), in.Encoding.MediaType(), change.Changed,
		})
	}
	return written, nil
}
