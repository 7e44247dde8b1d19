package keys_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"fmt"
	"log"

	"github.com/dnasign/dnasign/keys"
)

func ExampleAlgorithmFor() {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		log.Fatal(err)
	}
	algorithm, err := keys.AlgorithmFor(key.Public())
	if err != nil {
		log.Fatal(err)
	}
	signature, err := algorithm.Sign(key, []byte("message"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(algorithm, "makes", len(signature), "octets")
	fmt.Println(algorithm.Verify(key.Public(), []byte("message"), signature))
	fmt.Println(algorithm.Verify(key.Public(), []byte("Message"), signature))
	// Output:
	// ES256 makes 64 octets
	// <nil>
	// signature does not verify (ES256)
}
