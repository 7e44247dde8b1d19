package keys

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"math/big"
	"regexp"
	"strings"
	"testing"
)

func pemOf(label string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
}

// FuzzCertificates: a file that is read gives one certificate for each block
// that says so, under any of OpenSSL's labels. They are written and read again
// as the same octets.
func FuzzCertificates(f *testing.F) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"b.example"}}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		f.Fatal(err)
	}
	one := pemOf("CERTIFICATE", der)
	for _, file := range [][]byte{
		one, bytes.Repeat(one, 3), append(one, "text\n"...), append(pemOf("X509 CRL", nil), one...), bytes.Repeat(one, 6),
		append([]byte(byteOrderMark), one...), append(pemOf("X509 CERTIFICATE", der), pemOf("TRUSTED CERTIFICATE", der)...),
		pemOf("TRUSTED CERTIFICATE", append(bytes.Clone(der), 0x30, 0)), append(pemOf("PKCS7", der), one...), append([]byte(" "), one...),
		bytes.ReplaceAll(one, []byte("\n"), []byte("\r\n")), one[:len(one)-9], bytes.Replace(one, []byte("MI"), []byte("M!"), 1),
		[]byte("-----BEGIN CERTIFICATE-----\nProc-Type: 4\n\n-----END CERTIFICATE-----\n"), nil,
	} {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		list, err := certificatesIn("file", file, false)
		if err != nil {
			if !errors.Is(err, ErrPEM) || list != nil {
				t.Fatalf("%d certificates, %v", len(list), err)
			}
			return
		}
		n := 0
		for _, label := range []string{"", "X509 ", "TRUSTED "} {
			n += bytes.Count(file, []byte("-----BEGIN "+label+"CERTIFICATE-----"))
		}
		if len(list) != n || n == 0 {
			t.Fatalf("%d certificates of %d", len(list), n)
		}
		var again []byte
		for _, c := range list {
			again = append(again, pemOf("CERTIFICATE", c.Raw)...)
		}
		second, err := certificatesIn("again", again, true)
		if err != nil || len(second) != len(list) {
			t.Fatalf("written again and read: %d of %d, %v", len(second), len(list), err)
		}
		for i, c := range second {
			if !c.Equal(list[i]) {
				t.Fatalf("certificate %d is another", i)
			}
		}
	})
}

var (
	blockLine  = regexp.MustCompile(`-----(BEGIN|END) .*?-----`)
	base64Line = regexp.MustCompile(`^[A-Za-z0-9+/=]{21,}$`)
)

// FuzzKey: a private key that is read is written and read again as the same
// key. An error is of a known kind and holds nothing of the file.
func FuzzKey(f *testing.F) {
	secret := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))
	pkcs8, err := x509.MarshalPKCS8PrivateKey(secret)
	if err != nil {
		f.Fatal(err)
	}
	curve, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), bytes.Repeat([]byte{7}, 32))
	if err != nil {
		f.Fatal(err)
	}
	sec1, err := x509.MarshalECPrivateKey(curve)
	if err != nil {
		f.Fatal(err)
	}
	good := pemOf("PRIVATE KEY", pkcs8)
	for _, file := range [][]byte{
		good, pemOf("EC PRIVATE KEY", sec1), append(pemOf("EC PARAMETERS", []byte{6, 1, 1}), pemOf("EC PRIVATE KEY", sec1)...),
		pemOf("RSA PRIVATE KEY", sec1), pemOf("ENCRYPTED PRIVATE KEY", sec1), append(pemOf("CERTIFICATE", nil), good...),
		pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Headers: map[string]string{"DEK-Info": "x"}, Bytes: sec1}),
		good[:len(good)-9], bytes.Replace(good, []byte("MC"), []byte("M!"), 1), nil,
	} {
		f.Add(file)
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		key, err := firstKey("file", bytes.Clone(file))
		if err != nil {
			if key != nil || !errors.Is(err, ErrPEM) && !errors.Is(err, ErrKeyEncrypted) && !errors.Is(err, ErrUnsupportedKey) {
				t.Fatalf("%v, %v", key, err)
			}
			// A message may name a block's label. So only lines of base64 are
			// compared, and only those that are not part of a label.
			message := blockLine.ReplaceAllString(err.Error(), "")
			for line := range strings.Lines(string(file)) {
				if line = strings.TrimSpace(line); base64Line.MatchString(line) && strings.Contains(message, line) {
					t.Fatalf("the error holds what the file does: %v", err)
				}
			}
			return
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		again, err := firstKey("again", pemOf("PRIVATE KEY", der))
		if err != nil || !key.(interface{ Equal(crypto.PrivateKey) bool }).Equal(again) {
			t.Fatalf("written again and read: %v", err)
		}
	})
}
