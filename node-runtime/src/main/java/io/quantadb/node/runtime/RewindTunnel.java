package io.quantadb.node.runtime;

import io.quantadb.node.common.LogKeys;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ByteChannel;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A unix socket through which a local program reaches another node's PostgreSQL as the agents let it: each connection is
 * carried by a stream of its own to the agent there. Who may connect is decided by the socket's directory.
 *
 * <p>Back-pressure: each direction is copied by a thread that reads only when what it read before is written. Closing ends
 * all connections; a stream that ends closes its connection, and the other way round. What comes from the source keeps to a
 * {@link Pace}, all connections together, and what waits for it holds the source back.
 */
final class RewindTunnel implements AutoCloseable {
    private static final Logger LOGGER = LoggerFactory.getLogger(RewindTunnel.class);
    private static final int BUFFER_BYTES = 64 * 1024;
    private static final int CONNECTIONS_MAX = 8;

    /** Opens one more stream to the source; blocks. */
    interface Dial {
        ByteChannel open() throws InterruptedException;
    }

    private final Path socket;
    private final Dial dial;
    private final Pace pace;
    private final ServerSocketChannel listener;
    private final Set<ByteChannel> open = ConcurrentHashMap.newKeySet();
    private final AtomicLong bytes = new AtomicLong();
    private final AtomicReference<@Nullable String> trouble = new AtomicReference<>();
    private volatile boolean closed;

    private RewindTunnel(Path socket, Dial dial, Pace pace, ServerSocketChannel listener) {
        this.socket = socket;
        this.dial = dial;
        this.pace = pace;
        this.listener = listener;
    }

    /** Listens on {@code .s.PGSQL.<port>} in this directory, which admits PostgreSQL's user alone. */
    static RewindTunnel listen(Path socket, Dial dial, Pace pace) {
        ServerSocketChannel listener = null;
        try {
            Files.deleteIfExists(socket);
            listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
            listener.bind(UnixDomainSocketAddress.of(socket));
            // PostgreSQL's user may be another than a root agent; who may come here, the directory decides.
            Files.setPosixFilePermissions(socket, PosixFilePermissions.fromString("rwxrwxrwx"));
            RewindTunnel tunnel = new RewindTunnel(socket, dial, pace, listener);
            Thread.ofVirtual().name("quantadb-rewind-tunnel").start(tunnel::accept);
            return tunnel;
        } catch (IOException e) {
            closeQuietly(listener);
            throw new LocalFault("cannot listen on %s: %s".formatted(socket, e.getMessage()), e);
        }
    }

    /** How much has come from the source. */
    long bytes() {
        return bytes.get();
    }

    /** Why the last connection came to nothing, in words; empty when none did. */
    String trouble() {
        String words = trouble.get();
        return words == null ? "" : words;
    }

    private void accept() {
        while (!closed) {
            try {
                SocketChannel local = listener.accept();
                if (open.size() >= 2 * CONNECTIONS_MAX) {
                    closeQuietly(local);
                } else {
                    Thread.ofVirtual().name("quantadb-rewind-session").start(() -> carry(local));
                }
            } catch (IOException e) {
                if (!closed) {
                    trouble.set("its socket failed: " + e.getMessage());
                }
                return;
            }
        }
    }

    private void carry(SocketChannel local) {
        ByteChannel remote = null;
        try {
            open.add(local);
            remote = dial.open();
            open.add(remote);
            if (closed) {
                return;
            }
            ByteChannel there = remote;
            Thread back = Thread.ofVirtual().name("quantadb-rewind-back").start(() -> copy(there, local, true));
            copy(local, there, false);
            back.join();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } catch (RuntimeException e) {
            trouble.set(String.valueOf(e.getMessage()));
            LOGGER.atDebug().addKeyValue(LogKeys.REASON, e.getMessage()).log("a session to rewind by did not open");
        } finally {
            end(local);
            end(remote);
        }
    }

    private void copy(ByteChannel from, ByteChannel to, boolean counted) {
        ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES);
        try {
            while (from.read(buffer) >= 0) {
                buffer.flip();
                if (counted) {
                    bytes.addAndGet(buffer.remaining());
                    Thread.sleep(pace.delayOf(buffer.remaining()));
                }
                while (buffer.hasRemaining()) {
                    to.write(buffer);
                }
                buffer.clear();
            }
        } catch (IOException e) {
            // One side has gone: the other is closed below, and whoever waits there hears of it.
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            end(from);
            end(to);
        }
    }

    private void end(@Nullable ByteChannel channel) {
        if (channel != null) {
            open.remove(channel);
            closeQuietly(channel);
        }
    }

    private static void closeQuietly(java.nio.channels.@Nullable Channel channel) {
        try {
            if (channel != null) {
                channel.close();
            }
        } catch (IOException e) {
            LOGGER.atDebug().setCause(e).log("a channel did not close in order");
        }
    }

    @Override
    public void close() {
        closed = true;
        closeQuietly(listener);
        Set.copyOf(open).forEach(this::end);
        try {
            Files.deleteIfExists(socket);
        } catch (IOException e) {
            LOGGER.atDebug().setCause(e).log("a socket could not be removed");
        }
    }
}
