package io.quantadb.node.wal;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.testing.TestingPostgres;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** A directory whose WAL ends on timeline 1, and histories of 2 and 3. */
class StrayHistoriesTest {
    private static final String SECOND = TimelineHistory.fileName(2);
    private static final String THIRD = TimelineHistory.fileName(3);

    private TestingPostgres server;
    private WalEnd end;

    @BeforeEach
    void create() throws IOException {
        server = TestingPostgres.create(PostgresVersion.V15);
        end = WalReader.findEnd(server.dataDirectory());
        for (String name : List.of(SECOND, THIRD)) {
            String text = "1\t%s\tno reason\n".formatted(end.end());
            TestingWal.put(server.dataDirectory(), name, text.getBytes(StandardCharsets.US_ASCII));
        }
    }

    @AfterEach
    void close() {
        server.close();
    }

    private List<String> removed(WalEnd at) {
        return new StrayHistories(server.dataDirectory()).removeBeyond(at);
    }

    private Path inWal(String name) {
        return server.dataDirectory().resolve("pg_wal").resolve(name);
    }

    @Test
    void removesAllOfTimelinesThatTheDataIsNotOn() {
        assertThat(end.timeline()).isEqualTo(1);
        assertThat(removed(end)).containsExactly(SECOND, THIRD);
        assertThat(inWal(SECOND)).doesNotExist();
        assertThat(inWal(THIRD)).doesNotExist();
        assertThat(removed(end)).isEmpty();
    }

    @Test
    void keepsTheOneThatTheDataIsOn() {
        assertThat(removed(new WalEnd(2, end.end(), end.lastRecord(), true, "")))
                .containsExactly(THIRD);
        assertThat(inWal(SECOND)).exists();
    }

    @Test
    void keepsAllWhereTheEndIsNotSure() {
        assertThat(removed(new WalEnd(1, end.end(), end.lastRecord(), false, "damaged")))
                .isEmpty();
        assertThat(inWal(SECOND)).exists();
        assertThat(inWal(THIRD)).exists();
    }
}
