import java.math.BigInteger;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/** Addresses that a verifier may connect to [H6]. */
final class Addresses {
    private Addresses() {}

    /**
     * The blocks of the IANA special-purpose registries, whatever these say of them, and multicast. Those of IPv6 outside
     * 2000::/3 are not listed one by one.
     */
    private static final List<String> NOT_GLOBAL = List.of(
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
            "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
            "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20");
    private static final String UNICAST = "2000::/3";
    /** What is in these is judged by the IPv4 address inside: IPv4-mapped, and the well-known prefix of NAT64. */
    private static final List<String> AROUND_IPV4 = List.of("::ffff:0:0/96", "64:ff9b::/96");

    static Map<String, Object> answer(Map<?, ?> vector) {
        byte[] octets = parse(Json.string(vector.get("address")));
        return Dnssec.result(octets != null && isAllowed(octets) ? Reason.VERIFIED : Reason.ADDRESS_NOT_ALLOWED);
    }

    static boolean isAllowed(byte[] address) {
        if (AROUND_IPV4.stream().anyMatch(block -> isIn(address, block))) {
            return isAllowed(Arrays.copyOfRange(address, 12, 16));
        }
        if (address.length == 16 && !isIn(address, UNICAST)) return false;
        return NOT_GLOBAL.stream().noneMatch(block -> isIn(address, block));
    }

    private static boolean isIn(byte[] address, String block) {
        String[] parts = block.split("/");
        byte[] prefix = parse(parts[0]);
        if (prefix.length != address.length) return false;
        int rest = address.length * 8 - Integer.parseInt(parts[1]);
        return new BigInteger(1, address).shiftRight(rest).equals(new BigInteger(1, prefix).shiftRight(rest));
    }

    /** 4 or 16 octets of an address in text without a zone, or null. Nothing is ever resolved. */
    static byte[] parse(String text) {
        if (text.matches("[0-9]{1,3}(\\.[0-9]{1,3}){3}")) {
            byte[] octets = new byte[4];
            String[] parts = text.split("\\.");
            for (int i = 0; i < 4; i++) {
                int n = Integer.parseInt(parts[i]);
                if (n > 255 || parts[i].length() > 1 && parts[i].startsWith("0")) return null;
                octets[i] = (byte) n;
            }
            return octets;
        }
        if (!text.contains(":") || !text.matches("[0-9A-Fa-f:.]+")) return null;
        try {
            InetAddress address = InetAddress.getByName("[" + text + "]");
            if (address instanceof Inet6Address) return address.getAddress();
            byte[] mapped = new byte[16]; // ::ffff:0:0/96, which Java turns into IPv4
            mapped[10] = mapped[11] = -1;
            System.arraycopy(address.getAddress(), 0, mapped, 12, 4);
            return mapped;
        } catch (UnknownHostException e) {
            return null;
        }
    }
}
