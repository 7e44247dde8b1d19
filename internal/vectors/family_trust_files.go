package vectors

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
)

// signerFiles are about what a program that signs is given.
func (b *book) signerFiles() {
	cert, key := certificatesPEM(b.signer.chain()...), keyPEM(b.signer.key)
	other := keyPEM(newKey("P-256", "other"))
	sec1 := pemBlock("EC PRIVATE KEY", must(x509.MarshalECPrivateKey(b.signer.key.(deterministic).Signer.(*ecdsa.PrivateKey))))
	rs, ed := b.ca.issue("rsa-2048"), b.ca.issue("Ed25519")
	pkcs1 := pemBlock("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rs.key.(deterministic).Signer.(*rsa.PrivateKey)))
	small := b.ca.issue("rsa-1024")
	// The key of the usual signer; the pass phrase is "public".
	encrypted := string(must(keyFiles.ReadFile("keys/encrypted.pem")))
	const broken = "-----BEGIN PRIVATE KEY-----\nMIGHAgEA!MBMGByqGSM49AgEG\n-----END PRIVATE KEY-----\n"
	six := certificatesPEM(longChain(6)(b.world).chain()...)
	for _, c := range []struct {
		id, reason, comment string
		certificate, key    *string
		mode                string
	}{
		{"usual", "verified", "a chain, and the key of its first certificate in PKCS #8", &cert, &key, "0600"},
		{"sec1", "verified", "a key in SEC 1", &cert, &sec1, "0600"},
		{"pkcs1", "verified", "an RSA key in PKCS #1", new(certificatesPEM(rs.chain()...)), &pkcs1, "0600"},
		{"ed25519", "verified", "a key of Ed25519", new(certificatesPEM(ed.chain()...)), new(keyPEM(ed.key)), "0600"},
		{"owner-reads", "verified", "a key file that its owner can only read", &cert, &key, "0400"},
		{"group-reads", "verified", "a key file that its group can read, which is worth a warning", &cert, &key, "0640"},
		{"one-file", "verified", "certificates and key in each file", new(cert + key), new(cert + key), "0600"},
		{"all-read", "key-readable", "a key file that every user can read", &cert, &key, "0644"},
		{"others-read", "key-readable", "a key file that all but the group can read", &cert, &key, "0604"},
		{"no-certificate", "bad-file", "there is no certificate file", nil, &key, "0600"},
		{"no-key", "bad-file", "there is no key file", &cert, nil, "0600"},
		{"certificate-empty", "bad-pem", "an empty certificate file", new(""), &key, "0600"},
		{"key-empty", "bad-pem", "an empty key file", &cert, new(""), "0600"},
		{"exchanged", "bad-pem", "the two files exchanged", &key, &cert, "0600"},
		{"key-broken", "bad-pem", "a key whose base64 is broken", &cert, new(broken), "0600"},
		{"key-public", "bad-pem", "a public key", &cert, new(pemBlock("PUBLIC KEY", b.signer.leaf.RawSubjectPublicKeyInfo)), "0600"},
		{"six", "bad-pem", "a chain of six certificates", &six, &key, "0600"},
		{"encrypted", "key-encrypted", "a key that a pass phrase protects", &cert, &encrypted, "0600"},
		{"mismatch", "key-mismatch", "the key of another certificate", &cert, &other, "0600"},
		{"small", "unsupported-key", "RSA of 1024 bits", new(certificatesPEM(small.chain()...)), new(keyPEM(small.key)), "0600"},
	} {
		b.add("trust-files-"+c.id, "signer-files", c.comment, Case{
			Operation: "signer-files", Certificate: c.certificate, Key: c.key, Mode: c.mode,
		}, ending(c.reason))
	}
}

func pemBlock(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

func certificatesPEM(list ...[]byte) string {
	var out bytes.Buffer
	for _, der := range list {
		out.WriteString(pemBlock("CERTIFICATE", der))
	}
	return out.String()
}

func keyPEM(key crypto.Signer) string {
	var private any = key.(deterministic).Signer
	if k, ok := private.(ed25519.PrivateKey); ok {
		private = k
	}
	return pemBlock("PRIVATE KEY", must(x509.MarshalPKCS8PrivateKey(private)))
}
