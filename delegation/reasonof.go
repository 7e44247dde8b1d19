package delegation

import (
	"errors"
	"io/fs"

	"github.com/dnasign/dnasign/encoding/jws"
	"github.com/dnasign/dnasign/encoding/x509attr"
	"github.com/dnasign/dnasign/keys"
)

// causes maps the errors of the packages below to reasons.
var causes = []struct {
	err    error
	reason Reason
}{
	{jws.ErrTooLarge, StatementTooLarge},
	{jws.ErrMalformed, MalformedToken},
	{jws.ErrHeader, BadHeader},
	{jws.ErrType, WrongType},
	{jws.ErrAlgorithm, UnsupportedAlgorithm},
	{jws.ErrCertificates, MalformedCertificate},
	{keys.ErrUnsupportedKey, UnsupportedKey},
	{keys.ErrUnsupportedAlgorithm, UnsupportedAlgorithm},
	{keys.ErrAlgorithmMismatch, AlgorithmMismatch},
	{keys.ErrSignature, BadSignature},
	{keys.ErrKeyEncrypted, KeyEncrypted},
	{keys.ErrKeyReadable, KeyReadable},
	{keys.ErrKeyMismatch, KeyMismatch},
	{keys.ErrPEM, BadPEM},
}

// ReasonOf finds the reason in any error of this module, or "" if there is
// none.
func ReasonOf(err error) Reason {
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
		return BadFile
	}
	return ""
}
