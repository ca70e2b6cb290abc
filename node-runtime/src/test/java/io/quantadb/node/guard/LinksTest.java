package io.quantadb.node.guard;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Every link from a page to another place of this tree leads there, to the heading that it names. */
class LinksTest {
    private static final Path ROOT = Path.of("..");
    private static final List<String> PAGES = List.of("README.md", "docs", "examples");
    private static final Pattern LINK = Pattern.compile("]\\(([^)\\s]+)\\)");
    private static final Pattern HEADING = Pattern.compile("(?m)^#+ (.*)$");

    @Test
    void everyLinkLeadsSomewhere() throws IOException {
        // When
        List<String> astray = new ArrayList<>();
        int links = 0;
        for (Path page : pages()) {
            for (String link : links(page)) {
                links++;
                if (!leadsSomewhere(page, link)) {
                    astray.add("%s: %s".formatted(page, link));
                }
            }
        }

        // Then
        assertThat(links).isGreaterThan(100);
        assertThat(astray).isEmpty();
    }

    @Test
    void aLinkThatLeadsNowhereIsNoticed() throws IOException {
        Path page = ROOT.resolve("README.md");
        assertThat(leadsSomewhere(page, "docs/nowhere.md")).isFalse();
        assertThat(leadsSomewhere(page, "#no-such-heading")).isFalse();
        assertThat(leadsSomewhere(page, "#five-minutes")).isTrue();
    }

    private static List<Path> pages() throws IOException {
        List<Path> pages = new ArrayList<>();
        for (String name : PAGES) {
            try (Stream<Path> walk = Files.walk(ROOT.resolve(name))) {
                walk.filter(p -> p.toString().endsWith(".md")).forEach(pages::add);
            }
        }
        return pages;
    }

    private static List<String> links(Path page) throws IOException {
        return LINK.matcher(Files.readString(page))
                .results()
                .map(m -> m.group(1))
                .filter(l -> !l.matches("[a-z]+:.*"))
                .toList();
    }

    private static boolean leadsSomewhere(Path page, String link) throws IOException {
        int at = link.indexOf('#');
        String file = at < 0 ? link : link.substring(0, at);
        Path target = file.isEmpty() ? page : page.resolveSibling(file).normalize();
        if (!Files.exists(target)) {
            return false;
        }
        return at < 0
                || HEADING.matcher(Files.readString(target))
                        .results()
                        .anyMatch(h -> anchor(h).equals(link.substring(at + 1)));
    }

    /** As code hosts make one of a heading. */
    private static String anchor(MatchResult heading) {
        return heading.group(1)
                .strip()
                .toLowerCase(Locale.ROOT)
                .replaceAll("[^\\p{L}\\p{N}_\\- ]", "")
                .replace(' ', '-');
    }
}
