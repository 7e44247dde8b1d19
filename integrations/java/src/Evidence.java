import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Everything found out for one query (docs/reports.md, section 1), checked by V1. */
final class Evidence {
    private static final Set<String> STATES = Set.of("secure", "insecure", "bogus", "indeterminate");
    private static final String[] ANSWER = {"name", "resolver", "dnssec", "ttl", "failure", "records"};
    private static final int MAX_DOCUMENTS = 8;
    private static final String[] SERVED =
            {"url", "failure", "status", "media_type", "max_age", "body", "no_address", "no_server", "file"};

    /** An answer to an SRV, TXT or TLSA question. */
    static final class Answer {
        String name;
        /** The label that was asked about. */
        String label;
        String dnssec;
        long ttl;
        Reason failure;
        /** Row.Entry, String or Tlsa. */
        final List<Object> records = new ArrayList<>();
        /** Of TLSA: the name is an alias, or a wildcard made the records. */
        boolean isAlias, isWildcard;

        /** Whether DNSSEC secures it, as far as the policy lets that count [D2]. */
        boolean isSecure(Policy policy) {
            return failure == null && dnssec.equals("secure") && policy.believesReplayedDnssec;
        }
    }

    /** What HTTPS served, or a file. */
    static final class Document {
        String origin;
        boolean isFile;
        /** Of a file: told by its first octet. */
        String encoding;
        Reason failure;
        boolean noAddress;
        /** Every address of the host refused the connection. */
        boolean noServer;
        long status;
        String mediaType;
        Long maxAge;
        byte[] body;
    }

    /** What a peer brought in its XMPP stream. */
    static final class Stream {
        String encoding;
        byte[] body;
    }

    long collected;
    final List<Answer> srv = new ArrayList<>();
    final List<Answer> txt = new ArrayList<>();
    final List<Document> documents = new ArrayList<>();
    /** About the keys that may sign; null if nobody asked. */
    Answer signers;
    final List<Document> posh = new ArrayList<>();
    /** Or null. */
    Stream stream;

    static Evidence read(Object value, Query query) throws Refusal {
        Evidence e = new Evidence();
        Map<?, ?> json = members(value, "version", "source", "service", "collected", "srv", "txt", "documents", "signers", "posh", "streams");
        if (!Long.valueOf(2).equals(json.get("version"))) throw bad("version");
        if (!query.source.equals(json.get("source")) || !query.role.service.equals(json.get("service"))) {
            throw bad("about another question");
        }
        Long collected = Octets.time(json.get("collected"));
        if (collected == null) throw bad("collected");
        e.collected = collected;
        List<?> srv = list(json.get("srv"));
        List<?> txt = list(json.get("txt"));
        List<?> documents = list(json.get("documents"));
        if (srv.size() > 2 || txt.size() > 1 || documents.size() > MAX_DOCUMENTS) throw bad("too many answers");
        if (txt.isEmpty() && documents.isEmpty()) throw new Refusal(Reason.MISSING_INPUT, "nothing looked at");
        Set<String> places = new HashSet<>();
        for (Object element : srv) e.srv.add(srv(element, query, places));
        for (Object element : txt) e.txt.add(txt(element, query, places));
        for (Object element : documents) e.documents.add(document(element, query, places));
        List<?> posh = list(json.get("posh"));
        if (posh.size() > 2) throw bad("too many POSH files");
        for (Object element : posh) e.posh.add(posh(element, query, e.posh.isEmpty()));
        List<?> streams = list(json.get("streams"));
        if (streams.size() > 1) throw bad("too many statements from streams"); // [X1]
        if (!streams.isEmpty()) e.stream = stream(streams.get(0));
        List<?> signers = list(json.get("signers"));
        if (signers.size() > 1) throw bad("several answers about signers");
        for (Object element : signers) e.signers = signers(element, query, places);
        return e;
    }

    /** The answer about this label, or null. */
    Answer srv(String label) {
        for (Answer a : srv) if (a.label.equals(label)) return a;
        return null;
    }

    /** Reads a record. */
    private interface Reader {
        Object read(Object value, Answer answer) throws Refusal;
    }

    private static Answer srv(Object value, Query query, Set<String> places) throws Refusal {
        return answer(members(value, ANSWER), query, query.role.labels(), "", places, Evidence::srvRecord);
    }

    private static Answer txt(Object value, Query query, Set<String> places) throws Refusal {
        return answer(members(value, ANSWER), query, List.of(query.role.service), "_dna.", places, Evidence::txtRecord);
    }

    private static Answer signers(Object value, Query query, Set<String> places) throws Refusal {
        List<String> legal = new ArrayList<>(List.of(ANSWER));
        legal.addAll(List.of("alias", "wildcard"));
        Map<?, ?> json = members(value, legal.toArray(new String[0]));
        List<String> labels = List.of("_signer." + query.role.service);
        Answer a = answer(json, query, labels, "_dna.", places, Evidence::tlsaRecord);
        if (a.name.length() > 253) throw bad("a name that is too long"); // [K1b]
        a.isAlias = flag(json, "alias");
        a.isWildcard = flag(json, "wildcard");
        return a;
    }

    private static boolean flag(Map<?, ?> json, String name) throws Refusal {
        if (json.containsKey(name) && !(json.get(name) instanceof Boolean)) throw bad(name);
        return Boolean.TRUE.equals(json.get(name));
    }

    private static Answer answer(Map<?, ?> json, Query query, List<String> labels, String infix, Set<String> places,
            Reader reader) throws Refusal {
        Answer a = new Answer();
        a.name = Json.string(json.get("name"));
        for (String label : labels) if (a.name.equals(label + "." + infix + query.source)) a.label = label;
        if (a.label == null || !places.add(infix + a.label)) throw bad("place " + a.name);
        if (json.containsKey("resolver") && !(json.get("resolver") instanceof String)) throw bad("resolver");
        if (!STATES.contains(Json.string(json.get("dnssec")))) throw bad("DNSSEC state");
        a.dnssec = (String) json.get("dnssec");
        a.ttl = number(json.get("ttl"), 0, 0xFFFFFFFFL);
        a.failure = failure(json);
        if (a.failure == null && !json.containsKey("records")) throw bad("neither failure nor records");
        for (Object record : list(json.get("records"))) a.records.add(reader.read(record, a));
        return a;
    }

    private static Object txtRecord(Object value, Answer answer) throws Refusal {
        if (!(value instanceof String)) throw bad("record");
        return value;
    }

    private static Tlsa tlsaRecord(Object value, Answer answer) throws Refusal {
        Map<?, ?> json = members(value, "usage", "selector", "matching", "data");
        byte[] data = Octets.base64(json.get("data"));
        if (data == null) throw bad("data of TLSA");
        return new Tlsa(number(json.get("usage"), 0, 255), number(json.get("selector"), 0, 255),
                number(json.get("matching"), 0, 255), data);
    }

    private static Row.Entry srvRecord(Object value, Answer answer) throws Refusal {
        Map<?, ?> json = members(value, "priority", "weight", "port", "target");
        if (!(json.get("target") instanceof String)) throw bad("target of SRV");
        return new Row.Entry(answer, (String) json.get("target"), number(json.get("port"), 0, 65535),
                number(json.get("priority"), 0, 65535), number(json.get("weight"), 0, 65535));
    }

    private static Document document(Object value, Query query, Set<String> places) throws Refusal {
        Map<?, ?> json = members(value, SERVED);
        Document d = new Document();
        d.isFile = json.containsKey("file");
        d.origin = Json.string(json.get(d.isFile ? "file" : "url"));
        if (d.isFile && json.containsKey("url")) throw bad("url of a file");
        if (!d.isFile) {
            d.encoding = encoding(d.origin, query);
            if (!places.add(d.origin)) throw bad("the same place twice");
        }
        served(json, d);
        if (d.isFile) d.encoding = d.body.length > 0 && d.body[0] == Der.SEQUENCE ? "ac" : "jws"; // section 8
        return d;
    }

    private static Document posh(Object value, Query query, boolean first) throws Refusal {
        Map<?, ?> json = members(value, SERVED);
        Document d = new Document();
        d.origin = Json.string(json.get("url"));
        boolean here = first ? d.origin.equals(Posh.url(query)) : Posh.isUrl(d.origin);
        if (json.containsKey("file") || !here) throw bad("place of a POSH file");
        served(json, d);
        return d;
    }

    /** What a web server said, or what a file holds. */
    private static void served(Map<?, ?> json, Document d) throws Refusal {
        d.failure = failure(json);
        d.noAddress = json.containsKey("no_address");
        if (d.noAddress && !Boolean.TRUE.equals(json.get("no_address"))) throw bad("no_address");
        d.noServer = Boolean.TRUE.equals(json.get("no_server")) && d.failure == Reason.HTTPS_FAILURE;
        if (json.containsKey("no_server") && !d.noServer) throw bad("no_server");
        boolean response = json.containsKey("status") || json.containsKey("media_type") || json.containsKey("max_age");
        int kinds = (d.failure != null ? 1 : 0) + (d.noAddress ? 1 : 0) + (response ? 1 : 0) + (d.isFile ? 1 : 0);
        if (kinds != 1) throw bad("kind of document");
        if (json.containsKey("body")) {
            d.body = Octets.base64(json.get("body"));
            if (d.body == null || d.failure != null || d.noAddress) throw bad("body");
        } else {
            d.body = new byte[0];
        }
        if (response) {
            d.status = number(json.get("status"), 0, 999);
            Object type = json.containsKey("media_type") ? json.get("media_type") : "";
            if (!(type instanceof String)) throw bad("media type");
            d.mediaType = (String) type;
            if (json.containsKey("max_age")) {
                long age = number(json.get("max_age"), -1, Long.MAX_VALUE);
                d.maxAge = age < 0 ? null : age;
            }
        }
    }

    private static Stream stream(Object value) throws Refusal {
        Map<?, ?> json = members(value, "encoding", "body");
        Stream s = new Stream();
        Object encoding = json.containsKey("encoding") ? json.get("encoding") : "";
        if (!(encoding instanceof String)) throw bad("encoding");
        s.encoding = (String) encoding;
        s.body = json.containsKey("body") ? Octets.base64(json.get("body")) : new byte[0];
        if (s.body == null) throw bad("body");
        return s;
    }

    /** The encoding that is served at an address of section 8. */
    private static String encoding(String url, Query query) throws Refusal {
        String stem = "https://" + query.source + "/.well-known/dna/" + query.role.service;
        if (url.equals(stem + ".jws")) return "jws";
        if (url.equals(stem + ".p7c")) return "ac";
        throw bad("place " + url);
    }

    private static Reason failure(Map<?, ?> json) throws Refusal {
        if (!json.containsKey("failure")) return null;
        Map<?, ?> failure = members(json.get("failure"), "reason", "detail");
        Reason reason = Reason.of(failure.get("reason"));
        if (reason == null || !reason.isFailedLookup()) throw bad("reason of a failure");
        if (failure.containsKey("detail") && !(failure.get("detail") instanceof String)) throw bad("detail");
        return reason;
    }

    /** Other members are not legal. */
    private static Map<?, ?> members(Object value, String... legal) throws Refusal {
        if (!(value instanceof Map) || !Set.of(legal).containsAll(((Map<?, ?>) value).keySet())) throw bad("members");
        return (Map<?, ?>) value;
    }

    private static List<?> list(Object value) throws Refusal {
        if (value == null) return List.of();
        if (!(value instanceof List)) throw bad("no list");
        return (List<?>) value;
    }

    private static long number(Object value, long least, long most) throws Refusal {
        if (!(value instanceof Long) || (Long) value < least || (Long) value > most) throw bad("number");
        return (Long) value;
    }

    private static Refusal bad(String what) {
        return new Refusal(Reason.BAD_EVIDENCE, what);
    }
}
