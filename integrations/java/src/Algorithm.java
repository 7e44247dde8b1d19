import java.security.GeneralSecurityException;
import java.security.PublicKey;
import java.security.Signature;
import java.security.spec.MGF1ParameterSpec;
import java.security.spec.PSSParameterSpec;

/** The five signature algorithms [J4], section 5.4. The platform's providers verify. */
enum Algorithm {
    ES256("ES256", Cert.Key.P256, "SHA256withECDSA"),
    ES384("ES384", Cert.Key.P384, "SHA384withECDSA"),
    RS256("RS256", Cert.Key.RSA, "SHA256withRSA"),
    PS256("PS256", Cert.Key.RSA, "RSASSA-PSS"),
    EDDSA("EdDSA", Cert.Key.ED25519, "Ed25519");

    final String jws;
    final Cert.Key key;
    private final String platform;

    Algorithm(String jws, Cert.Key key, String platform) {
        this.jws = jws;
        this.key = key;
        this.platform = platform;
    }

    static Algorithm ofJws(String name) {
        for (Algorithm a : values()) if (a.jws.equals(name)) return a;
        return null;
    }

    /** @param plain whether an ECDSA signature is R and S side by side, as in a JWS, or else DER */
    boolean verifies(PublicKey key, byte[] signed, byte[] signature, boolean plain) {
        try {
            boolean ecdsa = this == ES256 || this == ES384;
            if (ecdsa && plain && signature.length != (this == ES256 ? 64 : 96)) return false;
            if (this == EDDSA && signature.length != 64) return false; // [J4]: the JDK takes longer ones
            Signature verifier = Signature.getInstance(ecdsa && plain ? platform + "inP1363Format" : platform);
            if (this == PS256) {
                verifier.setParameter(new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, 1));
            }
            verifier.initVerify(key);
            verifier.update(signed);
            return verifier.verify(signature);
        } catch (GeneralSecurityException | RuntimeException e) {
            return false;
        }
    }
}
