package verifier

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/dnasign/dnasign/delegation"
	"github.com/dnasign/dnasign/delegation/association"
	"github.com/dnasign/dnasign/delegation/reasons"
	"github.com/dnasign/dnasign/discovery"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/internal/testkit/peerserver"
	"github.com/dnasign/dnasign/internal/testkit/setup"
	"github.com/dnasign/dnasign/internal/testkit/world"
	"github.com/dnasign/dnasign/keys"
)

// aPOSHWorld has a peer with a certificate of nobody that we trust, and a POSH file
// that names it. status is what the web server says of that.
func aPOSHWorld(t *testing.T, status int) (w *dialing, peer *keys.Signer) {
	w = newDialing(t)
	peer = world.At(time.Now()).Of(host)
	sum := sha256.Sum256(peer.Leaf().Raw)
	web := setup.Web(t, &http.Server{Handler: http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if "https://"+r.Host+r.URL.Path != delegation.POSHURL(source, service) {
			http.NotFound(rw, r)
			return
		}
		rw.Header().Set("Content-Type", delegation.POSHMediaType)
		rw.WriteHeader(status)
		fmt.Fprintf(rw, `{"fingerprints":[{"sha-256":%q}],"expires":3600}`, base64.StdEncoding.EncodeToString(sum[:]))
	})}, config(w.Of(source)))
	w.reach(source, 443, web.String())
	w.dialer.Client.Via, w.dialer.Client.HTTPSRoots = discovery.ViaAuto, w.CA.Pool()
	w.serveWith(host, 5269, peerserver.None, &tls.Config{Certificates: []tls.Certificate{localca.TLS(peer)}})
	w.add(srv(service, 0, 0, 5269, host))
	return w, peer
}

// TestPOSH: a peer whose certificate nobody issued counts by a POSH file, in both
// directions, and no longer once a statement was seen.
func TestPOSH(t *testing.T) {
	w, peer := aPOSHWorld(t, http.StatusOK)
	conn := w.accepted(to(host, 5269), association.POSH, 1)
	if conn.Reference.Name != source || time.Until(conn.Until) > time.Hour || conn.Decision.Association.Required() {
		t.Errorf("accepted %+v until %s", conn.Reference, conn.Until)
	}
	v := w.dialer.verifier()
	proof, err := v.Check(t.Context(), source, service, Peer{Chain: peer.Chain(), Direction: association.Incoming})
	must(t, err)
	if proof.Reference.Method != association.POSH {
		t.Errorf("incoming by %s", proof.Reference.Method)
	}
	if _, err := v.Share(t.Context(), proof, "c.example"); err == nil {
		t.Error("it lets another source use the connection")
	}

	w.delegate(service, time.Hour, to("elsewhere.example", 5269))
	w.refused(reasons.PeerUntrusted, reasons.PeerUntrusted)
	must(t, w.DNS.SetRecords(w.zone[:1])) // the statement is gone again, but it was seen
	e := w.refused(reasons.PeerUntrusted, reasons.PeerUntrusted)
	if !e.Required {
		t.Error("nothing is required after a statement was seen")
	}
}

// TestPOSHFails: a file that cannot be fetched is noted, and no outcome changes.
func TestPOSHFails(t *testing.T) {
	w, _ := aPOSHWorld(t, http.StatusServiceUnavailable)
	e := w.refused(reasons.PeerUntrusted, reasons.PeerUntrusted)
	proofs := e.Decision.Association.Proofs()
	if last := proofs[len(proofs)-1]; last.Method != association.POSH || last.Reason != reasons.HTTPSFailure {
		t.Errorf("%+v", last)
	}
}
