package delegation

import (
	"errors"
	"io/fs"

	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/encoding/jws"
	"github.com/dnasign/dnasign/encoding/x509attr"
	"github.com/dnasign/dnasign/keys"
)

// causes maps the errors of the packages below to reasons.
var causes = []struct {
	err    error
	reason reasons.Reason
}{
	{jws.ErrTooLarge, reasons.StatementTooLarge},
	{jws.ErrMalformed, reasons.MalformedToken},
	{jws.ErrHeader, reasons.BadHeader},
	{jws.ErrType, reasons.WrongType},
	{jws.ErrAlgorithm, reasons.UnsupportedAlgorithm},
	{jws.ErrCertificates, reasons.MalformedCertificate},
	{keys.ErrUnsupportedKey, reasons.UnsupportedKey},
	{keys.ErrUnsupportedAlgorithm, reasons.UnsupportedAlgorithm},
	{keys.ErrAlgorithmMismatch, reasons.AlgorithmMismatch},
	{keys.ErrSignature, reasons.BadSignature},
	{keys.ErrKeyEncrypted, reasons.KeyEncrypted},
	{keys.ErrKeyReadable, reasons.KeyReadable},
	{keys.ErrKeyMismatch, reasons.KeyMismatch},
	{keys.ErrPEM, reasons.BadPEM},
}

// ReasonOf finds the reason in any error of this module, or "" if there is
// none.
func ReasonOf(err error) reasons.Reason {
	var e *Error
	if errors.As(err, &e) {
		return e.Reason
	}
	var ac *x509attr.Error
	if errors.As(err, &ac) {
		return problems[ac.Problem]
	}
	for _, c := range causes {
		if errors.Is(err, c.err) {
			return c.reason
		}
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return reasons.BadFile
	}
	return ""
}
