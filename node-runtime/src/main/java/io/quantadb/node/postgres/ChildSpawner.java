package io.quantadb.node.postgres;

import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.LinkedBlockingQueue;

/**
 * Starts every child process of the agent from one platform thread that never ends.
 *
 * <p>Linux ties a parent-death signal to the <em>thread</em> that started the child: were a virtual thread's carrier or a
 * pooled thread to do it, PostgreSQL would be told to stop when that thread is retired (prctl(2), PR_SET_PDEATHSIG).
 */
final class ChildSpawner {
    private static final ChildSpawner INSTANCE = new ChildSpawner();

    private record Order(ProcessBuilder builder, CompletableFuture<Process> answer) {}

    private final LinkedBlockingQueue<Order> orders = new LinkedBlockingQueue<>(64);

    private ChildSpawner() {
        Thread.ofPlatform().daemon().name("postgres-spawner").start(this::serve);
    }

    /** Starts the child; throws {@link LocalFault} when the operating system cannot. Any thread. */
    static Process spawn(ProcessBuilder builder) {
        var answer = new CompletableFuture<Process>();
        try {
            INSTANCE.orders.put(new Order(builder, answer));
            return answer.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new LocalFault(
                    "interrupted while starting " + builder.command().getFirst(), e);
        } catch (ExecutionException e) {
            throw new LocalFault(
                    "cannot start %s: %s".formatted(builder.command().getFirst(), e.getCause()), e);
        }
    }

    private void serve() {
        while (true) {
            try {
                Order order = orders.take();
                try {
                    order.answer.complete(order.builder.start());
                } catch (IOException | RuntimeException e) {
                    order.answer.completeExceptionally(e);
                }
            } catch (InterruptedException e) {
                // Nobody stops this thread: PostgreSQL would be told that its agent is dead.
            }
        }
    }
}
