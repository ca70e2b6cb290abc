package io.quantadb.node.postgres;

import java.nio.file.Path;

/** A process that starts the server of a {@link TestingNode}, prints its process id and waits to be killed. */
final class DyingAgent {
    private DyingAgent() {}

    public static void main(String[] args) throws InterruptedException {
        Path scratch = Path.of(args[0]);
        var binaries = new PostgresBinaries(Path.of(args[1]), new PostgresVersion(Integer.parseInt(args[2]), args[2]));
        var node = new TestingNode(binaries, scratch.resolve(args[3]), 5503, scratch.resolve("none"), 5599);
        node.startAndAwait(StartMode.PRIMARY);
        System.out.println("server " + node.server.pid());
        Thread.sleep(60_000);
    }
}
