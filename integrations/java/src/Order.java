/** The order of the statements of a role [O1]. */
final class Order implements Comparable<Order> {
    /** The issuance of the signer's certificate, in milliseconds. */
    final long issuance;
    /** In seconds. */
    final long issued;

    Order(long issuance, long issued) {
        this.issuance = issuance;
        this.issued = issued;
    }

    @Override public int compareTo(Order other) {
        int first = Long.compare(issuance, other.issuance);
        return first != 0 ? first : Long.compare(issued, other.issued);
    }
}
