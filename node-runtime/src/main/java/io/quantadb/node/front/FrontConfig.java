package io.quantadb.node.front;

import io.quantadb.node.common.NodeId;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;

/**
 * Settings of the SQL front.
 *
 * @param self this node
 * @param local where the {@code local} listener binds (port 0: any)
 * @param primary where the {@code primary} listener binds (port 0: any)
 * @param postgresSocket the unix socket of the PostgreSQL beside us, such as {@code /run/x/.s.PGSQL.5432}
 * @param requireTls refuse start-ups without TLS on both listeners
 * @param allowLoweredSynchronousCommit let sessions lower {@code synchronous_commit}; promise 1 does not cover them
 * @param limits sizes, counts and times
 */
public record FrontConfig(
        NodeId self,
        InetSocketAddress local,
        InetSocketAddress primary,
        Path postgresSocket,
        boolean requireTls,
        boolean allowLoweredSynchronousCommit,
        Limits limits) {

    /** The largest path that fits a {@code sockaddr_un}, in bytes. */
    private static final int SOCKET_PATH_BYTES_MAX = 107;

    public FrontConfig {
        int bytes = postgresSocket.toString().getBytes(java.nio.charset.StandardCharsets.UTF_8).length;
        if (bytes > SOCKET_PATH_BYTES_MAX) {
            throw new IllegalArgumentException("front.postgresSocket is %d bytes long, at most %d fit: %s"
                    .formatted(bytes, SOCKET_PATH_BYTES_MAX, postgresSocket));
        }
    }

    public static FrontConfig of(NodeId self, InetSocketAddress local, InetSocketAddress primary, Path postgresSocket) {
        return new FrontConfig(self, local, primary, postgresSocket, false, false, Limits.DEFAULT);
    }

    public FrontConfig withLimits(Limits other) {
        return new FrontConfig(self, local, primary, postgresSocket, requireTls, allowLoweredSynchronousCommit, other);
    }

    public FrontConfig withRequireTls(boolean required) {
        return new FrontConfig(self, local, primary, postgresSocket, required, allowLoweredSynchronousCommit, limits);
    }

    public FrontConfig withAllowLoweredSynchronousCommit(boolean allowed) {
        return new FrontConfig(self, local, primary, postgresSocket, requireTls, allowed, limits);
    }

    /**
     * Bounds of the front.
     *
     * @param sessionsMax client connections in all
     * @param sessionsPerUserMax client connections of one user
     * @param sessionBufferBytes what may lie unsent in one direction of one session before its source is not read
     * @param startupDeadline from accepting to the complete start-up packet, TLS included
     * @param waitingMax connections that may wait for a primary at a time
     * @param waitForPrimary how long one may wait
     * @param leaseGrace how long sessions outlive a lost lease, with everything held, before they are cut
     * @param promotionHold how long sessions of a standby are held while it is closed (promotion to release)
     * @param answersHeldMax how long an answer is held after a cancelled wait before it becomes 08007
     * @param dialDeadline for connecting to PostgreSQL or to a peer, and for one cancel request
     */
    public record Limits(
            int sessionsMax,
            int sessionsPerUserMax,
            int sessionBufferBytes,
            Duration startupDeadline,
            int waitingMax,
            Duration waitForPrimary,
            Duration leaseGrace,
            Duration promotionHold,
            Duration answersHeldMax,
            Duration dialDeadline) {
        public static final Limits DEFAULT = new Limits(
                1000,
                1000,
                128 * 1024,
                Duration.ofSeconds(10),
                500,
                Duration.ofSeconds(5),
                Duration.ofSeconds(2),
                Duration.ofSeconds(10),
                Duration.ofSeconds(10),
                Duration.ofSeconds(3));

        public Limits {
            if (sessionsMax < 1 || sessionsPerUserMax < 1 || waitingMax < 0) {
                throw new IllegalArgumentException(
                        "front.sessionsMax=%d and front.sessionsPerUserMax=%d must be at least 1, front.waitingMax=%d at least 0"
                                .formatted(sessionsMax, sessionsPerUserMax, waitingMax));
            }
            if (sessionBufferBytes < 16 * 1024) {
                throw new IllegalArgumentException(
                        "front.sessionBufferBytes=%d must be at least 16384".formatted(sessionBufferBytes));
            }
            requirePositive("startupDeadline", startupDeadline);
            requirePositive("waitForPrimary", waitForPrimary);
            requirePositive("leaseGrace", leaseGrace);
            requirePositive("promotionHold", promotionHold);
            requirePositive("answersHeldMax", answersHeldMax);
            requirePositive("dialDeadline", dialDeadline);
        }

        private static void requirePositive(String key, Duration value) {
            if (value.isNegative() || value.isZero()) {
                throw new IllegalArgumentException("front.%s=%s must be more than zero".formatted(key, value));
            }
        }

        public Limits withSessions(int max, int perUser) {
            return new Limits(
                    max,
                    perUser,
                    sessionBufferBytes,
                    startupDeadline,
                    waitingMax,
                    waitForPrimary,
                    leaseGrace,
                    promotionHold,
                    answersHeldMax,
                    dialDeadline);
        }

        public Limits withStartupDeadline(Duration deadline) {
            return new Limits(
                    sessionsMax,
                    sessionsPerUserMax,
                    sessionBufferBytes,
                    deadline,
                    waitingMax,
                    waitForPrimary,
                    leaseGrace,
                    promotionHold,
                    answersHeldMax,
                    dialDeadline);
        }

        public Limits withWaiting(int max, Duration forPrimary) {
            return new Limits(
                    sessionsMax,
                    sessionsPerUserMax,
                    sessionBufferBytes,
                    startupDeadline,
                    max,
                    forPrimary,
                    leaseGrace,
                    promotionHold,
                    answersHeldMax,
                    dialDeadline);
        }

        public Limits withHolds(Duration grace, Duration promotion, Duration answers) {
            return new Limits(
                    sessionsMax,
                    sessionsPerUserMax,
                    sessionBufferBytes,
                    startupDeadline,
                    waitingMax,
                    waitForPrimary,
                    grace,
                    promotion,
                    answers,
                    dialDeadline);
        }
    }
}
