import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** One case a line on standard input, one answer a line on standard output. */
final class Harness {
    private Harness() {}

    public static void main(String[] arguments) throws IOException {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            if (!line.isBlank()) out.println(Json.write(answer(line)));
        }
    }

    static Map<String, Object> answer(String line) {
        Object id = "";
        try {
            Map<?, ?> vector = Json.object(Json.lax(line));
            id = vector.get("id");
            return answer(vector);
        } catch (Json.Bad | RuntimeException | StackOverflowError e) {
            Map<String, Object> out = new LinkedHashMap<>();
            out.put("id", id);
            out.put("outcome", "error");
            out.put("reason", "" + e);
            return out;
        }
    }

    /** BouncyCastle's path validation knows certificate policies. */
    private static final List<String> OPTIONAL_PARTS = List.of("certificate-policies");

    static Map<String, Object> answer(Map<?, ?> vector) {
        Map<String, Object> out = new LinkedHashMap<>();
        out.put("id", vector.get("id"));
        Object features = vector.get("features");
        if (features != null && !features.equals(OPTIONAL_PARTS)) out.put("skipped", "no optional parts: " + features);
        else out.putAll(byOperation(vector));
        return out;
    }

    private static Map<String, Object> byOperation(Map<?, ?> vector) {
        switch (Json.string(vector.get("operation"))) {
            case "verify": return Verify.answer(vector);
            case "associate": return Association.answer(vector);
            case "reuse": return Reuse.answer(vector);
            case "dnssec": return Dnssec.answer(vector);
            case "self-test": return Dnssec.selfTest(vector);
            case "attempts": return Attempts.answer(vector);
            case "address": return Addresses.answer(vector);
            case "signer-files": return SignerFiles.answer(vector);
            default: return Map.of("skipped", "operation " + vector.get("operation"));
        }
    }
}
