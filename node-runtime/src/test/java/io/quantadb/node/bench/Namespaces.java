package io.quantadb.node.bench;

import io.quantadb.node.testing.TestFork;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * One network namespace per node, joined by a bridge in the bench's own, which is where clients stand. Cutting a node off
 * takes its side of the bridge down: nothing is refused or reset, packets are simply gone. Needs root and iproute2.
 *
 * <pre>
 * qdb1n0 10.77.1.1 ─┐
 * qdb1n1 10.77.1.2 ─┼─ bridge qdb1br 10.77.1.254 (clients)
 * qdb1n2 10.77.1.3 ─┘
 * </pre>
 *
 * The number in the names and addresses is the test JVM's.
 */
public final class Namespaces implements AutoCloseable {
    private static final String NAME = "qdb" + TestFork.number();
    private static final String BRIDGE = NAME + "br";
    private static final String PROBE = NAME + "probe";
    private static final String NETWORK = "10.77." + TestFork.number() + ".";

    private final int count;

    private Namespaces(int count) {
        this.count = count;
    }

    /** Why namespaces cannot be made here; empty when they can. */
    public static String missing() {
        if (!System.getProperty("user.name").equals("root")) {
            return "network namespaces need root";
        }
        try {
            ip("netns", "add", PROBE);
            ip("netns", "del", PROBE);
            return "";
        } catch (IOException e) {
            return "network namespaces cannot be made: " + e.getMessage();
        }
    }

    /** Makes them, after removing what an interrupted bench left. */
    public static Namespaces create(int count) throws IOException {
        Namespaces out = new Namespaces(count);
        out.remove();
        try {
            ip("link", "add", BRIDGE, "type", "bridge");
            ip("addr", "add", NETWORK + "254/24", "dev", BRIDGE);
            ip("link", "set", BRIDGE, "up");
            for (int i = 0; i < count; i++) {
                String space = space(i);
                ip("netns", "add", space);
                ip("link", "add", outside(i), "type", "veth", "peer", "name", "eth0", "netns", space);
                ip("link", "set", outside(i), "master", BRIDGE, "up");
                ip("-n", space, "addr", "add", host(i) + "/24", "dev", "eth0");
                ip("-n", space, "link", "set", "eth0", "up");
                // It is down in a new namespace, and PostgreSQL and the agent talk to themselves over it.
                ip("-n", space, "link", "set", "lo", "up");
            }
            return out;
        } catch (IOException e) {
            out.remove();
            throw e;
        }
    }

    public static String host(int node) {
        return NETWORK + (node + 1);
    }

    /** Stands before a command to run it inside; it replaces itself by the command. */
    public static List<String> prefix(int node) {
        return List.of("ip", "netns", "exec", space(node));
    }

    public void cut(int node) throws IOException {
        ip("link", "set", outside(node), "down");
    }

    public void join(int node) throws IOException {
        ip("link", "set", outside(node), "up");
    }

    private static String space(int node) {
        return NAME + "n" + node;
    }

    private static String outside(int node) {
        return NAME + "v" + node;
    }

    private void remove() {
        List<List<String>> commands = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            commands.add(List.of("link", "del", outside(i)));
            commands.add(List.of("netns", "del", space(i)));
        }
        commands.add(List.of("link", "del", BRIDGE));
        for (List<String> command : commands) {
            try {
                ip(command.toArray(String[]::new));
            } catch (IOException e) {
                // It was not there: that is what was wanted.
            }
        }
    }

    private static void ip(String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of("ip"));
        command.addAll(Arrays.asList(arguments));
        Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
        try {
            if (!process.waitFor(10, TimeUnit.SECONDS)) {
                process.destroyForcibly();
                throw new IOException("%s did not end".formatted(String.join(" ", command)));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException(e);
        }
        if (process.exitValue() != 0) {
            throw new IOException("%s: %s"
                    .formatted(
                            String.join(" ", command),
                            new String(process.getInputStream().readAllBytes(), java.nio.charset.StandardCharsets.UTF_8)
                                    .strip()));
        }
    }

    @Override
    public void close() {
        remove();
    }
}
