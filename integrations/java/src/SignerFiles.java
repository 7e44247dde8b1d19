import java.io.IOException;
import java.io.StringReader;
import java.io.StringWriter;
import java.security.PrivateKey;
import java.security.PublicKey;
import java.security.SecureRandom;
import java.security.Signature;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.bouncycastle.asn1.pkcs.PrivateKeyInfo;
import org.bouncycastle.openssl.PEMKeyPair;
import org.bouncycastle.openssl.PEMParser;
import org.bouncycastle.openssl.jcajce.JcaPEMKeyConverter;
import org.bouncycastle.util.io.pem.PemObject;
import org.bouncycastle.util.io.pem.PemReader;
import org.bouncycastle.util.io.pem.PemWriter;

/** What a signer is given, in two files. The reason is the one that comes first in docs/reasons.md. */
final class SignerFiles {
    private SignerFiles() {}

    static Map<String, Object> answer(Map<?, ?> vector) {
        try {
            check(vector.get("certificate"), vector.get("key"), Json.string(vector.get("mode")));
            return Dnssec.result(Reason.VERIFIED);
        } catch (Refusal r) {
            return Dnssec.result(r.reason);
        }
    }

    private static void check(Object certificateFile, Object keyFile, String mode) throws Refusal {
        if (!(certificateFile instanceof String) || !(keyFile instanceof String)) {
            throw new Refusal(Reason.BAD_FILE, "missing");
        }
        List<byte[]> certificates = certificates((String) certificateFile);
        if (certificates.isEmpty() || certificates.size() > Statement.MAX_CERTIFICATES) {
            throw new Refusal(Reason.BAD_PEM, certificates.size() + " certificates");
        }
        PrivateKey key = key((String) keyFile);
        if (isReadable(mode)) throw new Refusal(Reason.KEY_READABLE, mode);
        if (!belong(key, Cert.parse(certificates.get(0)).publicKey())) throw new Refusal(Reason.KEY_MISMATCH, "another key");
        Signer.check(certificates); // [W2], [W1]
    }

    private static List<byte[]> certificates(String text) throws Refusal {
        List<byte[]> out = new ArrayList<>();
        for (PemObject block : blocks(text)) {
            if (block.getType().equals("CERTIFICATE")) out.add(block.getContent());
        }
        return out;
    }

    private static List<PemObject> blocks(String text) throws Refusal {
        List<PemObject> out = new ArrayList<>();
        try (PemReader reader = new PemReader(new StringReader(text))) {
            for (PemObject o = reader.readPemObject(); o != null; o = reader.readPemObject()) out.add(o);
        } catch (IOException | RuntimeException e) {
            throw new Refusal(Reason.BAD_PEM, e.getMessage());
        }
        return out;
    }

    /** The first private key of the file; what kind of block it is, is told by its label. */
    private static PrivateKey key(String text) throws Refusal {
        for (PemObject block : blocks(text)) {
            if (!block.getType().endsWith("PRIVATE KEY")) continue;
            if (block.getType().startsWith("ENCRYPTED ") || !block.getHeaders().isEmpty()) { // Proc-Type: 4,ENCRYPTED
                throw new Refusal(Reason.KEY_ENCRYPTED, block.getType());
            }
            StringWriter one = new StringWriter();
            try (PemWriter writer = new PemWriter(one)) {
                writer.writeObject(block);
                writer.flush();
                Object key = new PEMParser(new StringReader(one.toString())).readObject();
                return new JcaPEMKeyConverter().getPrivateKey(key instanceof PEMKeyPair
                        ? ((PEMKeyPair) key).getPrivateKeyInfo() : (PrivateKeyInfo) key);
            } catch (IOException | RuntimeException e) {
                throw new Refusal(Reason.BAD_PEM, e.getMessage());
            }
        }
        throw new Refusal(Reason.BAD_PEM, "no private key");
    }

    /** Readable by every user, not only by owner and group. */
    private static boolean isReadable(String mode) {
        return mode.matches("[0-7]+") && (Integer.parseInt(mode, 8) & 4) != 0;
    }

    /** Whether what the private key signs verifies by the public key. */
    private static boolean belong(PrivateKey key, PublicKey publicKey) {
        String algorithm = publicKey.getAlgorithm();
        try {
            Signature signer = Signature.getInstance(algorithm.equals("RSA") ? "SHA256withRSA"
                    : algorithm.equals("EC") ? "SHA256withECDSA" : "Ed25519");
            byte[] text = new byte[32];
            new SecureRandom().nextBytes(text);
            signer.initSign(key);
            signer.update(text);
            byte[] signature = signer.sign();
            signer.initVerify(publicKey);
            signer.update(text);
            return signer.verify(signature);
        } catch (GeneralSecurityException | RuntimeException e) {
            return false;
        }
    }
}
