package io.quantadb.node.runtime;

import io.quantadb.node.common.NodeException.LocalFault;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.BooleanSupplier;

/**
 * Ends a wait for another node as soon as the epoch that it was asked for is over: that node serves another epoch by then,
 * or has been cut off, and says neither. Without it a member may wait for a dead source while the living one waits for this
 * member.
 *
 * <p>Any thread; closed by whoever made it.
 */
final class EpochWatch implements AutoCloseable {
    private static final Duration LOOK = Duration.ofMillis(100);

    private final CompletableFuture<Void> over = new CompletableFuture<>();
    private final Thread looks;

    /** @param wanted false once the epoch is over */
    EpochWatch(BooleanSupplier wanted) {
        looks = Thread.ofVirtual().name("quantadb-epoch-watch").start(() -> look(wanted));
    }

    private void look(BooleanSupplier wanted) {
        try {
            while (wanted.getAsBoolean()) {
                Thread.sleep(LOOK);
            }
            over.complete(null);
        } catch (InterruptedException e) {
            // Closed: nobody waits any more.
        }
    }

    boolean isOver() {
        return over.isDone();
    }

    /** Has this done once the epoch is over, on another thread; at once when it is. */
    void whenOver(Runnable then) {
        var _ = over.thenRunAsync(then);
    }

    /**
     * What is waited for; {@link LocalFault} when the epoch is over before.
     *
     * @throws ExecutionException its failure
     */
    <T> T await(CompletableFuture<T> answer, Duration within)
            throws InterruptedException, ExecutionException, TimeoutException {
        var _ = CompletableFuture.anyOf(answer, over).get(within.toMillis(), TimeUnit.MILLISECONDS);
        if (!answer.isDone()) {
            throw over();
        }
        return answer.get();
    }

    /** What to end with when it is over. */
    static LocalFault over() {
        return new LocalFault("the epoch that this was for is over");
    }

    @Override
    public void close() {
        looks.interrupt();
    }

    /** Returns once nothing looks any more, for tests. */
    void ended() throws InterruptedException {
        looks.join();
    }
}
