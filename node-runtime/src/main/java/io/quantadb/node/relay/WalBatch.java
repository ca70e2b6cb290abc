package io.quantadb.node.relay;

/**
 * When WAL that was written to a member's stream goes out: at once where commits wait for the member; else once {@code
 * batch_size} messages have come together or {@code flush_interval} is over since the first of them. (Beside that a full
 * {@link Link} buffer goes out by itself.) Confined to the relay's loop.
 */
final class WalBatch {
    private final int messagesMax;
    private final long intervalMs;
    private final RelayContext context;
    private final Runnable flush;
    private int messages;
    private boolean scheduled;

    WalBatch(RelayContext context, Runnable flush) {
        this.context = context;
        this.messagesMax = context.config().batchMessages();
        this.intervalMs = Math.max(1, context.config().flushInterval().toMillis());
        this.flush = flush;
    }

    void added() {
        messages++;
    }

    /** No more comes at the moment. */
    void ended(boolean awaited) {
        if (messages == 0 || awaited || messages >= messagesMax) {
            goes();
        } else if (!scheduled) {
            scheduled = true;
            context.after(intervalMs, () -> {
                scheduled = false;
                if (messages > 0) {
                    goes();
                }
            });
        }
    }

    private void goes() {
        messages = 0;
        flush.run();
    }
}
