package x509attr

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
)

// TestPEM covers the text form: one certificate, many ways to spoil it.
func TestPEM(t *testing.T) {
	der := create(t, plainTemplate(t))
	good := string(EncodePEM(der))
	if !strings.HasPrefix(good, "-----BEGIN ATTRIBUTE CERTIFICATE-----\n") || !strings.HasSuffix(good, "\n-----END ATTRIBUTE CERTIFICATE-----\n") {
		t.Fatalf("wrong form:\n%s", good)
	}
	oneLine := "-----BEGIN ATTRIBUTE CERTIFICATE-----\n" + base64.StdEncoding.EncodeToString(der) + "\n-----END ATTRIBUTE CERTIFICATE-----"
	for name, text := range map[string]string{
		"own form":             good,
		"one line, no newline": oneLine,
		"CR and LF":            strings.ReplaceAll(good, "\n", "\r\n"),
		"white space around":   "\n\n \t" + good + "\r\n ",
		"text around":          "Attribute Certificate:\n    Version: 2\n" + good + "end\n",
		"white space inside":   strings.ReplaceAll(good, "\n", " \t\n"),
	} {
		ac, err := ParsePEM([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if !bytes.Equal(ac.Raw, der) {
			t.Errorf("%s: another certificate", name)
		}
	}

	padded := der
	for len(padded)%3 != 1 {
		padded = append(padded[:len(padded):len(padded)], 0)
	}
	looseBits := base64.StdEncoding.EncodeToString(padded)
	looseBits = looseBits[:len(looseBits)-3] + string(looseBits[len(looseBits)-3]+1) + "=="
	for _, tt := range []struct {
		name, text string
		want       Problem
	}{
		{"empty", "", ProblemPEM},
		{"white space", " \n", ProblemPEM},
		{"text on the first line", "Certificate: " + good, ProblemPEM},
		{"text on the last line", strings.TrimSpace(good) + "end", ProblemPEM},
		{"a certificate before", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n" + good, ProblemPEM},
		{"a certificate after", good + "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n", ProblemPEM},
		{"two blocks", good + good, ProblemPEM},
		{"another label", strings.ReplaceAll(good, "ATTRIBUTE CERT", "CERT"), ProblemPEM},
		{"an old label", strings.ReplaceAll(good, "ATTRIBUTE", "X509 ATTRIBUTE"), ProblemPEM},
		{"label in lower case", strings.ToLower(good), ProblemPEM},
		{"no end", good[:len(good)-40], ProblemPEM},
		{"another end", strings.Replace(good, "END ATTRIBUTE", "END", 1), ProblemPEM},
		{"header", strings.Replace(good, "\n", "\nProc-Type: 4,ENCRYPTED\n\n", 1), ProblemPEM},
		{"boundaries only", "-----BEGIN ATTRIBUTE CERTIFICATE----------END ATTRIBUTE CERTIFICATE-----", ProblemPEM},
		{"boundary not alone", strings.Replace(good, "-----\n", "-----", 1), ProblemPEM},
		{"end not alone", strings.Replace(good, "\n-----END", "-----END", 1), ProblemPEM},
		{"no base64", strings.Replace(good, "M", "*", 1), ProblemPEM},
		{"form feed", strings.Replace(good, "\n", "\n\f", 1), ProblemPEM},
		{"no-break space", strings.Replace(good, "\n", "\n\u00a0", 1), ProblemPEM},
		{"URL alphabet", strings.Replace(good, "M", "_", 1), ProblemPEM},
		{"no padding", "-----BEGIN ATTRIBUTE CERTIFICATE-----\nMA\n-----END ATTRIBUTE CERTIFICATE-----", ProblemPEM},
		{"loose bits", "-----BEGIN ATTRIBUTE CERTIFICATE-----\n" + looseBits + "\n-----END ATTRIBUTE CERTIFICATE-----", ProblemPEM},
		{"no content", "-----BEGIN ATTRIBUTE CERTIFICATE-----\n\n-----END ATTRIBUTE CERTIFICATE-----", ProblemSyntax},
		{"octet left over", string(EncodePEM(append(der[:len(der):len(der)], 0))), ProblemSyntax},
		{"too long", good + strings.Repeat(" ", maxPEMSize), ProblemLimit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, err := ParsePEM([]byte(tt.text))
			wantProblem(t, err, tt.want)
		})
	}

	largest := EncodePEM(make([]byte, MaxSize))
	if len(bytes.ReplaceAll(largest, []byte("\n"), []byte("\r\n"))) > maxPEMSize {
		t.Error("the largest certificate does not fit the limit of the text")
	}
}
