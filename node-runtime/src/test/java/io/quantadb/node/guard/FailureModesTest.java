package io.quantadb.node.guard;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * Keeps the page of failure modes honest: each failure says which test shows it, or that none does, and every test that it
 * names is there. A test is written {@code `Class.method`}, or {@code `Class`} where all of it is meant.
 */
class FailureModesTest {
    private static final Path PAGE = Path.of("..", "docs", "architecture", "failure-modes.md");
    private static final List<Path> TESTS = List.of(Path.of("src/test/java"), Path.of("../operator/src/test/java"));

    private static final Pattern NAMED = Pattern.compile("`([A-Z]\\w*(?:Test|PT|ST|IT|Scenarios))(?:\\.([a-z]\\w*))?`");
    private static final Pattern PARENT = Pattern.compile("\\bclass \\w+ extends (\\w+)");
    private static final String TEST_LINE = "*Test:* ";

    /** The text of each test source by its class. */
    private static final Map<String, String> SOURCES = new HashMap<>();

    @BeforeAll
    static void readTheTests() throws IOException {
        for (Path root : TESTS) {
            try (Stream<Path> walk = Files.walk(root)) {
                for (Path file :
                        walk.filter(f -> f.toString().endsWith(".java")).toList()) {
                    String name = file.getFileName().toString();
                    // A name that both modules have stands for either.
                    SOURCES.merge(name.substring(0, name.length() - 5), Files.readString(file), String::concat);
                }
            }
        }
    }

    @Test
    void everyTestThatThePageNamesIsThere() throws IOException {
        // When
        List<MatchResult> named =
                NAMED.matcher(Files.readString(PAGE)).results().toList();

        // Then
        assertThat(named).hasSizeGreaterThan(100);
        assertThat(named.stream().filter(m -> !isThere(m.group(1), m.group(2))).map(MatchResult::group))
                .isEmpty();
    }

    @Test
    void everyFailureSaysWhichTestShowsItOrThatNoneDoes() throws IOException {
        // When
        List<String> silent = new ArrayList<>();
        List<String> sections = sections(Files.readString(PAGE));
        for (String section : sections) {
            int at = section.indexOf(TEST_LINE);
            String shown = at < 0 ? "" : section.substring(at + TEST_LINE.length());
            if (!NAMED.matcher(shown).find() && !shown.startsWith("none")) {
                silent.add(section.lines().findFirst().orElse(""));
            }
        }

        // Then
        assertThat(sections).hasSizeGreaterThan(50);
        assertThat(silent).isEmpty();
    }

    @Test
    void aTestThatIsNotThereIsNoticed() {
        assertThat(isThere("TidyTest", null)).isTrue();
        assertThat(isThere("TidyTest", "filesStaySmall")).isTrue();
        assertThat(isThere("TidyTest", "filesStaySmal")).isFalse();
        assertThat(isThere("UntidyTest", null)).isFalse();
        assertThat(isThere("Postgres18PT", "losesNothingWhenThePrimarysNodeDies"))
                .as("one that it inherits")
                .isTrue();
    }

    /** One for each heading of the third rank, which is a failure. */
    private static List<String> sections(String page) {
        return Stream.of(page.split("(?m)^(?=##)"))
                .filter(s -> s.startsWith("### "))
                .toList();
    }

    private static boolean isThere(String name, @org.jspecify.annotations.Nullable String method) {
        String source = SOURCES.get(name);
        if (source == null) {
            return false;
        }
        if (method == null
                || Pattern.compile("\\bvoid " + method + "\\(").matcher(source).find()) {
            return true;
        }
        Matcher parent = PARENT.matcher(source);
        return parent.find() && isThere(parent.group(1), method);
    }
}
