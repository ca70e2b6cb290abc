package io.quantadb.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The page of the command line leaves out no command and none of its flags. */
class CliReferenceTest {
    private static final Path PAGE = Path.of("..", "docs", "reference", "cli.md");
    private static final Pattern FLAG = Pattern.compile("--[a-z][a-z-]*");
    /** As picocli lists it, indented by two. */
    private static final Pattern COMMAND = Pattern.compile("(?m)^  ([a-z][a-z-]*) {2,}\\S");

    @TempDir
    Path dir;

    private String page = "";

    @BeforeEach
    void readThePage() throws Exception {
        page = Files.readString(PAGE);
    }

    @Test
    void namesEveryCommand() {
        // When
        List<String> commands = COMMAND.matcher(help())
                .results()
                .map(m -> m.group(1))
                .filter(c -> !c.equals("help"))
                .toList();

        // Then
        assertThat(commands).contains("status", "members", "maintenance", "verify");
        assertThat(commands.stream().filter(c -> !page.contains("`quantadb " + c) && !page.contains(", `" + c)))
                .isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "init",
                "demo",
                "demo up",
                "demo down",
                "status",
                "psql-url",
                "members",
                "members remove",
                "members maintenance",
                "members resync",
                "members set",
                "mode",
                "maintenance",
                "settings",
                "switchover",
                "fence",
                "unfence",
                "restart",
                "failover",
                "recover-quorum",
                "adopt",
                "verify",
                "diverged-wal",
                "events",
                "stop"
            })
    void namesEveryFlagOf(String command) {
        // Given those that start a node, which the settings' page has
        Set<String> ofNodes = flags(help());

        // When
        Set<String> flags = flags(help(command.split(" ")));

        // Then
        assertThat(flags).contains("--help");
        Set<String> onThePage = flags(page);
        assertThat(flags.stream().filter(f -> !ofNodes.contains(f) && !onThePage.contains(f)))
                .isEmpty();
    }

    private static Set<String> flags(String text) {
        return FLAG.matcher(text).results().map(m -> m.group()).collect(Collectors.toCollection(TreeSet::new));
    }

    private String help(String... command) {
        StringWriter out = new StringWriter();
        String[] args = java.util.Arrays.copyOf(command, command.length + 1);
        args[command.length] = "--help";
        int status = QuantaDb.execute(
                new Services(() -> config -> 1, () -> {
                    throw new AssertionError("no authority is needed");
                }),
                Map.of(),
                dir,
                new PrintWriter(out, true),
                new PrintWriter(new StringWriter(), true),
                args);
        assertThat(status).isZero();
        return out.toString();
    }
}
