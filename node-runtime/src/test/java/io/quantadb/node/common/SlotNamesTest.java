package io.quantadb.node.common;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SlotNamesTest {
    @ParameterizedTest
    @CsvSource({
        "node1, quantadb_node_node1",
        "quickstart-0, quantadb_node_quickstart_2d0",
        "db.example_1, quantadb_node_db_2eexample_5f1",
        "A, quantadb_node__41",
    })
    void spellsWhatPostgresqlDoesNotAllow(String node, String slot) {
        assertThat(SlotNames.of(new NodeId(node))).isEqualTo(slot);
    }

    @Test
    void keepsApartWhatIsAlikeOrTooLong() {
        // Given
        String longest = "a".repeat(62);
        List<String> ids =
                List.of("a-b", "a_b", "a.b", "a2db", "A", "a", longest + "1", longest + "2", "A".repeat(40) + "x");

        // When
        List<String> names =
                ids.stream().map(id -> SlotNames.of(new NodeId(id))).toList();

        // Then
        assertThat(names).doesNotHaveDuplicates().allMatch(name -> name.matches("[a-z0-9_]{1,63}"));
    }
}
