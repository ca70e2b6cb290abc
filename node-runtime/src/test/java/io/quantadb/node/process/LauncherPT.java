package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.cli.DemoNode;
import io.quantadb.node.cli.Machines;
import io.quantadb.node.testing.PostgresVersion;
import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.jar.JarEntry;
import java.util.jar.JarOutputStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Runs agents by the launcher, with the flags that it gives, and holds them to what they load: each of these would
 * cost every agent memory that it was once measured to cost (docs/adr/0007 and 0016).
 */
@Tag("process")
class LauncherPT {
    private static final List<String> NEVER_LOADED = List.of(
            "org.bouncycastle.",
            "picocli.",
            // what reads a log's settings from XML
            "ch.qos.logback.core.joran.action.",
            "ch.qos.logback.core.joran.event.",
            "org.xml.sax.",
            "jdk.jfr.Event",
            // what reads all the authorities that the JDK trusts
            "sun.security.ssl.TrustStoreManager",
            "com.fasterxml.jackson.databind.");

    @TempDir
    private Path home;

    @Test
    void agentsLoadNothingThatOnlyCommandsNeed() throws Exception {
        // Given
        installFromClassPath();
        List<String> launcher = launcher();
        try (TestingThree three =
                TestingThree.form(getClass(), PostgresVersion.V15, Machines.LOOPBACK, launcher, Map.of())) {
            for (DemoNode node : three.nodes()) {
                try (Connection session = withTls(three, node)) {
                    assertThat(session.isValid(5)).isTrue();
                }
            }
            // When: one ends, and another is promoted
            DemoNode old = three.primary();
            three.kill(old);
            three.awaitSuccessor(old);
        }
        // Then
        List<Path> logs = logs();
        assertThat(logs).hasSize(3);
        for (Path log : logs) {
            List<String> loaded = loaded(log);
            assertThat(loaded).contains("io.quantadb.node.runtime.NodeAgent", "io.netty.internal.tcnative.SSL");
            assertThat(loaded).noneMatch(name -> NEVER_LOADED.stream().anyMatch(name::startsWith));
        }
    }

    @Test
    void whatOnlyCommandsNeedIsNotRecordedForTheCache() throws Exception {
        // Given
        installFromClassPath();
        List<String> command = new ArrayList<>(launcher());
        command.add("warm-up");
        // When
        Process warmUp = new ProcessBuilder(command)
                .redirectErrorStream(true)
                .redirectOutput(home.resolve("warm-up.log").toFile())
                .start();
        boolean ended = warmUp.waitFor(90, TimeUnit.SECONDS);
        warmUp.destroyForcibly();
        // Then
        assertThat(ended).isTrue();
        assertThat(warmUp.exitValue()).isZero();
        List<Path> logs = logs();
        assertThat(logs).hasSize(1);
        assertThat(loaded(logs.getFirst()))
                .contains("io.quantadb.node.runtime.NodeAgent", "io.netty.internal.tcnative.SSL")
                .noneMatch(name -> NEVER_LOADED.stream().anyMatch(name::startsWith))
                .noneMatch(name -> name.startsWith("io.quantadb.node.cli.Demo"));
    }

    private List<String> launcher() {
        return List.of(
                "/usr/bin/env",
                "QUANTADB_JAVA_HOME=" + System.getProperty("java.home"),
                "QUANTADB_JAVA_OPTS=-Xlog:class+load:file=%s/classes-%%p.log".formatted(home),
                home.resolve("bin/quantadb").toString());
    }

    /** As an image has it, but without the cache. */
    private void installFromClassPath() throws IOException {
        Path lib = Files.createDirectories(home.resolve("lib/lib"));
        Path bin = Files.createDirectories(home.resolve("bin"));
        for (String script : List.of("quantadb", "java-home")) {
            Files.copy(Path.of("../bin", script), bin.resolve(script), StandardCopyOption.COPY_ATTRIBUTES);
        }
        pack(Path.of("target/classes"), lib.resolveSibling("quantadb-node.jar"));
        for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
            if (entry.endsWith(".jar") && !entry.contains("bouncycastle")) {
                Path jar = Path.of(entry);
                Files.copy(jar, lib.resolve(jar.getFileName()));
            }
        }
    }

    private static void pack(Path classes, Path jar) throws IOException {
        try (JarOutputStream out = new JarOutputStream(Files.newOutputStream(jar));
                Stream<Path> files = Files.walk(classes)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                out.putNextEntry(new JarEntry(classes.relativize(file).toString()));
                Files.copy(file, out);
            }
        }
    }

    private static Connection withTls(TestingThree three, DemoNode node) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", "postgres");
        properties.setProperty("password", three.password());
        properties.setProperty("sslmode", "require");
        properties.setProperty("connectTimeout", "10");
        properties.setProperty("socketTimeout", "20");
        return DriverManager.getConnection(
                "jdbc:postgresql://%s/postgres".formatted(node.primaryListener()), properties);
    }

    private List<Path> logs() throws IOException {
        try (Stream<Path> files = Files.list(home)) {
            return files.filter(file -> file.getFileName().toString().startsWith("classes-"))
                    .toList();
        }
    }

    /** The names in lines such as {@code [0.5s][info][class,load] java.lang.Object source: ...}. */
    private static List<String> loaded(Path log) throws IOException {
        try (Stream<String> lines = Files.lines(log)) {
            return lines.filter(line -> line.contains(" source: "))
                    .map(line -> line.substring(line.lastIndexOf(']') + 1).strip())
                    .map(line -> line.substring(0, line.indexOf(' ')))
                    .toList();
        }
    }
}
