import java.math.BigInteger;
import java.net.Inet6Address;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Arrays;
import java.util.Map;

/** Addresses that a verifier may connect to [H6]: those the IANA special-purpose registries call globally reachable. */
final class Addresses {
    private Addresses() {}

    /** Blocks of the registries that are not globally reachable, and multicast; the longest match decides. */
    private static final String[] REFUSED = {
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
        "::/0", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
    };
    /** Blocks within those that are globally reachable. */
    private static final String[] ALLOWED = {
        "192.0.0.9/32", "192.0.0.10/32",
        "2000::/3", "64:ff9b::/96", "2001:1::1/128", "2001:1::2/128", "2001:1::3/128", "2001:3::/32",
        "2001:4:112::/48", "2001:20::/28", "2001:30::/28",
    };
    private static final String NAT64 = "64:ff9b::/96";

    static Map<String, Object> answer(Map<?, ?> vector) {
        byte[] octets = parse(Json.string(vector.get("address")));
        return Dnssec.result(octets != null && isAllowed(octets) ? Reason.VERIFIED : Reason.ADDRESS_NOT_ALLOWED);
    }

    static boolean isAllowed(byte[] address) {
        if (address.length == 16 && length(address, NAT64) == 96) { // the IPv4 address inside is the one reached
            return isAllowed(Arrays.copyOfRange(address, 12, 16));
        }
        int refused = -1;
        int allowed = -1;
        for (String block : REFUSED) refused = Math.max(refused, length(address, block));
        for (String block : ALLOWED) allowed = Math.max(allowed, length(address, block));
        return allowed >= refused;
    }

    /** The length of the block's prefix if the address is in it, else -1. */
    private static int length(byte[] address, String block) {
        String[] parts = block.split("/");
        byte[] prefix = parse(parts[0]);
        if (prefix.length != address.length) return -1;
        int length = Integer.parseInt(parts[1]);
        int rest = address.length * 8 - length;
        boolean inside = new BigInteger(1, address).shiftRight(rest).equals(new BigInteger(1, prefix).shiftRight(rest));
        return inside ? length : -1;
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
