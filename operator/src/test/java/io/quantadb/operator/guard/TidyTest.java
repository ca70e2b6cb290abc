package io.quantadb.operator.guard;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/**
 * Measures what the house style promises about shape: file and method sizes, package descriptions. The same as in
 * node-runtime, on purpose: the modules share no code, and a test jar would tie their builds for the sake of a page.
 */
class TidyTest {
    private static final Path MAIN = Path.of("src/main/java");
    private static final Path TEST = Path.of("src/test/java");
    private static final int MAIN_LINES = 500;
    private static final int TEST_LINES = 800;
    private static final int METHOD_LINES = 70;
    private static final Pattern METHOD_START = Pattern.compile(
            "^ {4}(?! )(?!.*\\b(class|record|interface|enum)\\b)[^=]*(\\) *(throws [\\w., ]+)?\\{|\\()$");

    @Test
    void filesStaySmall() {
        List<String> tooLong = new ArrayList<>();
        for (Path file : javaFiles(MAIN)) {
            report(tooLong, file, lines(file).size(), MAIN_LINES);
        }
        for (Path file : javaFiles(TEST)) {
            report(tooLong, file, lines(file).size(), TEST_LINES);
        }
        assertThat(tooLong).isEmpty();
    }

    @Test
    void methodsFitAScreen() {
        List<String> tooLong = new ArrayList<>();
        for (Path file : javaFiles(MAIN)) {
            List<String> lines = lines(file);
            for (int start = 0; start < lines.size(); start++) {
                if (METHOD_START.matcher(lines.get(start)).matches()) {
                    int end = lines.subList(start, lines.size()).indexOf("    }");
                    report(tooLong, Path.of(file + ":" + (start + 1)), end + 1, METHOD_LINES);
                }
            }
        }
        assertThat(tooLong).isEmpty();
    }

    @Test
    void everyPackageTellsWhatItIsFor() {
        List<Path> missing = javaFiles(MAIN).stream()
                .map(Path::getParent)
                .distinct()
                .filter(dir -> !Files.exists(dir.resolve("package-info.java")))
                .toList();
        assertThat(missing).isEmpty();
    }

    private static void report(List<String> findings, Path what, int lines, int bound) {
        if (lines > bound) {
            findings.add("%s has %d lines, the bound is %d".formatted(what, lines, bound));
        }
    }

    private static List<Path> javaFiles(Path root) {
        try (Stream<Path> walk = Files.walk(root)) {
            return walk.filter(p -> p.toString().endsWith(".java")).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static List<String> lines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
