package io.quantadb.node.bench;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.quantadb.node.cli.ProcessMark;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The part of the peer that needs none of its programs. */
class PatroniTest {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    @TempDir
    Path dir;

    @Test
    void namesThePackagesThatAreMissing() {
        // Given
        var some = new PatroniPrograms(
                Map.of("etcd", Path.of("/usr/bin/etcd"), "postgres", Path.of("/usr/lib/postgresql/15/bin")));
        var all = new PatroniPrograms(Map.of("etcd", dir, "postgres", dir, "patroni", dir, "haproxy", dir));

        // When / Then
        assertThat(some.missing())
                .isEqualTo("not installed: patroni, haproxy (Debian: apt-get install patroni haproxy)");
        assertThat(all.missing()).isEmpty();
    }

    @Test
    void findsProgramsOnThePathAlone() throws IOException {
        // Given
        Path program = Files.writeString(dir.resolve("patroni"), "#!/bin/sh\n");
        Files.writeString(dir.resolve("etcd"), "nobody may run this");
        assertThat(program.toFile().setExecutable(true)).isTrue();

        // When
        PatroniPrograms found = PatroniPrograms.find(dir.toString());

        // Then
        assertThat(found.program("patroni")).isEqualTo(program);
        assertThat(found.found()).doesNotContainKey("etcd");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = ';',
            value = {
                "patroni 3.0.2;3.0.2",
                "'etcd Version: 3.4.23\nGit SHA: 1.2';3.4.23",
                "HAProxy version 2.6.12-1+deb12u4 2025/01/01 - https://haproxy.org/;2.6.12",
                "no such file;of unknown version"
            })
    void readsTheVersionOutOfWhatAProgramSays(String said, String version) {
        // When / Then
        assertThat(PatroniPrograms.firstVersion(said)).isEqualTo(version);
    }

    @ParameterizedTest
    @CsvSource({
        "leader,running,7,running,7,streaming,7,true",
        "leader,running,7,running,6,streaming,7,false",
        "leader,running,7,starting,7,streaming,7,false",
        "replica,running,7,running,7,running,7,false"
    })
    void isWholeWhenEverybodyIsOnTheLeadersTimeline(
            String role, String state1, int at1, String state2, int at2, String state3, int at3, boolean whole)
            throws IOException {
        // Given
        JsonNode members = MAPPER.readTree("""
                [{"name": "node1", "role": "%s", "state": "%s", "timeline": %d},
                 {"name": "node2", "role": "replica", "state": "%s", "timeline": %d},
                 {"name": "node3", "role": "replica", "state": "%s", "timeline": %d}]
                """.formatted(role, state1, at1, state2, at2, state3, at3));

        // When / Then
        assertThat(Patroni.whole(members)).isEqualTo(whole);
        assertThat(Patroni.whole(MAPPER.createArrayNode())).isFalse();
    }

    @Test
    void endsWhatAnInterruptedBenchLeftAndNobodyElse() throws Exception {
        // Given: a record of a process that lives, and one of an earlier life of a number that is another's now
        Process left = new ProcessBuilder("sleep", "600").start();
        Process others = new ProcessBuilder("sleep", "600").start();
        try {
            ProcessMark mark = ProcessMark.of(left.pid()).orElseThrow();
            ProcessMark reused = ProcessMark.of(others.pid()).orElseThrow();
            Path records = Files.createDirectories(dir.resolve("pids"));
            Files.writeString(
                    records.resolve("etcd.pid"), "%d %d %s%n".formatted(mark.pid(), mark.started(), mark.boot()));
            Files.writeString(
                    records.resolve("haproxy.pid"),
                    "%d %d %s%n".formatted(reused.pid(), reused.started() - 1, reused.boot()));

            // When
            new PeerProcesses(records, dir.resolve("logs")).endAll();

            // Then
            assertThat(mark.isAlive()).isFalse();
            assertThat(reused.isAlive()).isTrue();
            assertThat(records).isEmptyDirectory();
        } finally {
            left.destroyForcibly();
            others.destroyForcibly();
        }
    }
}
