package io.quantadb.operator.validation;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
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

    @Test
    void wantsABoundOfTheWalThatIsKeptForAbsentMembers() {
        for (String bound : List.of("64MB", "65536kB", "4 GB", "100")) {
            assertThat(ParameterRules.violations(Map.of("max_slot_wal_keep_size", bound)))
                    .as(bound)
                    .isEmpty();
        }
        for (String none : List.of("-1", "0", "63MB", "much")) {
            assertThat(ParameterRules.violations(Map.of("Max_Slot_Wal_Keep_Size", none)))
                    .as(none)
                    .singleElement()
                    .asString()
                    .contains("at least 64MB");
        }
    }
}
