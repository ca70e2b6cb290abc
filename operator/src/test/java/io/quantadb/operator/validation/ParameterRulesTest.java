package io.quantadb.operator.validation;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ParameterRulesTest {
    private static final Path NODES_RULES =
            Path.of("../node-runtime/src/main/java/io/quantadb/node/postgres/UserSettings.java");

    @Test
    void refusesTheSettingsThatTheNodeRefuses() throws IOException {
        // Given
        String source = Files.readString(NODES_RULES);
        String list =
                source.substring(source.indexOf("OWNED = Set.of("), source.indexOf(");", source.indexOf("OWNED")));

        // When
        Set<String> nodes = Pattern.compile("\"([a-z_]+)\"")
                .matcher(list)
                .results()
                .map((MatchResult match) -> match.group(1))
                .collect(Collectors.toSet());

        // Then
        assertThat(nodes).hasSizeGreaterThan(20);
        assertThat(ParameterRules.OWNED).isEqualTo(nodes);
    }
}
