// Package keys holds what the rest of the module needs to know about keys and
// certificates. It has the signature algorithms of the JWS encoding and the
// sizes a public key may have. It has the signer, a certificate chain with its
// private key, and loads signers and trust anchors from PEM files.
//
// It follows RFC 7518 and RFC 8037 for the algorithms and RFC 7468 for PEM. Of
// this module it imports only internal/text. It does not decide who may sign a
// delegation and never judges a chain. Package delegation does.
//
// A private key is used only through [crypto.Signer]. This package reads key
// files and never writes, copies or logs what they hold.
package keys

import "errors"

// The errors of this package. Each is wrapped with a detail that names the
// file, certificate or key at fault; test for them with [errors.Is].
var (
	// ErrUnsupportedKey: a public key of a type or size that is not accepted,
	// see [CheckSize].
	ErrUnsupportedKey = errors.New("unsupported key")
	// ErrUnsupportedAlgorithm: an algorithm name that is not one of the
	// constants of type [Algorithm].
	ErrUnsupportedAlgorithm = errors.New("unsupported algorithm")
	// ErrAlgorithmMismatch: an algorithm that does not belong to the key.
	ErrAlgorithmMismatch = errors.New("algorithm does not fit the key")
	// ErrSignature: a signature that the key did not make.
	ErrSignature = errors.New("signature does not verify")
	// ErrPEM: a file without the PEM block that is needed, or with a broken one.
	ErrPEM = errors.New("bad PEM file")
	// ErrKeyEncrypted: a private key that is protected by a pass phrase.
	ErrKeyEncrypted = errors.New("private key is encrypted")
	// ErrKeyReadable: a private key file that every user of the machine can read.
	ErrKeyReadable = errors.New("private key file is readable by everybody")
	// ErrKeyMismatch: a private key that does not belong to the certificate.
	ErrKeyMismatch = errors.New("private key does not belong to the certificate")
)
