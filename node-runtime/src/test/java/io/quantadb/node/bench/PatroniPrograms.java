package io.quantadb.node.bench;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The programs that a Patroni cluster needs, as far as they are installed.
 *
 * @param found by the name of the program; {@code postgres} stands for the folder of its tools
 */
record PatroniPrograms(Map<String, Path> found) {
    /** The program, and Debian's package of it. */
    private static final Map<String, String> PACKAGES = new LinkedHashMap<>();

    private static final Path DEBIANS_POSTGRES = Path.of("/usr/lib/postgresql");
    private static final Pattern VERSION = Pattern.compile("\\d+(\\.\\d+)+");

    static {
        PACKAGES.put("patroni", "patroni");
        PACKAGES.put("etcd", "etcd-server");
        PACKAGES.put("haproxy", "haproxy");
        PACKAGES.put("postgres", "postgresql");
    }

    /** @param path as the environment's PATH */
    static PatroniPrograms find(String path) {
        Map<String, Path> found = new LinkedHashMap<>();
        List<Path> folders = new ArrayList<>(List.of(path.split(":")).stream()
                .filter(entry -> !entry.isEmpty())
                .map(Path::of)
                .toList());
        // HAProxy lies where a user's path seldom leads.
        folders.add(Path.of("/usr/sbin"));
        for (String program : PACKAGES.keySet()) {
            Path there = program.equals("postgres") ? postgres(folders) : in(folders, program);
            if (there != null) {
                found.put(program, there);
            }
        }
        return new PatroniPrograms(found);
    }

    private static @Nullable Path in(List<Path> folders, String program) {
        return folders.stream()
                .map(folder -> folder.resolve(program))
                .filter(Files::isExecutable)
                .findFirst()
                .orElse(null);
    }

    /** The folder of the oldest supported version's tools: the one that the agents take here. */
    private static @Nullable Path postgres(List<Path> folders) {
        List<Path> installed = new ArrayList<>();
        if (Files.isDirectory(DEBIANS_POSTGRES)) {
            try (DirectoryStream<Path> versions = Files.newDirectoryStream(DEBIANS_POSTGRES, "[0-9][0-9]")) {
                for (Path version : versions) {
                    installed.add(version.resolve("bin"));
                }
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }
        installed.sort(Comparator.naturalOrder());
        installed.addAll(folders);
        return installed.stream()
                .filter(folder -> Files.isExecutable(folder.resolve("initdb")))
                .findFirst()
                .orElse(null);
    }

    /** Which packages are to be installed, in words; empty when nothing is missing. */
    String missing() {
        List<String> packages = PACKAGES.keySet().stream()
                .filter(program -> !found.containsKey(program))
                .map(PACKAGES::get)
                .toList();
        return packages.isEmpty()
                ? ""
                : "not installed: %s (Debian: apt-get install %s)"
                        .formatted(String.join(", ", packages), String.join(" ", packages));
    }

    Path program(String name) {
        Path there = found.get(name);
        if (there == null) {
            throw new IllegalStateException(name + " is not installed");
        }
        return there;
    }

    /** As {@code patroni 3.0.2, etcd 3.4.23, haproxy 2.6.12}. */
    String versions() throws IOException, InterruptedException {
        Map<String, String> asked = new LinkedHashMap<>();
        asked.put("patroni", version("patroni", "--version"));
        asked.put("etcd", version("etcd", "--version"));
        asked.put("haproxy", version("haproxy", "-v"));
        return asked.entrySet().stream()
                .map(e -> e.getKey() + " " + e.getValue())
                .collect(Collectors.joining(", "));
    }

    private String version(String program, String option) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(program(program).toString(), option)
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        if (!process.waitFor(20, TimeUnit.SECONDS)) {
            process.destroyForcibly();
        }
        return firstVersion(said);
    }

    /** The first thing in a text that looks like a version. */
    static String firstVersion(String said) {
        Matcher version = VERSION.matcher(said);
        return version.find() ? version.group() : "of unknown version";
    }
}
