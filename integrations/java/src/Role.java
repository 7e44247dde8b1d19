import java.util.List;

/** What a statement is about: a service, with one SRV label or two. */
final class Role {
    /** How a connection to an endpoint begins. Where that is not known, nobody connects. */
    static final String STARTTLS = "starttls", DIRECT = "direct", UNKNOWN = "";

    private static final List<Role> KNOWN = List.of(
            new Role("_xmpp-server._tcp", "_xmpps-server._tcp", 5269, true),
            new Role("_xmpp-client._tcp", "_xmpps-client._tcp", 5222, false),
            new Role("_imap._tcp", "_imaps._tcp", 0, false),
            new Role("_pop3._tcp", "_pop3s._tcp", 0, false),
            new Role("_submission._tcp", "_submissions._tcp", 0, false),
            new Role("_ldap._tcp", "_ldaps._tcp", 0, false));

    /** As in the claim, and in the names of TXT records and documents. */
    final String service;
    /** The SRV label for TLS from the first byte, or null. */
    final String second;
    /** 0 if there is none. */
    final int defaultPort;
    /** Whether a host that serves this role also sends for the source. */
    final boolean sendsToo;

    private Role(String service, String second, int defaultPort, boolean sendsToo) {
        this.service = service;
        this.second = second;
        this.defaultPort = defaultPort;
        this.sendsToo = sendsToo;
    }

    /** The role of either label. Any other label is a role of its own. */
    static Role of(String label) {
        for (Role r : KNOWN) if (r.labels().contains(label)) return r;
        return new Role(label, null, 0, false);
    }

    /** The SRV labels, the role's own first. */
    List<String> labels() {
        return second == null ? List.of(service) : List.of(service, second);
    }

    /** How a connection begins that the SRV records of this label name. */
    String startAt(String label) {
        if (second == null) return UNKNOWN;
        return label.equals(second) ? DIRECT : STARTTLS;
    }

    /** How a connection to a target of a statement begins. */
    String startOf(Statement.Target target) {
        return target.direct() && !service.endsWith("._udp") ? DIRECT : startAt(service);
    }
}
