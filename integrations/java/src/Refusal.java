/** A step that failed, with its reason. */
final class Refusal extends Exception {
    final Reason reason;

    Refusal(Reason reason, String detail) {
        super(detail, null, false, false);
        this.reason = reason;
    }
}
