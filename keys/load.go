package keys

import (
	"bytes"
	"crypto"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/dnasign/dnasign/internal/text"
)

// MaxFileSize bounds a PEM file in octets. A bundle of all public trust
// anchors is about 250 KB.
const MaxFileSize = 4 << 20

// A Loader reads the files of somebody who signs. The zero value is strict and
// knows no trust anchors.
type Loader struct {
	// Roots, if not nil, are trust anchors that verifiers are thought to have. Of
	// several chains one that leads to them is taken.
	Roots *x509.CertPool
	// AllowReadable takes private files that every user can read, with a warning.
	// It is for read-only mounts in containers, where nobody can change the mode
	// and there are no other users.
	AllowReadable bool
	// Open, if not nil, opens a key that is not in a file, see [Elsewhere]. It
	// is given the key's name and the public key of the certificate.
	Open func(name string, public crypto.PublicKey) (crypto.Signer, error)
}

// LoadSigner is [Loader.LoadSigner] of the zero Loader.
func LoadSigner(certFile, keyFile string) (signer *Signer, warnings []string, err error) {
	return Loader{}.LoadSigner(certFile, keyFile)
}

// LoadSigner reads PEM certificates and the PEM private key of one of them:
// PKCS #8, PKCS #1 or SEC 1. Both may be one file. The certificates may be in
// any order, with the root, duplicates or others among them. The signer gets
// the chain of the key's certificate that lasts longest.
//
// A key may also be somewhere else, see [Elsewhere] and Loader.Open. Then it is the
// key of the first certificate that is no CA certificate.
//
// The key file is refused with [ErrKeyReadable] if every user can read it. If
// only its group can, that is a warning. Errors wrap [ErrPEM],
// [ErrKeyEncrypted], [ErrKeyMismatch], [ErrUnsupportedKey] or an [io/fs] error.
// Warnings are sentences for the person who runs the program.
func (l Loader) LoadSigner(certFile, keyFile string) (signer *Signer, warnings []string, err error) {
	all, err := LoadCertificates(certFile)
	if err != nil {
		return nil, nil, err
	}
	var key crypto.Signer
	if Elsewhere(keyFile) {
		key, err = l.elsewhere(keyFile, all)
	} else {
		key, warnings, err = l.loadKey(keyFile)
	}
	if err != nil {
		return nil, nil, err
	}
	chain, notes, err := buildChain(all, key.Public(), l.Roots, time.Now())
	switch {
	case errors.Is(err, ErrKeyMismatch):
		return nil, nil, fmt.Errorf("%w; is %s the key of an older certificate than that in %s?", err, keyFile, certFile)
	case err != nil:
		return nil, nil, fmt.Errorf("%s: %w", certFile, err)
	}
	for _, note := range notes {
		warnings = append(warnings, certFile+": "+note)
	}
	signer, err = NewSigner(chain, key)
	if err != nil {
		return nil, nil, err
	}
	if _, ok := key.Public().(*rsa.PublicKey); ok && signer.Leaf().KeyUsage&x509.KeyUsageKeyEncipherment != 0 {
		warnings = append(warnings, "the RSA key is also a TLS decryption key (keyEncipherment), and RSA key "+
			"exchange has had signing oracles; prefer a dedicated ECDSA key and certificate")
	}
	return signer, warnings, nil
}

// LoadCertificates reads every certificate of a PEM file, in order, of which
// there must be one at least. Keys are ignored, so that a file which also holds
// the key can be given. Any other block is an error.
func LoadCertificates(file string) ([]*x509.Certificate, error) {
	return loadCertificates(file, false)
}

// LoadRoots reads trust anchors: every certificate of a PEM file. An empty
// file name means the anchors of the operating system. One that OpenSSL's trust
// settings exclude from TLS servers is an error.
func LoadRoots(file string) (*x509.CertPool, error) {
	if file == "" {
		pool, err := x509.SystemCertPool()
		if err != nil {
			return nil, fmt.Errorf("the system's trust anchors: %w", err)
		}
		return pool, nil
	}
	roots, err := loadCertificates(file, true)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	for _, c := range roots {
		pool.AddCert(c)
	}
	return pool, nil
}

func loadCertificates(file string, anchors bool) ([]*x509.Certificate, error) {
	data, err := readFile(file, nil)
	if err != nil {
		return nil, err
	}
	return certificatesIn(file, data, anchors)
}

func certificatesIn(file string, data []byte, anchors bool) (list []*x509.Certificate, err error) {
	blocks, err := readBlocks(file, data)
	if err != nil {
		return nil, err
	}
	for _, b := range blocks {
		c, trusts, err := parseCertificate(b)
		switch {
		case err != nil:
			return nil, fmt.Errorf("%w: %s, line %d, -----BEGIN %s-----: %w", ErrPEM, file, b.line, text.Printable(b.Type), err)
		case c == nil:
		case anchors && !trusts:
			return nil, fmt.Errorf("%w: %s, line %d: OpenSSL's trust settings do not let %.100s stand for TLS servers; remove it from the file, or its settings: openssl x509 -in FILE -out NEWFILE",
				ErrPEM, file, b.line, Name(c))
		default:
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: %s holds no PEM certificate (-----BEGIN CERTIFICATE-----); %s", ErrPEM, file, labels(blocks))
	}
	return list, nil
}

// ReadPrivate reads a file that holds a secret, of at most [MaxFileSize]. It is
// refused with [ErrKeyReadable] if every user can read or write it. If only its
// group can read it, that is a warning. Clear the data after use.
func (l Loader) ReadPrivate(file string) (data []byte, warnings []string, err error) {
	data, err = readFile(file, func(f *os.File, mode fs.FileMode) error {
		switch {
		case !mode.IsRegular():
		case mode&0o002 != 0, mode&0o004 != 0 && !l.AllowReadable:
			return fmt.Errorf("%w: %s has mode %04o; %s", ErrKeyReadable, file, mode.Perm(), remedy(f, mode))
		case mode&0o004 != 0:
			warnings = append(warnings, fmt.Sprintf("every user of this machine or container can read %s (mode %04o), and sign with it", file, mode.Perm()))
		case mode&0o040 != 0:
			warnings = append(warnings, fmt.Sprintf("%s is readable by its group (mode %04o)", file, mode.Perm()))
		}
		return nil
	})
	return data, warnings, err
}

// remedy says what to do about a file that every user can read. On a read-only
// mount, as containers have for secrets, nobody can change its mode there.
func remedy(f *os.File, mode fs.FileMode) string {
	if mode&0o002 != 0 || !readOnlyMount(f) {
		return "run: chmod 600 " + f.Name()
	}
	return "it is on a read-only mount, so change the mode where it is mounted " +
		"(Docker and Podman: mode=0400 and uid= of the secret; Kubernetes: defaultMode: 0400), " +
		"or, if nobody else runs programs in this container, add --allow-readable-keys"
}

// loadKey reads the first private key of a file.
func (l Loader) loadKey(file string) (key crypto.Signer, warnings []string, err error) {
	data, warnings, err := l.ReadPrivate(file)
	if err != nil {
		return nil, nil, err
	}
	defer clear(data)
	if key, err = firstKey(file, data); err != nil {
		return nil, nil, err
	}
	return key, warnings, nil
}

// firstKey finds the first private key in the contents of a file.
func firstKey(file string, data []byte) (key crypto.Signer, err error) {
	blocks, err := readBlocks(file, data)
	defer func() {
		for _, b := range blocks {
			clear(b.Bytes)
		}
	}()
	if err != nil {
		return nil, err
	}
	for _, b := range blocks {
		if key, err = parseKey(b.Block); err != nil {
			return nil, fmt.Errorf("%w in %s", err, file)
		}
		if key != nil {
			return key, nil
		}
	}
	return nil, fmt.Errorf("%w: %s holds no PEM private key (-----BEGIN PRIVATE KEY-----); %s", ErrPEM, file, labels(blocks))
}

// parseKey returns nil and no error for a block that is no private key. Its
// errors never hold what the block does.
func parseKey(block *pem.Block) (crypto.Signer, error) {
	if block.Type == "ENCRYPTED PRIVATE KEY" || block.Headers["DEK-Info"] != "" {
		return nil, fmt.Errorf("%w: decrypt it first, for example with openssl pkey", ErrKeyEncrypted)
	}
	var key any
	var err error
	switch block.Type {
	case "PRIVATE KEY":
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	default:
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("%w: a %s block that cannot be read", ErrPEM, block.Type)
	}
	if signer, ok := key.(crypto.Signer); ok {
		return signer, nil
	}
	return nil, fmt.Errorf("%w: a key that cannot sign (%T)", ErrUnsupportedKey, key)
}

// readFile reads a bounded file. check, if any, first sees the opened file and
// its mode, so that no other file can be put in its place between the two.
func readFile(name string, check func(*os.File, fs.FileMode) error) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("%w: %s is a directory", ErrPEM, name)
	}
	if check != nil {
		if err := check(f, info.Mode()); err != nil {
			return nil, err
		}
	}
	var data bytes.Buffer
	data.Grow(int(min(info.Size(), MaxFileSize)) + bytes.MinRead) // a buffer that grows leaves copies of a secret
	if _, err := data.ReadFrom(io.LimitReader(f, MaxFileSize+1)); err != nil {
		return nil, err
	}
	if data.Len() > MaxFileSize {
		return nil, fmt.Errorf("%w: %s is larger than %d octets", ErrPEM, name, MaxFileSize)
	}
	return data.Bytes(), nil
}
