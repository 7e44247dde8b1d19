import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;

/**
 * Speaks the protocol of the test vectors for one verifier after another. The operation "load" compiles the Java files
 * of the folder in "address" and takes their classes instead of those without a mistake: Loader CLASSES LIBRARIES
 */
final class Loader {
    private static final Pattern LOAD = Pattern.compile("\"operation\":\"load\".*\"address\":\"([^\"]*)\"");

    public static void main(String[] arguments) throws Exception {
        String classes = arguments[0];
        String libraries = arguments[1];
        ClassLoader shared = new URLClassLoader(urls(libraries.split(File.pathSeparator)));
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
        Method verifier = null;
        for (String line = in.readLine(); line != null; line = in.readLine()) {
            Matcher load = LOAD.matcher(line);
            if (load.find()) {
                String messages = compile(load.group(1), classes + File.pathSeparator + libraries);
                Class<?> harness = new URLClassLoader(urls(load.group(1), classes), shared).loadClass("Harness");
                verifier = harness.getDeclaredMethod("main", String[].class);
                verifier.setAccessible(true);
                out.println("{\"id\":\"load\",\"reason\":\"" + messages.replaceAll("[^A-Za-z0-9 .:;()]", " ") + "\"}");
                continue;
            }
            ByteArrayOutputStream answer = new ByteArrayOutputStream();
            System.setIn(new ByteArrayInputStream(line.getBytes(StandardCharsets.UTF_8)));
            System.setOut(new PrintStream(answer, true, StandardCharsets.UTF_8));
            verifier.invoke(null, (Object) new String[0]);
            out.print(answer.toString(StandardCharsets.UTF_8));
            out.flush();
        }
    }

    /** The errors; empty if there are none. */
    private static String compile(String folder, String classPath) {
        List<String> options = new ArrayList<>(List.of("-nowarn", "-proc:none", "-encoding", "UTF-8", "-d", folder, "-cp", classPath));
        File[] files = new File(folder).listFiles((where, name) -> name.endsWith(".java"));
        if (files == null || files.length == 0) return "";
        for (File file : files) options.add(file.getPath());
        ByteArrayOutputStream messages = new ByteArrayOutputStream();
        int failed = ToolProvider.getSystemJavaCompiler().run(null, messages, messages, options.toArray(new String[0]));
        return failed == 0 ? "" : "it does not compile: " + messages.toString(StandardCharsets.UTF_8);
    }

    private static URL[] urls(String... paths) throws Exception {
        URL[] list = new URL[paths.length];
        for (int i = 0; i < paths.length; i++) list[i] = new File(paths[i]).toURI().toURL();
        return list;
    }
}
