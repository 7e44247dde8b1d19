package delegation

// gatherStream takes a statement out of a stream, if it may count:
// docs/stream.md. Whoever brings it chose it, and a newer one or a revocation may
// be published. So every place must have answered first, and hold nothing, good
// or bad.
func (v *verification) gatherStream(s *StreamStatement) {
	if why := v.closedToStreams(); why != "" {
		v.log.info("stream", "stream", "not looked at: %s", why)
		return
	}
	v.log.ok("stream", "stream", "brought by the peer, %d octets", len(s.Body))
	v.candidates = append(v.candidates, candidate{"stream", inStream, s.Encoding, s.Body, int64(v.evidence.TXT[0].TTL), nil})
}

// closedToStreams says why a statement from a stream does not count, or "".
func (v *verification) closedToStreams() string {
	if len(v.candidates)+len(v.refused) > 0 {
		return "DNS or the web server has a statement"
	}
	if len(v.evidence.TXT) == 0 || v.evidence.TXT[0].Failure != nil || v.evidence.TXT[0].DNSSEC == Bogus {
		return "DNS has not answered"
	}
	answered := 0
	for i := range v.evidence.Documents {
		if d := &v.evidence.Documents[i]; d.URL != "" && d.answered() {
			answered++
		}
	}
	if answered < len(Encodings()) {
		return "the web server has not answered"
	}
	return ""
}

// answered reports whether it is known that no statement is there, given that
// none was found. A host that refuses connections serves nothing.
func (d *Document) answered() bool {
	return d.NoServer || d.Failure == nil && (d.NoAddress || d.Status == statusOK || d.Status == statusNotFound || d.Status == statusGone)
}
