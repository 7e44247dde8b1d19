import java.util.List;
import java.util.Map;

/** What is asked: source, service, and possibly one target. */
final class Query {
    String source;
    String service;
    /** The labels of the service's family, the one asked about first. */
    List<String> family;
    boolean hasTarget;
    String host;
    long port;

    /** The part of [V1] that is about what is missing. */
    static Query read(Object value) throws Refusal {
        Map<?, ?> json = Json.object(value);
        Query q = new Query();
        q.source = Json.string(json.get("source"));
        q.service = Json.string(json.get("service"));
        if (q.source.isEmpty() || q.service.isEmpty()) throw new Refusal(Reason.MISSING_INPUT, "query");
        q.family = Names.family(q.service);
        q.hasTarget = json.containsKey("target");
        if (q.hasTarget) {
            Map<?, ?> target = Json.object(json.get("target"));
            q.host = Json.string(target.get("host"));
            q.port = target.get("port") instanceof Long ? (Long) target.get("port") : 0;
        }
        return q;
    }

    /** The part of [V1] that is about legal form. */
    void check() throws Refusal {
        boolean legal = Names.isDomain(source) && Names.isService(service) && Names.isOwner(service, source);
        if (!legal || hasTarget && !(Names.isDomain(host) && port >= 1 && port <= 65535)) {
            throw new Refusal(Reason.BAD_QUERY, "source, service or target");
        }
    }
}
