package publish

import "errors"

// A TSIGKey signs updates and checks the replies (RFC 8945).
type TSIGKey struct {
	name, algorithm string // canonical, with the trailing dot
	secret          string // base64
}

// LoadTSIGKey reads a key file, in the form of BIND (named.conf, tsig-keygen),
// of Knot DNS (the section "key" of knot.conf, keymgr -t), or one line
// algorithm:name:secret. It must hold one key, for HMAC with SHA-256, SHA-384 or
// SHA-512; what else is in the file is an error.
//
// Like a private key, the file is refused with [delegation.KeyReadable] if every
// user can read it; that its group can is a warning, a sentence for the person
// who runs the program. All else that is wrong with it is
// [delegation.BadTSIGKey], or an [io/fs] error.
func LoadTSIGKey(file string) (key *TSIGKey, warnings []string, err error) {
	return nil, nil, errors.ErrUnsupported
}
