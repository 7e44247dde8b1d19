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
	"math"
	"os"

	"github.com/dnasign/dnasign/internal/text"
)

// MaxFileSize bounds a PEM file in octets. A bundle of all public trust
// anchors is about 250 KB.
const MaxFileSize = 4 << 20

// LoadSigner reads a PEM certificate chain (leaf first, as in fullchain.pem)
// and the PEM private key of the leaf: PKCS #8, PKCS #1 or SEC 1. Both may be
// one file.
//
// The key file is refused with [ErrKeyReadable] if every user can read it;
// that its group can is a warning. Errors wrap [ErrPEM], [ErrKeyEncrypted],
// [ErrKeyMismatch], [ErrUnsupportedKey] or an [io/fs] error. Warnings are
// sentences for the person who runs the program.
func LoadSigner(certFile, keyFile string) (signer *Signer, warnings []string, err error) {
	chain, err := LoadCertificates(certFile)
	if err != nil {
		return nil, nil, err
	}
	key, warnings, err := loadKey(keyFile)
	if err != nil {
		return nil, nil, err
	}
	signer, err = NewSigner(chain, key)
	if errors.Is(err, ErrKeyMismatch) {
		err = fmt.Errorf("%w; is %s the key of the first certificate in %s?", err, keyFile, certFile)
	}
	if err != nil {
		return nil, nil, err
	}
	if leaf := signer.Leaf(); len(chain) == 1 && !bytes.Equal(leaf.RawIssuer, leaf.RawSubject) {
		warnings = append(warnings, fmt.Sprintf("%s holds one certificate and not the one of its issuer (%s); "+
			"verifiers refuse that unless the issuer is a trust anchor of theirs: give the whole chain, as in fullchain.pem",
			certFile, text.Printable(leaf.Issuer.String())))
	}
	if _, ok := key.Public().(*rsa.PublicKey); ok && signer.Leaf().KeyUsage&x509.KeyUsageKeyEncipherment != 0 {
		warnings = append(warnings, "the RSA key is also a TLS decryption key (keyEncipherment), and RSA key "+
			"exchange has had signing oracles; prefer a dedicated ECDSA key and certificate")
	}
	return signer, warnings, nil
}

// LoadCertificates reads every certificate of a PEM file, in order, with at
// least one and at most [MaxChain]. Other PEM blocks are passed over, so that
// a file which also holds the key can be given.
func LoadCertificates(file string) ([]*x509.Certificate, error) {
	data, err := readFile(file, nil)
	if err != nil {
		return nil, err
	}
	return certificates(file, data, MaxChain)
}

// LoadRoots reads trust anchors: every certificate of a PEM file. An empty
// file name means the anchors of the operating system.
func LoadRoots(file string) (*x509.CertPool, error) {
	if file == "" {
		pool, err := x509.SystemCertPool()
		if err != nil {
			return nil, fmt.Errorf("the system's trust anchors: %w", err)
		}
		return pool, nil
	}
	data, err := readFile(file, nil)
	if err != nil {
		return nil, err
	}
	roots, err := certificates(file, data, math.MaxInt)
	if err != nil {
		return nil, err
	}
	pool := x509.NewCertPool()
	for _, c := range roots {
		pool.AddCert(c)
	}
	return pool, nil
}

func certificates(file string, data []byte, most int) ([]*x509.Certificate, error) {
	var list []*x509.Certificate
	for {
		var block *pem.Block
		var err error
		if block, data, err = nextBlock(file, data); err != nil {
			return nil, err
		}
		if block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			continue
		}
		if len(list) == most {
			return nil, fmt.Errorf("%w: %s has more than %d certificates; is it a whole chain, leaf first, and nothing else?", ErrPEM, file, most)
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%w: certificate %d of %s: %w", ErrPEM, len(list)+1, file, err)
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("%w: %s holds no PEM certificate (-----BEGIN CERTIFICATE-----)", ErrPEM, file)
	}
	return list, nil
}

// nextBlock returns the next PEM block and what follows it, or nil if there is
// none. pem.Decode passes over a block that it cannot read, and a chain would
// lose a certificate without a word; here that is an error.
func nextBlock(file string, data []byte) (block *pem.Block, rest []byte, err error) {
	block, rest = pem.Decode(data)
	passed, begins := data, 0
	if block != nil {
		passed, begins = data[:len(data)-len(rest)], 1
	}
	if bytes.Count(passed, []byte("-----BEGIN ")) != begins {
		return nil, nil, fmt.Errorf("%w: %s has a broken PEM block", ErrPEM, file)
	}
	return block, rest, nil
}

// ReadPrivate reads a file that holds a secret, of at most [MaxFileSize]. It is
// refused with [ErrKeyReadable] if every user can read or write it; that its
// group can read it is a warning. Clear the data after use.
func ReadPrivate(file string) (data []byte, warnings []string, err error) {
	data, err = readFile(file, func(mode fs.FileMode) error {
		switch {
		case mode.IsRegular() && mode&0o006 != 0:
			return fmt.Errorf("%w: %s has mode %04o; run: chmod 600 %[2]s", ErrKeyReadable, file, mode.Perm())
		case mode.IsRegular() && mode&0o040 != 0:
			warnings = append(warnings, fmt.Sprintf("%s is readable by its group (mode %04o)", file, mode.Perm()))
		}
		return nil
	})
	return data, warnings, err
}

// loadKey reads the first private key of a file.
func loadKey(file string) (key crypto.Signer, warnings []string, err error) {
	data, warnings, err := ReadPrivate(file)
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
func firstKey(file string, data []byte) (crypto.Signer, error) {
	for {
		block, rest, err := nextBlock(file, data)
		if err != nil {
			return nil, err
		}
		if block == nil {
			return nil, fmt.Errorf("%w: %s holds no PEM private key", ErrPEM, file)
		}
		key, err := parseKey(block)
		clear(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("%w in %s", err, file)
		}
		if key != nil {
			return key, nil
		}
		data = rest
	}
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

// readFile reads a bounded file; check, if any, sees the mode of the opened
// file first, so that no other file can be put in its place between the two.
func readFile(name string, check func(fs.FileMode) error) ([]byte, error) {
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
		if err := check(info.Mode()); err != nil {
			return nil, err
		}
	}
	data, err := io.ReadAll(io.LimitReader(f, MaxFileSize+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxFileSize {
		return nil, fmt.Errorf("%w: %s is larger than %d octets", ErrPEM, name, MaxFileSize)
	}
	return data, nil
}
