package jws_test

import (
	"fmt"
	"log"
	"time"

	"github.com/dnasign/dnasign/encoding/jws"
	"github.com/dnasign/dnasign/internal/testkit/localca"
	"github.com/dnasign/dnasign/keys"
)

// The signer's chain must still be judged by the caller: here anybody could
// have signed.
func Example() {
	now := time.Now()
	ca, err := localca.New("Example Root", now)
	if err != nil {
		log.Fatal(err)
	}
	signer, err := ca.Issue("P-256", []string{"b.example"}, now, now.Add(time.Hour), nil) // or keys.LoadSigner
	if err != nil {
		log.Fatal(err)
	}

	token, err := jws.Sign([]byte(`{"iss":"b.example"}`), "dna+jwt", keys.ES256, signer)
	if err != nil {
		log.Fatal(err)
	}
	unverified, err := jws.Parse(token, "dna+jwt")
	if err != nil {
		log.Fatal(err)
	}
	payload, err := unverified.Verify(signer.Leaf().PublicKey)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s with %d certificate says %s\n", unverified.Algorithm, len(unverified.Certificates), payload)
	// Output: ES256 with 1 certificate says {"iss":"b.example"}
}
