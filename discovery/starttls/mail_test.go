package starttls

import (
	"strings"

	"github.com/dnasign/dnasign/delegation/reasons"
)

const (
	missing = reasons.STARTTLSMissing
	failed  = reasons.STARTTLSFailed
)

var (
	long  = strings.Repeat("x", maxLine+1)
	heaps = strings.Repeat(strings.Repeat("x", 99)+"\r\n", maxOctets/100)
)

var imapPeers = []peer{
	{"as it should be", good("_imap._tcp"), "", ""},
	{"in lower case", []string{"* ok\r\n", "* capability starttls\r\na ok\r\n", "b ok\r\n"}, "", ""},
	{"capabilities of the greeting, and other responses", []string{"* OK [CAPABILITY IMAP4rev1] x\r\n", "* STATUS\r\n* CAPABILITY IMAP4rev1 STARTTLS\r\na OK\r\n", "* 1 EXISTS\r\nb OK\r\n"}, "", ""},

	{"not offered", []string{"* OK\r\n", "* CAPABILITY IMAP4rev1 LOGINDISABLED\r\na OK\r\n"}, missing, "does not offer"},
	{"offered in the greeting only", []string{"* OK [CAPABILITY IMAP4rev1 STARTTLS]\r\n", "* CAPABILITY IMAP4rev1\r\na OK\r\n"}, missing, "does not offer"},
	{"another word offered", []string{"* OK\r\n", "* CAPABILITY XSTARTTLS STARTTLS2\r\n* XCAPABILITY STARTTLS\r\na OK\r\n"}, missing, "does not offer"},
	{"a letter that is an S in upper case", []string{"* OK\r\n", "* CAPABILITY \u017fTARTTLS\r\na OK\r\n"}, missing, "does not offer"},
	{"offered after the end", []string{"* OK\r\n", "a OK\r\n* CAPABILITY STARTTLS\r\n"}, missing, "does not offer"},
	{"PREAUTH", []string{"* PREAUTH welcome\r\n"}, missing, "PREAUTH"},
	{"PREAUTH in lower case", []string{"* preauth [CAPABILITY STARTTLS] welcome\r\n"}, missing, "PREAUTH"},
	{"BYE", []string{"* BYE\r\n"}, failed, `greeting is "* BYE"`},
	{"BYE for capabilities", []string{"* OK\r\n", "* CAPABILITY STARTTLS\r\n* BYE\r\n"}, failed, `"* BYE"`},
	{"BYE for an answer", []string{"* OK\r\n", "* CAPABILITY STARTTLS\r\na OK\r\n", "* BYE\r\nb OK\r\n"}, failed, `answer to STARTTLS is "* BYE"`},
	{"refused", []string{"* OK\r\n", "* CAPABILITY STARTTLS\r\na OK\r\n", "b NO not now\r\n"}, failed, `"b NO not now"`},
	{"does not know it", []string{"* OK\r\n", "* CAPABILITY STARTTLS\r\na OK\r\n", "b BAD what?\r\n"}, failed, `"b BAD what?"`},
	{"does not know CAPABILITY", []string{"* OK\r\n", "a BAD what?\r\n"}, failed, `"a BAD what?"`},
	{"another tag", []string{"* OK\r\n", "* CAPABILITY STARTTLS\r\na OK\r\n", "a OK\r\n"}, failed, `"a OK"`},
	{"a tag that is longer", []string{"* OK\r\n", "* CAPABILITY STARTTLS\r\na OK\r\n", "bb OK\r\n"}, failed, `"bb OK"`},
	{"OKAY", []string{"* OK\r\n", "* CAPABILITY STARTTLS\r\na OK\r\n", "b OKAY\r\n"}, failed, `"b OKAY"`},
	{"wants more", []string{"* OK\r\n", "+ go on\r\n"}, failed, `"+ go on"`},
	{"another protocol", []string{"220 mail.example\r\n"}, failed, `"220 mail.example"`},
	{"a line of LF", []string{"* OK\n"}, failed, `'\n'`},
	{"a line of CR", []string{"* OK\r\r\n"}, failed, `'\r'`},
	{"NUL", []string{"* OK \x00\r\n"}, failed, `'\x00'`},
	{"a line too long", []string{"* OK " + long}, failed, "8192 octets"},
	{"too many lines", []string{"* OK\r\n", strings.Repeat("* NO\r\n", maxLines)}, failed, "200 lines"},
	{"too many octets", []string{"* OK\r\n", strings.Repeat("* "+strings.Repeat("x", maxLine-3)+"\r\n", 9)}, failed, "65536 octets"},
}

var pop3Peers = []peer{
	{"as it should be", good("_pop3._tcp"), "", ""},
	{"in lower case", []string{"+ok\r\n", "+ok\r\nstls\r\n.\r\n", "+ok\r\n"}, "", ""},

	{"not offered", []string{"+OK\r\n", "+OK\r\nUIDL\r\n.\r\n"}, missing, "does not offer"},
	{"another word offered", []string{"+OK\r\n", "+OK STLS\r\nXSTLS\r\nSTLS2\r\n.\r\n"}, missing, "does not offer"},
	{"offered after the end", []string{"+OK\r\n", "+OK\r\n.\r\nSTLS\r\n"}, missing, "does not offer"},
	{"does not know CAPA", []string{"+OK\r\n", "-ERR\r\n"}, missing, "does not say"},
	{"refused", []string{"+OK\r\n", "+OK\r\nSTLS\r\n.\r\n", "-ERR not now\r\n"}, failed, `"-ERR not now"`},
	{"refuses us", []string{"-ERR go away\r\n"}, failed, `greeting is "-ERR go away"`},
	{"OKAY", []string{"+OKAY\r\n"}, failed, `"+OKAY"`},
	{"another protocol", []string{"* OK\r\n"}, failed, `"* OK"`},
	{"no list", []string{"+OK\r\n", ".\r\n"}, failed, `"."`},
	{"a line of LF", []string{"+OK\n"}, failed, `'\n'`},
	{"a line too long", []string{"+OK " + long}, failed, "8192 octets"},
	{"too many lines", []string{"+OK\r\n", "+OK\r\n" + heaps}, failed, "200 lines"},
}

var submissionPeers = []peer{
	{"as it should be", good("_submission._tcp"), "", ""},
	{"a greeting of many lines", []string{"220-mail\r\n220-is\r\n220 good\r\n", "250-x\r\n250 STARTTLS\r\n", "220\r\n"}, "", ""},
	{"in lower case", []string{"220\r\n", "250-x\r\n250-starttls\r\n250 SIZE\r\n", "220-go\r\n220 on\r\n"}, "", ""},

	{"not offered", []string{"220\r\n", "250-x\r\n250 SIZE\r\n"}, missing, "does not offer"},
	{"its name is STARTTLS", []string{"220\r\n", "250-STARTTLS\r\n250 SIZE\r\n"}, missing, "does not offer"},
	{"another word offered", []string{"220\r\n", "250-x\r\n250-XSTARTTLS\r\n250 STARTTLS2\r\n"}, missing, "does not offer"},
	{"offered in the next reply", []string{"220\r\n", "250 x\r\n250 STARTTLS\r\n"}, missing, "does not offer"},
	{"refused", []string{"220\r\n", "250-x\r\n250 STARTTLS\r\n", "454 not now\r\n"}, failed, `"454 not now"`},
	{"does not know EHLO", []string{"220\r\n", "502 what?\r\n"}, failed, `"502 what?"`},
	{"refuses us", []string{"554 go away\r\n"}, failed, `greeting is "554 go away"`},
	{"the code changes", []string{"220\r\n", "250-x\r\n220 STARTTLS\r\n"}, failed, `"220 STARTTLS"`},
	{"a longer code", []string{"2200 x\r\n"}, failed, `"2200 x"`},
	{"no code", []string{"22\r\n"}, failed, `"22"`},
	{"another protocol", []string{"* OK\r\n"}, failed, `"* OK"`},
	{"a line of LF", []string{"220 x\n"}, failed, `'\n'`},
	{"a line too long", []string{"220 " + long}, failed, "8192 octets"},
	{"too many lines", []string{strings.Repeat("220-x\r\n", maxLines+1)}, failed, "200 lines"},
}
