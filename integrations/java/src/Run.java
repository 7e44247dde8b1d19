import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** Runs the cases of a directory, counts by family, and prints each difference. */
final class Run {
    private Run() {}

    public static void main(String[] arguments) throws IOException {
        TreeSet<Path> files = new TreeSet<>();
        try (DirectoryStream<Path> all = Files.newDirectoryStream(Paths.get(arguments[0]), "*.json")) {
            for (Path p : all) if (!p.endsWith("schema.json")) files.add(p);
        }
        int differ = 0;
        Map<String, int[]> counts = new LinkedHashMap<>();
        for (Path file : files) {
            Map<?, ?> json;
            try {
                json = Json.object(Json.lax(Files.readString(file, StandardCharsets.UTF_8)));
            } catch (Json.Bad e) {
                System.out.println(file + ": " + e.getMessage());
                continue;
            }
            int[] count = counts.computeIfAbsent("" + json.get("family"), k -> new int[3]);
            if (!(json.get("cases") instanceof List)) continue;
            for (Object element : (List<?>) json.get("cases")) {
                Map<?, ?> vector = Json.object(element);
                Map<String, Object> sent = new LinkedHashMap<>();
                vector.forEach((k, v) -> sent.put("" + k, v));
                for (String part : List.of("expect", "comment", "flags")) sent.remove(part);
                Map<String, Object> got = Harness.answer(Json.write(sent));
                List<String> differences = differences(Json.object(vector.get("expect")), got);
                int which = got.containsKey("skipped") ? 2 : differences.isEmpty() ? 0 : 1;
                count[which]++;
                if (which == 2) System.out.println(got.get("id") + " skipped: " + got.get("skipped"));
                if (which != 1) continue;
                differ++;
                System.out.println(got.get("id") + ": " + vector.get("comment") + " " + vector.get("flags"));
                differences.forEach(d -> System.out.println("    " + d));
            }
        }
        counts.forEach((family, n) -> System.out.printf("%-16s %4d agree %4d differ %4d skipped%n", family, n[0], n[1], n[2]));
        System.exit(differ == 0 ? 0 : 1);
    }

    private static List<String> differences(Map<?, ?> expected, Map<String, Object> got) {
        List<String> out = new ArrayList<>();
        for (Map.Entry<?, ?> e : expected.entrySet()) {
            boolean must = e.getKey().equals("outcome") || e.getKey().equals("reason");
            Object value = got.get(e.getKey());
            if (!must && !got.containsKey(e.getKey())) continue;
            if (!canonical(e.getValue(), e.getKey()).equals(canonical(value, e.getKey()))) {
                out.add(e.getKey() + ": expected " + Json.write(e.getValue()) + ", got " + Json.write(value));
            }
        }
        return out;
    }

    /** One text for equal values: members sorted, and the elements where the order does not matter. */
    private static String canonical(Object value, Object member) {
        if (value instanceof Map) {
            TreeSet<String> members = new TreeSet<>();
            ((Map<?, ?>) value).forEach((k, v) -> members.add(k + "=" + canonical(v, k)));
            return "" + members;
        }
        if (value instanceof Iterable) {
            List<String> elements = new ArrayList<>();
            for (Object e : (Iterable<?>) value) elements.add(canonical(e, ""));
            if (member.equals("targets")) elements.sort(null);
            return "" + elements;
        }
        Long moment = Octets.millis(value); // two texts may be one moment
        return "" + (moment != null ? moment : value);
    }
}
