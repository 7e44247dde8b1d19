package discovery

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/internal/text"
)

// Every error of this package wraps ErrConfig. It is a mistake of the caller,
// such as a missing field of [Client] or an invalid name. What the network does
// is never an error; it is in the evidence.
var ErrConfig = errors.New("discovery: cannot ask")

func configError(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrConfig, fmt.Errorf(format, args...))
}

// A problem is a [delegation.Failure] on its way into the evidence.
type problem delegation.Failure

// fail makes a problem. Its detail is bounded and printable whatever the
// arguments are: certificates, URLs and DNS names hold strangers' octets.
func fail(reason reasons.Reason, format string, args ...any) *problem {
	return &problem{Reason: reason, Detail: text.Short(fmt.Sprintf(format, args...), maxDetail)}
}

func (p *problem) Error() string { return string(p.Reason) + ": " + p.Detail }

// failure is nil for a nil problem.
func (p *problem) failure() *delegation.Failure { return (*delegation.Failure)(p) }

// reasonOf is for log lines: empty for no failure.
func reasonOf(f *delegation.Failure) reasons.Reason {
	if f == nil {
		return ""
	}
	return f.Reason
}

// remote is the text of an error of the network without our own address. Evidence
// goes to others.
func remote(err error) string {
	var op *net.OpError
	if errors.As(err, &op) && op.Source != nil {
		return strings.ReplaceAll(err.Error(), op.Source.String()+"->", "")
	}
	return err.Error()
}

// quoted is a piece of a stranger's text for a detail.
func quoted(s string) string { return strconv.QuoteToASCII(text.Short(s, maxQuoted)) }
