import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;

/** Tests of the parsers, without a framework: each failure is a line, and the exit code says whether there was one. */
final class Tests {
    private static int run;
    private static int failed;

    static void check(boolean holds, String what) {
        run++;
        if (holds) return;
        failed++;
        System.out.println("FAIL " + what);
    }

    private interface Trial {
        Object run() throws Exception;
    }

    private static void refuses(Trial trial, String what) {
        try {
            trial.run();
            check(false, what + " is taken");
        } catch (Json.Bad | Der.Bad | Refusal e) {
            check(true, what);
        } catch (Exception e) {
            check(false, what + ": " + e);
        }
    }

    private static void takes(Trial trial, String what) {
        try {
            trial.run();
            check(true, what);
        } catch (Exception e) {
            check(false, what + ": " + e);
        }
    }

    public static void main(String[] arguments) throws Exception {
        json();
        names();
        base64();
        der();
        txt();
        addresses();
        statements();
        roles();
        timestamps();
        signatures();
        tokens();
        reasons();
        harness();
        ChainTests.run();
        System.out.println(run + " checks, " + failed + " failed");
        System.exit(failed == 0 ? 0 : 1);
    }

    private static Object strict(String text) throws Json.Bad {
        return Json.strict(text.getBytes(StandardCharsets.ISO_8859_1));
    }

    /** [J7]. */
    private static void json() {
        for (String bad : List.of("", " ", "{", "{\"a\":1", "{\"a\":1,\"a\":2}", "{\"a\":1,}", "[1,]", "[,]", "\"\\n\"",
                "\"\u00e4\"", "\"\t\"", "\"\u007f\"", "null", "true", "false", "-1", "+1", "1.0", "1e3", "01", "00",
                "9007199254740992", "1 2", "{}x", "[[[[[]]]]]", "\u00ef\u00bb\u00bf{}", "{a:1}", "'a'", "\"a", "{\"a\" 1}",
                "\u0000", "{}\u0000", "\u000c{}")) {
            refuses(() -> strict(bad), "strict JSON " + bad);
        }
        for (String good : List.of("{}", " [ ] ", "0", "9007199254740991", "[[[[]]]]", "{\"a\":{\"a\":1}}", "\r\n\t\"\"",
                "\" ~\"")) {
            takes(() -> strict(good), "strict JSON " + good);
        }
        String elements = String.join(",", Collections.nCopies(32, "1"));
        takes(() -> strict("[" + elements + "]"), "32 elements");
        refuses(() -> strict("[" + elements + ",1]"), "33 elements");
        StringBuilder members = new StringBuilder("{\"0\":0");
        for (int i = 1; i < 16; i++) members.append(",\"").append(i).append("\":0");
        takes(() -> strict(members + "}"), "16 members");
        refuses(() -> strict(members + ",\"16\":0}"), "17 members");
        takes(() -> Json.lax("[null,true,false,-1,1.5e3,\"\\u00e4\\n\"]"), "lax JSON");
        refuses(() -> Json.lax("[".repeat(100000)), "deep lax JSON");
        check(Json.write(List.of(Map.of("a", "\u00e4\"\n"))).equals("[{\"a\": \"\\u00e4\\\"\\u000a\"}]"), "written JSON");
    }

    /** [N1] to [N4]. */
    private static void names() {
        String label63 = "a".repeat(63);
        String name253 = String.join(".", label63, label63, label63, "a".repeat(57), "aaa");
        for (String good : List.of("b.example", "a.test", "1.2.a3", "xn--bcher-kva.example", "xn--strae-oqa.example",
                label63 + ".example", name253, "ab--c.example", "xn--i-7iq.example")) {
            check(Names.isDomain(good), "name " + good);
        }
        for (String bad : List.of("", "example", "b.example.", ".b.example", "b..example", "B.example", "*.example",
                "-b.example", "b-.example", "b_c.example", label63 + "a.example", name253 + "a", "192.0.2.1", "b.localhost",
                "b.local", "b.onion", "b.internal", "b.invalid", "b.arpa", "xn--.example", "xn--a.example", "xn--a-.example",
                "b\u00fccher.example", "b.example\n", "xn--bcher-KVA.example", "xn--0.example")) {
            check(!Names.isDomain(bad), "not a name: " + bad);
        }
        for (String good : List.of("_xmpp-server._tcp", "_a._udp", "_a1-b2-c3-d4-e5f._tcp", "_1a._tcp")) {
            check(Names.isService(good), "service " + good);
        }
        for (String bad : List.of("", "xmpp-server", "_xmpp-server", "_xmpp-server._sctp", "_-a._tcp", "_a-._tcp", "_a--b._tcp",
                "_1._tcp", "_A._tcp", "_aaaaaaaaaaaaaaaa._tcp", "_a._tcp.", "_a_b._tcp", "_a._tcp\n")) {
            check(!Names.isService(bad), "not a service: " + bad);
        }
        check(Names.wildcardCovers("*.b.example", "a.b.example"), "wildcard");
        check(!Names.wildcardCovers("*.b.example", "b.example"), "wildcard of its parent");
        check(!Names.wildcardCovers("*.b.example", "x.a.b.example"), "wildcard of two labels");
    }

    /** [S6]. */
    private static void base64() {
        check(Arrays.equals(Octets.base64url("AAE"), new byte[] {0, 1}), "base64url");
        check(Arrays.equals(Octets.base64("AAE="), new byte[] {0, 1}), "base64");
        for (String bad : List.of("AAE=", "AAF", "A", "AA E", "AAE\n", "A+A", "A/A")) {
            check(Octets.base64url(bad) == null, "not base64url: " + bad);
        }
        for (String bad : List.of("AAE", "AAF=", "AAE==", "AA-_", "AAE=\n", "AAE=AAE=")) {
            check(Octets.base64(bad) == null, "not base64: " + bad);
        }
        check(Octets.base64(1L) == null, "base64 of a number");
    }

    private static byte[] octets(String hex) {
        byte[] out = new byte[hex.length() / 2];
        for (int i = 0; i < out.length; i++) out[i] = (byte) Integer.parseInt(hex.substring(2 * i, 2 * i + 2), 16);
        return out;
    }

    private static Object deep(String hex) throws Der.Bad {
        Der der = Der.whole(octets(hex));
        der.deep(16);
        return der;
    }

    /** [A3]. */
    private static void der() {
        for (String good : List.of("0500", "020100", "0201ff", "02020080", "0101ff", "30030201ff", "3106020101020102",
                "0603550403", "030100", "03020780", "1603414243", "9f1f00", "bf8101020500", "31050201003000", "3100")) {
            takes(() -> deep(good), "DER " + good);
        }
        for (String bad : List.of("", "05", "058100", "0500ff", "050100", "0200", "02020001", "0202ff80", "010101", "30800201000000",
                "300402010002", "3106020102020101", "0603558003", "06025583", "030108", "03020781", "030101", "160180",
                "1f1e00", "1f8000", "1000", "2400", "308201000500", "3081030201ff", "0c01ff", "13015f", "84ffffffff")) {
            refuses(() -> deep(bad), "DER " + bad);
        }
        String nested = "0500";
        for (int i = 0; i < 16; i++) nested = "30" + String.format("%02x", nested.length() / 2) + nested;
        String sixteen = nested;
        takes(() -> deep(sixteen), "16 levels");
        refuses(() -> deep("3022" + sixteen), "17 levels");
        for (int i = 0; i < 2000; i++) { // no input makes the readers fail in another way
            byte[] noise = new byte[i % 64];
            new java.util.Random(i).nextBytes(noise);
            if (noise.length > 0) noise[0] = 0x30;
            try {
                AttributeCertificate.parse(noise);
            } catch (Refusal e) {
                run++;
            } catch (RuntimeException e) {
                check(false, "noise " + i + ": " + e);
            }
            try {
                Cert.parse(noise);
            } catch (Refusal e) {
                run++;
            }
        }
    }

    /** [T1], [T2], [T3], [H5]. */
    private static void txt() {
        for (String record : List.of("v=DNA1", "v=DNA1;", "v=DNA1 ", "v=DNA1; e=jws; s=a", "v=DNA1\\000", "v=DNA1=")) {
            check(Txt.counts(record), "counts: " + record);
        }
        for (String record : List.of("", "v=DNA", "v=DNA10", "v=DNA1a", "v=DNA2; e=jws; s=a", "V=DNA1", " v=DNA1")) {
            check(!Txt.counts(record), "does not count: " + record);
        }
        byte[] token = {'a', '\r', '\n'};
        check(Documents.withoutLineEnd(token).length == 1, "CR LF");
        check(Documents.withoutLineEnd(new byte[] {'a', '\n', '\n'}).length == 2, "LF LF");
        check(Documents.withoutLineEnd(new byte[] {'a', '\r'}).length == 2, "CR");
        check(Documents.withoutLineEnd(new byte[] {'\n'}).length == 0, "LF alone");
        check(Documents.withoutLineEnd(new byte[0]).length == 0, "nothing");
    }

    /** [H6]. */
    private static void addresses() {
        for (String good : List.of("8.8.8.8", "2a00::1", "64:ff9b::8.8.8.8", "::ffff:8.8.8.8", "192.31.197.1", "100.128.0.1",
                "172.32.0.1", "2001:200::1")) {
            check(allowed(good), "allowed: " + good);
        }
        for (String bad : List.of("", "b.example", "127.0.0.1", "10.0.0.1", "192.0.0.8", "192.0.0.9", "192.31.196.1", "::1", "::",
                "::ffff:10.0.0.1", "::ffff:192.0.0.9", "::8.8.8.8", "2001:20::1", "2001:4:112::1", "2620:4f:8000::1", "fe80::1",
                "fe80::1%eth0", "fc00::1", "ff02::1", "2001:db8::1", "2002:808:808::1", "2001::1", "224.0.0.1", "255.255.255.255",
                "64:ff9b::10.0.0.1", "64:ff9b:1::1", "100.64.0.1", "08.8.8.8", "8.8.8", "256.1.1.1", "1", "3fff::1", "5f00::1")) {
            check(!allowed(bad), "not allowed: " + bad);
        }
    }

    private static boolean allowed(String address) {
        byte[] octets = Addresses.parse(address);
        return octets != null && Addresses.isAllowed(octets);
    }

    /** The digest of targets, and floors. */
    private static void statements() {
        check(Statement.DIGEST_OF_NONE.equals("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"), "no targets");
        Statement.Target a = new Statement.Target("a.example", 10, 1, 2, true, List.of("02", "01", "02"));
        Statement.Target b = new Statement.Target("a.example", 9, 1, 2, false, null);
        byte[] lines = "a.example 9 1 2\na.example 10 1 2 direct 01 02 02\n".getBytes(StandardCharsets.US_ASCII);
        check(Statement.digest(List.of(a, b)).equals(Octets.hex(Octets.sha256(lines))), "digest of targets");

        Floor low = new Floor(new Order(5, 9), "a", 100, 30);
        Floor high = new Floor(new Order(6, 1), "a", 50, 20);
        Floor other = new Floor(new Order(6, 1), "b", 60, 10);
        check(low.join(high) == high && high.join(low) == high, "the higher floor");
        Floor both = high.join(other);
        check(both.isContradiction() && both.validUntil() == 60 && both.signerUntil() == 20, "contradiction");
        check(both.join(high).isContradiction() && both.refusal(high.order(), "a") == Reason.CONFLICT, "still contradicting");
        check(both.refusal(low.order(), "a") == Reason.SUPERSEDED && both.refusal(new Order(6, 2), "a") == null, "order");
        check(high.refusal(high.order(), "a") == null, "the same statement");
        long days = 31 * 86400;
        check(high.isRequired(49 + days) && !high.isRequired(50 + days), "required");
        Floor revoked = new Floor(high.order(), Statement.DIGEST_OF_NONE, 50, 20);
        check(revoked.isRequired(49) && !revoked.isRequired(50), "required after a revocation");
    }

    private static void roles() {
        Role server = Role.of("_xmpps-server._tcp");
        check(server.service.equals("_xmpp-server._tcp") && server.labels().size() == 2, "role of the second label");
        check(server.startAt("_xmpps-server._tcp").equals("direct"), "second label");
        check(server.startAt("_xmpp-server._tcp").equals("starttls"), "own label");
        Statement.Target direct = new Statement.Target("a.example", 1, 0, 0, true, null);
        Statement.Target usual = new Statement.Target("a.example", 1, 0, 0, false, null);
        check(server.startOf(direct).equals("direct") && server.startOf(usual).equals("starttls"), "targets");
        check(Role.of("_imap._tcp").startOf(usual).equals("starttls"), "targets of a role without a default port");
        Role sips = Role.of("_sips._tcp");
        check(sips.labels().equals(List.of("_sips._tcp")), "a role of its own");
        check(sips.startOf(direct).equals("direct") && sips.startOf(usual).isEmpty(), "targets outside the table");
        check(Role.of("_xmpp-server._udp").startOf(direct).isEmpty(), "UDP");
    }

    /** A list of timestamps as the value of the extension, in hexadecimal. */
    private static String list(String... timestamps) {
        StringBuilder inside = new StringBuilder();
        for (String t : timestamps) inside.append(String.format("%04x", t.length() / 2)).append(t);
        String list = String.format("%04x", inside.length() / 2) + inside;
        return String.format(list.length() < 256 ? "04%02x" : "0482%04x", list.length() / 2) + list;
    }

    private static String timestamp(String milliseconds) {
        return "00" + "aa".repeat(32) + milliseconds + "0002" + "beef" + "0403" + "0100" + "cc".repeat(256);
    }

    /** [O1]. */
    private static void timestamps() throws Exception {
        String one = timestamp("0000000000000001");
        String last = timestamp("ffffffffffffffff");
        check(Sct.timestamps(octets(list(one, "01", last))).equals(List.of(1L, -1L)), "timestamps");
        check(Sct.timestamps(octets(list("01ff", "ff"))).isEmpty(), "unknown versions");
        for (String bad : List.of(list(), list(""), list("00"), list(one + "00"),
                list(one.substring(0, one.length() - 2)), list(one) + "00", "0500", "0400", "040100", "04020001", "0403000100",
                "040400000000", "04030001", "04050003000201", "04060003000100ff")) {
            refuses(() -> Sct.timestamps(octets(bad)), "timestamps " + bad);
        }
    }

    /** [J8]: signatures that verifiers of other equations judge otherwise. Messages and keys are in hexadecimal. */
    private static void signatures() throws Exception {
        String key = "3b6f28fb6bbf9617e38def387fde1419655473155d091a9c6f3bb3f1e1dd7b65", mixed = "b290d704944069e81c7210c78021ebe69aab8ceaa2f6e56390c44c0e1e22849a", hello = "68656c6c6f";
        String r = "8d86cec8ba243f7d75478390dbad89d68c3f8413577f22fb0b49c8d3009d0d74", s = "5668698856a5787a62744fa3123cecb0b989976b47a7d5256f20f07ed54d7407";
        ed25519(true, "usual", key, hello, r + s);
        ed25519(false, "S + L", key, hello, r + "433c5fe570088bd238114746f135cbc5b989976b47a7d5256f20f07ed54d7417");
        ed25519(false, "R with a part of order 2", key, hello,
                "6079313745dbc0828ab87c6f2452762973c07beca880dd04f4b6372cff62f28b" + "97f409fb5e357615b5ff10aca97a2f66160a48964e3b5b5ea61d8a85e504600c");
        ed25519(true, "key with a part of order 2, k even", mixed, hello + "30", r + "93fdd6b028241f3ce17c383df0fabf29c624701ef4ce2c4be0eb70076087af01");
        ed25519(false, "key with a part of order 2, k odd", mixed, hello + "31", r + "8232d732a59dde260b9102bd903508e622f73ce9b779aacd8fdc7c5a944ccf07");
        ed25519(true, "R = 0", key, hello, "01" + "00".repeat(31) + "dca0a9f0fa4673d12bc796dfc04abfb8eb8063b84de300cc19409bd8daf68708");
        ed25519(false, "R = 0 as y = p + 1", key, hello,
                "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f" + "61081179753c1a11eb94ea1bfa42369022d276d815974bc87d79aba9439faf09");
        ed25519(false, "an octet more", key, hello, r + s + "00");
    }

    private static void ed25519(boolean verifies, String what, String key, String message, String signature) throws Exception {
        java.security.PublicKey publicKey = java.security.KeyFactory.getInstance("Ed25519").generatePublic(
                new java.security.spec.X509EncodedKeySpec(octets("302a300506032b6570032100" + key)));
        check(Algorithm.EDDSA.verifies(publicKey, octets(message), octets(signature), true) == verifies, "Ed25519: " + what);
    }

    private static void tokens() {
        for (String token : List.of("", ".", "..", "...", "a.b.c", "e30.e30.AA", "W10.e30.AA")) {
            refuses(() -> Jws.parse(token.getBytes(StandardCharsets.US_ASCII)), "token " + token);
        }
    }

    private static void reasons() {
        check(Reason.values().length == 97 && Reason.of("malformed-ac") == Reason.MALFORMED_AC, "reasons " + Reason.values().length);
        check(Reason.SELF_TEST_FAILED.outcome().equals("undetermined") && !Reason.SELF_TEST_FAILED.isFailedLookup(), "self-test");
        check(Reason.TLS_FAILED.outcome().equals("refused") && Reason.VERIFIED.outcome().equals("verified"), "outcomes");
    }

    private static void harness() {
        for (String line : List.of("{", "[]", "1", "{}", "{\"operation\":1}", "{\"operation\":\"verify\"}",
                "{\"operation\":\"verify\",\"query\":[],\"policy\":1,\"evidence\":\"\"}", "{\"operation\":\"associate\"}",
                "{\"operation\":\"reuse\"}", "{\"operation\":\"dnssec\",\"replies\":[1]}", "{\"operation\":\"self-test\"}",
                "{\"operation\":\"attempts\",\"attempts\":[1]}", "{\"operation\":\"address\",\"address\":1}",
                "{\"operation\":\"signer-files\",\"certificate\":\"\",\"key\":\"\"}", "{\"features\":[\"?\"]}")) {
            Map<String, Object> answer = Harness.answer(line);
            check(answer.containsKey("id"), line);
            check(line.equals("{") || !"error".equals(answer.get("outcome")), line + " " + answer);
        }
    }
}
