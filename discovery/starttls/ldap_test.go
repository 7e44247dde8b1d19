package starttls

import (
	"strings"
)

const (
	success  = "\x0a\x01\x00\x04\x00\x04\x00"
	named    = "\x8a\x16" + startTLSName
	another  = "\x8a\x16" + "1.3.6.1.4.1.1466.20036" // the name of a notice
	referral = "\xa3\x13\x04\x11ldap://evil.test/"
)

// respond is a message with an id and the content of an ExtendedResponse.
func respond(id, response string) []string {
	content := "\x02\x01" + id + "\x78" + string(rune(len(response))) + response
	return []string{"", "\x30" + string(rune(len(content))) + content}
}

var ldapPeers = []peer{
	{"as it should be", good("_ldap._tcp"), "", ""},
	{"with the name", respond("\x01", success+named), "", ""},
	{"lengths of four octets", []string{"", "\x30\x84\x00\x00\x00\x10\x02\x01\x01\x78\x84\x00\x00\x00\x07" + success}, "", ""},
	{"words with a success", respond("\x01", "\x0a\x01\x00\x04\x01x\x04\x02ok"), "", ""},

	{"does not know it", respond("\x01", "\x0a\x01\x02\x04\x00\x04\x05what?"), missing, `does not know StartTLS: "what?"`},
	{"an inner length too small", respond("\x01", "\x0a\x01\x35\x04\x00\x04\x01no"), failed, `result 53: "n"`},
	{"refused", respond("\x01", "\x0a\x01\x35\x04\x00\x04\x02no"), failed, `result 53: "no"`},
	{"a referral", respond("\x01", "\x0a\x01\x0a\x04\x00\x04\x00"+referral), failed, "refers to another server"},
	{"a referral with a success", respond("\x01", success+referral), failed, "more than a name"},
	{"a value with a success", respond("\x01", success+named+"\x8b\x01x"), failed, "more than a name"},
	{"another name", respond("\x01", success+another), failed, "1466.20036"},
	{"a notice of disconnection", respond("\x00", "\x0a\x01\x34\x04\x00\x04\x00"+another), failed, "notice"},
	{"another message", respond("\x02", success), failed, "another message"},
	{"an answer to a bind", []string{"", "\x30\x0c\x02\x01\x01\x61\x07" + success}, failed, "0x61"},
	{"a control", []string{"", "\x30\x0e\x02\x01\x01\x78\x07" + success + "\xa0\x00"}, failed, "another message"},
	{"a result of two octets", respond("\x01", "\x0a\x02\x00\x00\x04\x00\x04\x00"), failed, "another message"},
	{"no result", respond("\x01", ""), failed, "not LDAP"},
	{"an inner length too large", []string{"", "\x30\x0c\x02\x01\x01\x78\x7f" + success}, failed, "not LDAP"},
	{"an endless length", []string{"", "\x30\x80\x02\x01\x01"}, failed, "begins with 0x80"},
	{"a length of five octets", []string{"", "\x30\x85\x00\x00\x00\x00\x0c"}, failed, "begins with 0x85"},
	{"a negative length", []string{"", "\x30\x84\xff\xff\xff\xff"}, failed, "65536 octets"},
	{"too large", []string{"", "\x30\x83\x01\x00\x01"}, failed, "65536 octets"},
	{"too large with its head", []string{"", "\x30\x83\x01\x00\x00" + strings.Repeat("x", maxOctets)}, failed, "65536 octets"},
	{"another protocol", []string{"220 mail.example\r\n"}, failed, "begins with 0x32"},
}
