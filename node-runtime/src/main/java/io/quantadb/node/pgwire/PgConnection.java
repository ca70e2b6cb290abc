package io.quantadb.node.pgwire;

import io.netty.buffer.ByteBuf;
import io.quantadb.node.common.NodeException.Indeterminate;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * A session with a PostgreSQL server for straight-line code, over its unix socket or any byte channel (a stream to another
 * agent, TCP). Over a unix socket it authenticates by peer only: a server that asks for a password is refused with clear
 * words.
 *
 * <p>Threads: one thread at a time uses it; while a {@link CopyBoth} streams, one thread reads and any other may send.
 * {@link #cancel} and {@link #close} may come from anywhere. Made for virtual threads: all waits park.
 *
 * <p>Failures: {@link PgUnreachable} (no session came about: nothing was done), {@link PgError} (the server said no),
 * {@link Indeterminate} (the connection broke or the deadline passed after the statement was sent: it may have been
 * done; the connection is closed).
 */
public final class PgConnection implements AutoCloseable {
    private static final int MAX_FRAME_BYTES = 64 << 20;
    private static final int MAX_ROWS = 100_000;

    private final PgChannel channel;
    private final @Nullable Path socket;
    private final Map<String, String> parameters = new LinkedHashMap<>();
    private volatile Consumer<ServerReport> onNotice = notice -> {};
    private @Nullable BackendKeyData keyData;

    private PgConnection(ByteChannel channel, @Nullable Path socket) {
        this.channel = new PgChannel(channel, MAX_FRAME_BYTES);
        this.socket = socket;
    }

    /** The socket file of a server in {@code directory} with the port number {@code port}. */
    public static Path socketIn(Path directory, int port) {
        return directory.resolve(".s.PGSQL." + port);
    }

    /**
     * Opens a session over a unix socket.
     *
     * @param startup {@code user}, {@code database}, {@code application_name}, {@code replication=true} …
     */
    @SuppressWarnings("try") // the watchdog is held, not used
    public static PgConnection connect(Path socket, Map<String, String> startup, Duration deadline) {
        SocketChannel channel;
        try {
            channel = SocketChannel.open(StandardProtocolFamily.UNIX);
        } catch (IOException e) {
            throw new PgUnreachable("a unix socket could not be made", e);
        }
        try (Watchdog.Armed wait = Watchdog.shared().arm(channel, deadline)) {
            channel.connect(UnixDomainSocketAddress.of(socket));
        } catch (IOException e) {
            closeQuietly(channel);
            throw new PgUnreachable("PostgreSQL's socket %s does not answer".formatted(socket), e);
        }
        return start(new PgConnection(channel, socket), startup, null, deadline);
    }

    /** Opens a session over a channel that leads to a server; takes the channel over, also when this fails. */
    public static PgConnection over(ByteChannel channel, Map<String, String> startup, Duration deadline) {
        return start(new PgConnection(channel, null), startup, null, deadline);
    }

    /** The same, proving a password where the server asks for one. */
    public static PgConnection over(
            ByteChannel channel, Map<String, String> startup, PasswordLogin login, Duration deadline) {
        return start(new PgConnection(channel, null), startup, login, deadline);
    }

    private static PgConnection start(
            PgConnection connection, Map<String, String> startup, @Nullable PasswordLogin login, Duration deadline) {
        try {
            connection.startUp(StartupMessage.of(startup), login, deadline);
            return connection;
        } catch (Indeterminate | ProtocolViolation e) {
            connection.channel.close();
            throw new PgUnreachable("PostgreSQL did not open a session: " + e.getMessage(), e);
        } catch (RuntimeException e) {
            connection.channel.close();
            throw e;
        }
    }

    private void startUp(StartupMessage message, @Nullable PasswordLogin login, Duration deadline) {
        channel.send(message.encode(), deadline);
        while (true) {
            Frame frame = receive(deadline);
            switch (frame.tag()) {
                case Tag.AUTHENTICATION -> {
                    ByteBuf answer = answer(frame.body(), login);
                    if (answer != null) {
                        channel.send(answer, deadline);
                    }
                }
                case Tag.BACKEND_KEY_DATA -> keyData = BackendKeyData.parse(frame.body());
                case Tag.READY_FOR_QUERY -> {
                    return;
                }
                case Tag.NEGOTIATE_PROTOCOL_VERSION -> {}
                default -> throw unexpected(frame);
            }
        }
    }

    private static @Nullable ByteBuf answer(ByteBuf request, @Nullable PasswordLogin login) {
        int method = Messages.parseAuthentication(request);
        if (login != null) {
            return login.answer(method, request);
        }
        if (method != 0) {
            throw new PgUnreachable(
                    "PostgreSQL asks for authentication method %d; the agent's own sessions need 'peer' or 'trust' in pg_hba.conf"
                            .formatted(method));
        }
        return null;
    }

    /** What the server announced, such as {@code server_version} and {@code in_hot_standby}. */
    public Map<String, String> parameters() {
        return Map.copyOf(parameters);
    }

    /** The backend's process id, or 0 when the server did not say. */
    public int backendPid() {
        BackendKeyData known = keyData;
        return known == null ? 0 : known.pid();
    }

    /** Hears NoticeResponses on the thread that waits for the server. */
    public void onNotice(Consumer<ServerReport> listener) {
        onNotice = listener;
    }

    /** Runs one statement and gives its (last) result. The deadline bounds each wait for the server. */
    public QueryResult query(String sql, Duration deadline) {
        List<QueryResult> results = queryAll(sql, deadline);
        return results.isEmpty() ? new QueryResult(List.of(), List.of(), "") : results.getLast();
    }

    /** Runs statements separated by semicolons; one result each. */
    public List<QueryResult> queryAll(String sql, Duration deadline) {
        channel.send(Messages.query(sql), deadline);
        Results results = new Results();
        readResults(results, Tag.READY_FOR_QUERY, deadline);
        return results.done();
    }

    /** Starts a statement that answers with a COPY stream to us, such as BASE_BACKUP. */
    public CopyOut copyOut(String sql, Duration deadline) {
        channel.send(Messages.query(sql), deadline);
        Results before = new Results();
        readResults(before, Tag.COPY_OUT_RESPONSE, deadline);
        return new CopyOut(this, before.done());
    }

    /** Starts a statement after which both sides send, such as START_REPLICATION. */
    public CopyBoth copyBoth(String sql, Duration deadline) {
        channel.send(Messages.query(sql), deadline);
        readResults(new Results(), Tag.COPY_BOTH_RESPONSE, deadline);
        return new CopyBoth(this);
    }

    /** Reads until {@code end}; an ErrorResponse is thrown once the server is ready again, or at once when FATAL. */
    private void readResults(Results results, char end, Duration deadline) {
        PgError error = null;
        while (true) {
            Frame frame;
            try {
                frame = receive(deadline);
            } catch (PgError e) {
                if (!e.report().severity().equals("ERROR")) {
                    channel.close();
                    throw e;
                }
                error = e;
                continue;
            }
            char tag = frame.tag();
            if (tag == Tag.READY_FOR_QUERY && error != null) {
                throw error;
            }
            if (tag == end) {
                return;
            }
            if (tag == Tag.READY_FOR_QUERY || !results.take(frame, MAX_ROWS)) {
                throw unexpected(frame);
            }
        }
    }

    /** The next message that is not a notice or parameter; an ErrorResponse is thrown as {@link PgError}. */
    private Frame receive(Duration deadline) {
        while (true) {
            Frame frame = channel.receive(deadline);
            switch (frame.tag()) {
                case Tag.NOTICE_RESPONSE -> onNotice.accept(ServerReport.parse(frame.body()));
                case Tag.NOTIFICATION_RESPONSE -> {}
                case Tag.PARAMETER_STATUS -> {
                    Messages.ParameterStatus status = Messages.parseParameterStatus(frame.body());
                    parameters.put(status.name(), status.value());
                }
                case Tag.ERROR_RESPONSE -> throw new PgError(ServerReport.parse(frame.body()));
                default -> {
                    return frame;
                }
            }
        }
    }

    /**
     * The body of the next CopyData, valid until the next message is received, or null at CopyDone. An error from the
     * server is thrown as {@link PgError} and leaves the connection closed.
     */
    @Nullable
    ByteBuf receiveCopyData(Duration deadline) {
        Frame frame;
        try {
            frame = receive(deadline);
        } catch (PgError e) {
            close();
            throw e;
        }
        return switch (frame.tag()) {
            case Tag.COPY_DATA -> frame.body();
            case Tag.COPY_DONE -> null;
            default -> throw unexpected(frame);
        };
    }

    /** What follows a COPY stream up to ReadyForQuery: the result sets in it. */
    List<QueryResult> finishCopy(Duration deadline) {
        Results after = new Results();
        readResults(after, Tag.READY_FOR_QUERY, deadline);
        return after.done();
    }

    void send(ByteBuf message, Duration deadline) {
        channel.send(message, deadline);
    }

    private ProtocolViolation unexpected(Frame frame) {
        channel.close();
        return new ProtocolViolation(
                SqlState.PROTOCOL_VIOLATION, "PostgreSQL sent message type '%c' out of turn".formatted(frame.tag()));
    }

    /** Asks the server, on a connection of its own, to cancel the statement that runs; only for unix sockets. */
    @SuppressWarnings("try") // the watchdog is held, not used
    public void cancel(Duration deadline) {
        BackendKeyData known = keyData;
        Path path = socket;
        if (known == null || path == null) {
            throw new IllegalStateException("this connection cannot be cancelled");
        }
        try (SocketChannel other = SocketChannel.open(StandardProtocolFamily.UNIX);
                Watchdog.Armed wait = Watchdog.shared().arm(other, deadline)) {
            other.connect(UnixDomainSocketAddress.of(path));
            ByteBuffer bytes = known.encodeCancelRequest().nioBuffer();
            while (bytes.hasRemaining()) {
                other.write(bytes);
            }
            // The server closes when it has passed the signal on.
            int count;
            do {
                count = other.read(ByteBuffer.allocate(16));
            } while (count >= 0);
        } catch (IOException e) {
            throw new PgUnreachable("the cancel request could not be sent", e);
        }
    }

    public boolean isOpen() {
        return channel.isOpen();
    }

    /** Says goodbye, as far as that goes without waiting, and closes. */
    @Override
    public void close() {
        if (channel.isOpen()) {
            try {
                channel.send(Messages.terminate(), Duration.ofMillis(100));
            } catch (Indeterminate e) {
                // The server ends the session by itself when the socket closes.
                channel.close();
            }
        }
        channel.close();
    }

    private static void closeQuietly(SocketChannel channel) {
        try {
            channel.close();
        } catch (IOException e) {
            return;
        }
    }

    /** Collects row descriptions and rows into results. */
    private static final class Results {
        private final List<QueryResult> done = new ArrayList<>();
        private List<String> columns = List.of();
        private List<List<@Nullable String>> rows = new ArrayList<>();

        boolean take(Frame frame, int maxRows) {
            switch (frame.tag()) {
                case Tag.ROW_DESCRIPTION -> columns = Messages.parseRowDescription(frame.body());
                case Tag.DATA_ROW -> {
                    if (rows.size() >= maxRows) {
                        throw new ProtocolViolation(SqlState.PROTOCOL_VIOLATION, "a result has too many rows");
                    }
                    rows.add(Messages.parseDataRow(frame.body()));
                }
                case Tag.COMMAND_COMPLETE -> finish(Messages.parseCommandComplete(frame.body()));
                case Tag.EMPTY_QUERY_RESPONSE -> finish("");
                default -> {
                    return false;
                }
            }
            return true;
        }

        private void finish(String tag) {
            done.add(new QueryResult(columns, rows, tag));
            columns = List.of();
            rows = new ArrayList<>();
        }

        List<QueryResult> done() {
            return List.copyOf(done);
        }
    }
}
