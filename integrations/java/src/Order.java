import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Order, floor and revocation (section 10). */
final class Order implements Comparable<Order> {
    final long signerNotBefore;
    final long issued;

    Order(long signerNotBefore, long issued) {
        this.signerNotBefore = signerNotBefore;
        this.issued = issued;
    }

    /** [O1]. */
    @Override public int compareTo(Order other) {
        int first = Long.compare(signerNotBefore, other.signerNotBefore);
        return first != 0 ? first : Long.compare(issued, other.issued);
    }

    /** The highest order that was ever verified for a label, with the digest of its targets. */
    static final class Floor {
        final String service;
        final Order order;
        final String digest;
        final long validUntil;

        Floor(String service, Order order, String digest, long validUntil) {
            this.service = service;
            this.order = order;
            this.digest = digest;
            this.validUntil = validUntil;
        }

        static Floor read(Object value) throws Refusal {
            Map<?, ?> json = Json.object(value);
            Map<?, ?> order = Json.object(json.get("order"));
            Long notBefore = Octets.time(order.get("signer_not_before"));
            Long issued = Octets.time(order.get("issued"));
            Long until = Octets.time(json.get("valid_until"));
            if (notBefore == null || issued == null) throw new Refusal(Reason.MISSING_INPUT, "floor");
            return new Floor(Json.string(json.get("service")), new Order(notBefore, issued),
                    Json.string(json.get("targets")), until == null ? Long.MIN_VALUE : until);
        }

        Map<String, Object> write() {
            Map<String, Object> at = new LinkedHashMap<>();
            at.put("signer_not_before", Octets.time(order.signerNotBefore));
            at.put("issued", Octets.time(order.issued));
            Map<String, Object> out = new LinkedHashMap<>();
            out.put("service", service);
            out.put("order", at);
            out.put("targets", digest);
            out.put("valid_until", Octets.time(validUntil));
            return out;
        }
    }

    /** Step 10: [O2], and of [O5] that the floor of a revocation holds for the other label too. */
    static void checkFloors(Statement s, Order order, Query query, List<Floor> floors) throws Refusal {
        for (Floor floor : floors) {
            if (!floor.service.equals(s.service)) continue;
            int compared = order.compareTo(floor.order);
            if (compared < 0) throw new Refusal(Reason.SUPERSEDED, "below the floor");
            if (compared == 0 && !floor.digest.equals(Statement.digest(s.targets))) {
                throw new Refusal(Reason.CONFLICT, "other targets at the floor");
            }
        }
        for (Floor floor : floors) {
            if (floor.service.equals(s.service) || !query.family.contains(floor.service) || s.isRevocation()) continue;
            if (floor.digest.equals(Statement.DIGEST_OF_NONE) && order.compareTo(floor.order) <= 0) {
                throw new Refusal(Reason.SUPERSEDED, "a revocation was seen");
            }
        }
    }

    /** [O4] for one label: the statement that counts, or null if those of the highest order contradict each other. */
    static Verify.Proven highest(List<Verify.Proven> ofOneLabel) {
        List<Verify.Proven> best = new ArrayList<>();
        for (Verify.Proven p : ofOneLabel) {
            int compared = best.isEmpty() ? 1 : p.order.compareTo(best.get(0).order);
            if (compared > 0) best.clear();
            if (compared >= 0) best.add(p);
        }
        Verify.Proven counts = best.get(0);
        for (Verify.Proven p : best) {
            if (!p.digest.equals(counts.digest)) return null;
            if (p.end > counts.end) counts = p;
        }
        return counts;
    }
}
