package io.quantadb.node.verify;

import io.quantadb.node.common.NodeId;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/** One node's part in the comparison of one table: its reader, what was found there, and whether it goes on. One thread. */
final class Side {
    private static final Duration FIRST_PAUSE = Duration.ofMillis(50);

    private final NodeReader reader;
    private final Limits limits;
    private final Pauses time;
    private final List<Finding> findings = new ArrayList<>();
    private final List<String> open = new ArrayList<>();
    private boolean over;

    Side(NodeReader reader, Limits limits, Pauses time) {
        this.reader = reader;
        this.limits = limits;
        this.time = time;
    }

    NodeReader reader() {
        return reader;
    }

    NodeId node() {
        return reader.node();
    }

    /** Whether the rest of the table is not looked at on this node. */
    boolean over() {
        return over;
    }

    void found(Finding finding) {
        findings.add(finding);
        if (findings.size() >= limits.findingsMax()) {
            giveUp("%d ranges differ; the rest of the table was not looked at".formatted(findings.size()));
        }
    }

    void leaveOpen(String words) {
        open.add(words);
        if (open.size() >= limits.findingsMax()) {
            over = true;
        }
    }

    void giveUp(String words) {
        open.add(words);
        over = true;
    }

    NodeResult result() {
        return new NodeResult(findings, open);
    }

    /** Reads, again a few times while what is in the way may pass. */
    <T> T patiently(Supplier<T> read) {
        Duration pause = FIRST_PAUSE;
        for (int attempt = 1; ; attempt++) {
            try {
                return read.get();
            } catch (ReadFailure.Passing e) {
                if (attempt >= limits.tries()) {
                    throw e;
                }
                time.sleep(pause);
                pause = pause.multipliedBy(2);
            }
        }
    }

    Digest digest(TableRef table, BlockRange range) {
        return patiently(() -> reader.digest(table, range));
    }

    Reading rows(TableRef table, BlockRange range) {
        return patiently(() -> reader.rows(table, range));
    }
}
