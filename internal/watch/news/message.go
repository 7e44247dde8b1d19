package news

import (
	"fmt"
	"strings"

	"github.com/dnasign/dnasign/internal/text"
)

// maxItems bounds what one message has. What is left out is counted in it.
const maxItems = 200

func subject(items []Item) string {
	domains := map[string]bool{}
	for _, i := range items {
		domains[i.Source] = true
	}
	if len(domains) > 1 {
		return fmt.Sprintf("dnaverify watch: news of %d domains", len(domains))
	}
	about := string(items[0].Kind)
	if f := items[0].Finding; f != nil {
		about = fmt.Sprintf("%s: %s %s", about, f.Severity, f.Name)
	}
	if more := len(items) - 1; more > 0 {
		about += fmt.Sprintf(", and %d more", more)
	}
	return text.Printable(fmt.Sprintf("dnaverify watch: %s: %s", items[0].Source, about))
}

// body is a message for a person. Strangers wrote parts of it, and what is owed comes
// from a file. So every line is made printable.
func body(items []Item) string {
	var b strings.Builder
	last := ""
	for i, item := range items {
		if i == maxItems {
			fmt.Fprintf(&b, "\nand %d more: see dnaverify watch\n", len(items)-maxItems)
			break
		}
		if about := text.Printable(item.Source + " " + item.Service); about != last {
			if last != "" {
				b.WriteByte('\n')
			}
			fmt.Fprintln(&b, about)
			last = about
		}
		fmt.Fprintln(&b, "  "+line(item))
		if f := item.Finding; f != nil && f.Hint != "" && item.Kind != Over {
			fmt.Fprintln(&b, "    hint: "+text.Printable(f.Hint))
		}
	}
	return b.String()
}

func line(i Item) string {
	f := i.Finding
	if f == nil {
		return text.Printable(fmt.Sprintf("%-7s  %s", strings.ToUpper(string(i.Kind)), i.Detail))
	}
	detail := f.Detail
	if f.Reason != "" {
		detail = string(f.Reason) + ": " + detail
	}
	return text.Printable(fmt.Sprintf("%-7s  %s %s: %s", strings.ToUpper(string(i.Kind)), f.Severity, f.Name, detail))
}
