package io.quantadb.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.adopt.Finding;
import io.quantadb.node.adopt.Finding.Level;
import java.util.List;
import org.junit.jupiter.api.Test;

class FindingsTableTest {
    @Test
    void breaksWordsAtTheWidthOfTheTerminalAndNamesASubjectOnce() {
        // Given
        List<Finding> findings = List.of(
                new Finding("version", Level.OK, "PostgreSQL 15", ""),
                new Finding("settings", Level.NOTE, "a=1", "becomes: on"),
                new Finding("settings", Level.STOP, "one two three four five six seven eight nine ten", "do this"));

        // When
        String table = new FindingsTable(60).render(findings);

        // Then
        assertThat(table).isEqualTo("""
                CHECK         FOUND, AND WHAT TO DO
                version  ok   PostgreSQL 15
                settings note a=1
                              -> becomes: on
                         STOP one two three four five six seven eight nine
                              ten
                              -> do this
                """);
    }

    @Test
    void noLineIsWiderThanTheTerminal() {
        // Given
        List<Finding> findings = List.of(new Finding(
                "a subject",
                Level.NOTE,
                "word ".repeat(60).strip(),
                "more ".repeat(60).strip()));

        // When
        String table = new FindingsTable(80).render(findings);

        // Then
        assertThat(table.lines()).allMatch(line -> line.length() <= 80);
    }
}
