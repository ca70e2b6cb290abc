package io.quantadb.node.wal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.common.NodeException.Indeterminate;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.testing.TestingPostgres;
import io.quantadb.node.wal.BaseBackupRequest.Progress;
import java.io.IOException;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.AsynchronousCloseException;
import java.nio.channels.ByteChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class BaseBackupClientTest {
    private static BaseBackupRequest request(Path target, Consumer<Progress> onProgress) {
        return request(target, 0, onProgress);
    }

    private static BaseBackupRequest request(Path target, long bytesPerSecond, Consumer<Progress> onProgress) {
        return new BaseBackupRequest(
                target,
                "of a test",
                TestingPostgres.owner(),
                BaseBackupRequest.DEFAULT_STALL,
                bytesPerSecond,
                onProgress);
    }

    @Test
    void asksForTheRateInKilobytesASecondAndForNoneWithoutALimit() {
        // Given
        Path target = Path.of("/nowhere");

        // When / Then
        assertThat(BaseBackupClient.command(request(target, 100L << 20, progress -> {})))
                .startsWith("BASE_BACKUP (LABEL 'of a test', ")
                .endsWith(", MAX_RATE 102400)");
        assertThat(BaseBackupClient.command(request(target, 0, progress -> {}))).doesNotContain("MAX_RATE");
    }

    @Test
    void refusesARateThatPostgresWouldRefuse() {
        for (long bytesPerSecond : new long[] {-1, 1, (32L << 10) - 1, (1L << 30) + 1}) {
            assertThatThrownBy(() -> request(Path.of("/nowhere"), bytesPerSecond, progress -> {}))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("0 for no limit");
        }
    }

    @Test
    void aCopyWithARateTakesAtLeastAsLongAsTheRateAsks() {
        try (TestingPostgres primary =
                        TestingPostgres.create(PostgresVersion.V15).start();
                TestingPostgres target = TestingPostgres.empty(PostgresVersion.V15);
                PgConnection c = primary.connectReplication()) {
            // Given
            long bytesPerSecond = 16L << 20;

            // When
            long began = System.nanoTime();
            BaseBackupClient.Result result =
                    BaseBackupClient.clone(c, request(target.dataDirectory(), bytesPerSecond, progress -> {}));
            double seconds = (System.nanoTime() - began) / 1e9;

            // Then: the server rests after each eighth of a second's bytes, in whole milliseconds, not after the last
            assertThat(result.bytes()).isGreaterThan(bytesPerSecond);
            double restedFor = result.bytes() - bytesPerSecond / 8.0;
            assertThat(seconds).isGreaterThanOrEqualTo(restedFor / bytesPerSecond * 0.98);
        }
    }

    @ParameterizedTest
    @EnumSource
    void makesAStandbyThatSeesRowsFromBeforeAndAfter(PostgresVersion version) throws Exception {
        try (TestingPostgres primary = TestingPostgres.create(version).start();
                TestingPostgres standby = TestingPostgres.empty(version)) {
            // Given
            primary.query("CREATE TABLE t AS SELECT i, repeat('x', 100) b FROM generate_series(1, 20000) i");
            List<Progress> progress = new ArrayList<>();

            // When
            BaseBackupClient.Result result;
            boolean usableAfter;
            try (PgConnection c = primary.connectReplication()) {
                result = BaseBackupClient.clone(c, request(standby.dataDirectory(), progress::add));
                usableAfter =
                        c.query("IDENTIFY_SYSTEM", TestingPostgres.WAIT).rows().size() == 1;
            }

            // Then
            assertThat(usableAfter).isTrue();
            assertThat(CloneMarker.isIncomplete(standby.dataDirectory())).isFalse();
            assertThat(result.timeline()).isEqualTo(1);
            assertThat(result.end()).isGreaterThan(result.start());
            assertThat(progress.getLast().doneBytes()).isPositive().isGreaterThanOrEqualTo(result.bytes());
            Object owner = Files.getAttribute(
                    standby.dataDirectory().resolve("global/pg_control"), "unix:uid", LinkOption.NOFOLLOW_LINKS);
            assertThat(owner).isEqualTo(Files.getAttribute(primary.dataDirectory(), "unix:uid"));
            WalEnd end = WalReader.findEnd(standby.dataDirectory());
            assertThat(end.sure()).as(end.reason()).isTrue();
            assertThat(end.end()).isGreaterThanOrEqualTo(result.end());

            // And
            standby.standbyOf(primary, "clone").start();
            assertThat(standby.query("SELECT count(*) FROM t").single()).isEqualTo("20000");
            primary.query("INSERT INTO t VALUES (0, 'after')");
            await().untilAsserted(() ->
                    assertThat(standby.query("SELECT count(*) FROM t").single()).isEqualTo("20001"));
        }
    }

    @Test
    void leavesItsMarkerWhenTheStreamBreaksOffMidway() throws Exception {
        try (TestingPostgres primary =
                        TestingPostgres.create(PostgresVersion.V15).start();
                TestingPostgres target = TestingPostgres.empty(PostgresVersion.V15);
                SocketChannel socket = SocketChannel.open(UnixDomainSocketAddress.of(primary.socket()));
                PgConnection c = PgConnection.over(
                        new BreakingChannel(socket, 1 << 20),
                        Map.of("user", "postgres", "replication", "true"),
                        TestingPostgres.WAIT)) {
            // When
            assertThatThrownBy(() -> BaseBackupClient.clone(c, request(target.dataDirectory(), progress -> {})))
                    // Then
                    .isInstanceOfAny(Indeterminate.class, LocalFault.class);
            assertThat(target.dataDirectory().resolve("PG_VERSION").getParent()).isNotEmptyDirectory();
            assertThat(CloneMarker.isIncomplete(target.dataDirectory())).isTrue();
            assertThat(c.isOpen()).isFalse();
        }
    }

    @Test
    void isGivenUpWhenTheSourceStandsStill() throws Exception {
        Duration stall = Duration.ofMillis(500);
        try (TestingPostgres primary =
                        TestingPostgres.create(PostgresVersion.V15).start();
                TestingPostgres target = TestingPostgres.empty(PostgresVersion.V15);
                SocketChannel socket = SocketChannel.open(UnixDomainSocketAddress.of(primary.socket()))) {
            // Given
            BreakingChannel still = new BreakingChannel(socket, 1 << 20, true);
            BaseBackupRequest request = new BaseBackupRequest(
                    target.dataDirectory(), "of a test", TestingPostgres.owner(), stall, 0, progress -> {});

            // When
            try (PgConnection c =
                    PgConnection.over(still, Map.of("user", "postgres", "replication", "true"), TestingPostgres.WAIT)) {
                assertThatThrownBy(() -> BaseBackupClient.clone(c, request))
                        // Then
                        .isInstanceOf(Indeterminate.class);
                assertThat(System.nanoTime() - still.stillSinceNanos)
                        .isBetween(stall.toNanos(), TestingPostgres.WAIT.toNanos());
                assertThat(c.isOpen()).isFalse();
            }
            assertThat(CloneMarker.isIncomplete(target.dataDirectory())).isTrue();
        }
    }

    /** Ends after so many bytes, as a stream to a node that dies does, or stays open and gives no more. */
    private static final class BreakingChannel implements ByteChannel {
        private final SocketChannel inner;
        private final boolean stays;
        private long left;
        private volatile long stillSinceNanos;

        BreakingChannel(SocketChannel inner, long bytes) {
            this(inner, bytes, false);
        }

        BreakingChannel(SocketChannel inner, long bytes, boolean stays) {
            this.inner = inner;
            this.left = bytes;
            this.stays = stays;
        }

        @Override
        public int read(ByteBuffer target) throws IOException {
            if (left <= 0 && stays) {
                return awaitClosed();
            }
            int count = left <= 0 ? -1 : inner.read(target);
            left -= count;
            return count;
        }

        private synchronized int awaitClosed() throws IOException {
            stillSinceNanos = stillSinceNanos == 0 ? System.nanoTime() : stillSinceNanos;
            try {
                while (isOpen()) {
                    wait();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            }
            throw new AsynchronousCloseException();
        }

        @Override
        public int write(ByteBuffer source) throws IOException {
            return inner.write(source);
        }

        @Override
        public boolean isOpen() {
            return inner.isOpen();
        }

        @Override
        public void close() throws IOException {
            inner.close();
            synchronized (this) {
                notifyAll();
            }
        }
    }

    @Test
    void refusesASourceWithTablespaces() {
        try (TestingPostgres primary =
                        TestingPostgres.create(PostgresVersion.V15).start();
                TestingPostgres target = TestingPostgres.empty(PostgresVersion.V15);
                PgConnection c = primary.connectReplication()) {
            // Given
            primary.query("CREATE TABLESPACE other LOCATION '%s'".formatted(primary.newDirectory("space")));

            // When
            assertThatThrownBy(() -> BaseBackupClient.clone(c, request(target.dataDirectory(), progress -> {})))
                    // Then
                    .isInstanceOf(LocalFault.class)
                    .hasMessageContaining("tablespace");
            assertThat(target.dataDirectory().resolve("PG_VERSION")).doesNotExist();
        }
    }
}
