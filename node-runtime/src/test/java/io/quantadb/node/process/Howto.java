package io.quantadb.node.process;

import io.quantadb.node.cli.QuantaDb;
import io.quantadb.node.testing.PostgresBinaries;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.testing.TestFork;
import java.io.File;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The commands of a page of documentation, run as they stand there in a folder of their own, but for the ports: those of
 * the page may be another's here. {@code bin/quantadb} is this build.
 */
final class Howto implements AutoCloseable {
    private static final int PORTS_UP = TestFork.port(17_000);
    /** Where an address or a list of ports names one of the page's, but for the SQL ports of {@code --port}. */
    private static final Pattern PORT = Pattern.compile("(?<=[:=,])[6789]43[234]\\b");

    private static final Pattern PORT_FLAG = Pattern.compile("--port (\\d+)");

    /** What a command printed, errors included. */
    record Outcome(int status, String words) {}

    private final String test;
    private final String page;
    private final Path folder;
    private final List<Process> running = new ArrayList<>();
    private final List<Path> logs = new ArrayList<>();

    Howto(Class<?> test, Path file) throws IOException {
        this.test = test.getSimpleName();
        this.page = Files.readString(file);
        // Short, since sockets lie in it, and open to PostgreSQL's own user.
        this.folder = Files.createTempDirectory("qht");
        Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
        Path program = Files.createDirectory(folder.resolve("bin")).resolve("quantadb");
        Files.writeString(
                program,
                ("#!/bin/sh\nexec '%s/bin/java' -Xmx64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1"
                                + " --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow -cp '%s' %s \"$@\"\n")
                        .formatted(
                                System.getProperty("java.home"),
                                System.getProperty("surefire.test.class.path", System.getProperty("java.class.path")),
                                QuantaDb.class.getName()));
        Files.setPosixFilePermissions(program, PosixFilePermissions.fromString("rwxr-xr-x"));
    }

    Path folder() {
        return folder;
    }

    /** The lines of the block that this test is to run, as {@code <!-- run by TEST: NAME -->} says. */
    List<String> block(String name) {
        String start = "<!-- run by %s: %s -->\n```sh\n".formatted(test, name);
        int from = page.indexOf(start);
        if (from < 0) {
            throw new AssertionError("the page has no block after " + start);
        }
        from += start.length();
        return moved(page.substring(from, page.indexOf("```", from))).lines().toList();
    }

    private static String moved(String text) {
        return PORT.matcher(text).replaceAll(port -> Integer.toString(moved(Integer.parseInt(port.group()))));
    }

    /** The port here that stands for one of the page. */
    static int moved(int port) {
        return port + PORTS_UP;
    }

    /** Runs the lines of a block in one shell and waits for their end. */
    Outcome run(String block) throws IOException, InterruptedException {
        return shell(String.join("\n", block(block)));
    }

    Outcome shell(String script) throws IOException, InterruptedException {
        Process process = new ProcessBuilder("bash", "-e", "-c", moved(script))
                .directory(folder.toFile())
                .redirectInput(new File("/dev/null"))
                .redirectErrorStream(true)
                .start();
        String words = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(60, TimeUnit.SECONDS)) {
            process.destroyForcibly();
            throw new AssertionError("not done in 60 s: " + script);
        }
        return new Outcome(process.exitValue(), words);
    }

    /** Starts a line as a process that goes on; what it prints is {@link #log} of as many starts as were before. */
    Process start(String line) throws IOException {
        Path log = folder.resolve("log" + logs.size());
        Matcher port = PORT_FLAG.matcher(line);
        String there = port.find()
                ? port.replaceFirst("--port " + moved(Integer.parseInt(port.group(1))))
                : line + " --port " + moved(5432);
        Process process = new ProcessBuilder(
                        "bash",
                        "-c",
                        "exec %s --set postgres.bin_dir=%s"
                                .formatted(
                                        there,
                                        PostgresBinaries.require(PostgresVersion.V15)
                                                .bin()))
                .directory(folder.toFile())
                .redirectInput(new File("/dev/null"))
                .redirectErrorStream(true)
                .redirectOutput(log.toFile())
                .start();
        running.add(process);
        logs.add(log);
        return process;
    }

    String log(int started) throws IOException {
        return Files.readString(logs.get(started));
    }

    @Override
    public void close() throws Exception {
        running.forEach(Process::destroy);
        for (Process process : running) {
            if (!process.waitFor(40, TimeUnit.SECONDS)) {
                process.destroyForcibly().waitFor(10, TimeUnit.SECONDS);
            }
        }
        Path kept = Files.createDirectories(Path.of("target", "process", test));
        for (Path log : logs) {
            Files.copy(log, kept.resolve(log.getFileName()), StandardCopyOption.REPLACE_EXISTING);
        }
        try (var walk = Files.walk(folder)) {
            for (Path path : walk.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        }
    }
}
