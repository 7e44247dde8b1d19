/**
 * The order of the statements of a role [O1].
 *
 * @param issuance the issuance of the signer's certificate, in milliseconds
 * @param issued in seconds
 */
record Order(long issuance, long issued) implements Comparable<Order> {
    @Override public int compareTo(Order other) {
        int first = Long.compare(issuance, other.issuance);
        return first != 0 ? first : Long.compare(issued, other.issued);
    }
}
