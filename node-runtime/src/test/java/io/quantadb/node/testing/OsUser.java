package io.quantadb.node.testing;

import io.quantadb.node.wal.FileOwner;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** As whom a program of a test runs: the tests' own user, or, when that is root, PostgreSQL's. */
enum OsUser {
    TESTS,
    SERVER;

    private static final String NAME = "postgres";

    private static boolean isRoot() {
        try {
            return (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid") == 0;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** What to put before a command so that it runs as this user, in the same process. */
    List<String> prefix() {
        return this == SERVER && isRoot()
                ? List.of("setpriv", "--reuid", NAME, "--regid", NAME, "--clear-groups", "--")
                : List.of();
    }

    /** Runs to the end and gives what it printed; a failure is an error with that text. */
    String run(List<String> command) {
        List<String> whole = new ArrayList<>(prefix());
        whole.addAll(command);
        try {
            Process process = new ProcessBuilder(whole)
                    .directory(Path.of("/").toFile())
                    .redirectErrorStream(true)
                    .start();
            String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            if (process.waitFor() != 0) {
                throw new AssertionError("%s failed:%n%s".formatted(command, text));
            }
            return text;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }

    @Nullable
    FileOwner owner() {
        if (prefix().isEmpty()) {
            return null;
        }
        return new FileOwner(id("-u"), id("-g"));
    }

    private static int id(String option) {
        return Integer.parseInt(TESTS.run(List.of("id", option, NAME)).strip());
    }

    /** Gives a path to this user. */
    void own(Path path) {
        if (!prefix().isEmpty()) {
            TESTS.run(List.of("chown", NAME + ":", path.toString()));
        }
    }
}
