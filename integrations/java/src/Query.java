import java.util.Map;

/** What is asked: source, service, and possibly one target. */
final class Query {
    String source;
    /** As asked: either label of the role. */
    private String label;
    Role role;
    boolean hasTarget;
    String host;
    long port;

    /** [V1]. */
    static Query read(Object value) throws Refusal {
        Map<?, ?> json = Json.object(value);
        Query q = new Query();
        q.source = Json.string(json.get("source"));
        q.label = Json.string(json.get("service"));
        if (q.source.isEmpty() || q.label.isEmpty()) throw new Refusal(Reason.MISSING_INPUT, "query");
        q.role = Role.of(q.label);
        q.hasTarget = json.containsKey("target");
        if (q.hasTarget) {
            Map<?, ?> target = Json.object(json.get("target"));
            q.host = Json.string(target.get("host"));
            q.port = target.get("port") instanceof Long ? (Long) target.get("port") : 0;
        }
        q.check();
        return q;
    }

    private void check() throws Refusal {
        boolean legal = Names.isDomain(source) && Names.isService(label) && Names.isOwner(role.service, source);
        if (!legal || hasTarget && !(Names.isDomain(host) && port >= 1 && port <= 65535)) {
            throw new Refusal(Reason.BAD_QUERY, "source, service or target");
        }
    }
}
