package io.quantadb.node.transport;

import io.netty.util.NetUtil;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.SynchronousQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/**
 * Turns names into addresses, anew at each call and never on an event loop: the system's resolver blocks, for seconds
 * when a name server is away. At most {@value #MAX_THREADS} names at a time; more fail at once. The threads end after
 * some idle seconds. Literal addresses need none of this.
 */
final class AddressResolver implements AutoCloseable {
    private static final int MAX_THREADS = 16;

    /** The blocking look-up itself; tests put theirs in its place. */
    @FunctionalInterface
    interface Lookup {
        InetAddress[] all(String host) throws UnknownHostException;
    }

    private final Lookup lookup;
    private final ThreadPoolExecutor threads;

    AddressResolver(Lookup lookup) {
        this.lookup = lookup;
        this.threads = new ThreadPoolExecutor(
                0,
                MAX_THREADS,
                5,
                TimeUnit.SECONDS,
                new SynchronousQueue<>(),
                Thread.ofPlatform().daemon().name("quantadb-dns-", 1).factory());
    }

    /** Every address of the name, at least one; fails with {@link UnknownHostException}. */
    CompletableFuture<List<InetAddress>> resolve(String host) {
        byte[] literal = NetUtil.createByteArrayFromIpAddressString(host);
        if (literal != null) {
            try {
                return CompletableFuture.completedFuture(List.of(InetAddress.getByAddress(literal)));
            } catch (UnknownHostException e) {
                return CompletableFuture.failedFuture(e);
            }
        }
        var answer = new CompletableFuture<List<InetAddress>>();
        try {
            threads.execute(() -> {
                try {
                    answer.complete(List.of(lookup.all(host)));
                } catch (UnknownHostException e) {
                    answer.completeExceptionally(e);
                } catch (RuntimeException e) {
                    answer.completeExceptionally(new UnknownHostException(host + ": " + e));
                }
            });
        } catch (RejectedExecutionException e) {
            answer.completeExceptionally(new UnknownHostException(host + ": too many names are being looked up"));
        }
        return answer;
    }

    @Override
    public void close() {
        threads.shutdownNow();
    }
}
