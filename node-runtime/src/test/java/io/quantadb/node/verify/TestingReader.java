package io.quantadb.node.verify;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/** A node of a test, with one table in memory. What is asked of it can be made to fail, or to change something. */
final class TestingReader implements NodeReader {
    final TreeMap<RowPlace, RowVersion> rows = new TreeMap<>();
    final Set<Long> brokenBlocks = new HashSet<>();
    final Deque<ReadFailure> failures = new ArrayDeque<>();
    final NodeId node;
    Lsn written = new Lsn(1000);
    Lsn flushed = new Lsn(1000);
    Lsn replayed = new Lsn(1000);
    Runnable afterRead = () -> {};
    int digests;
    int readings;

    TestingReader(String node) {
        this.node = new NodeId(node);
    }

    /** One row in each of the blocks from 0 on, alike on every node that is made so. */
    TestingReader withRows(int count) {
        for (int block = 0; block < count; block++) {
            put(block, 31L * block);
        }
        return this;
    }

    void put(long block, long hash) {
        RowVersion row = new RowVersion(block, 1, 100, hash);
        rows.put(row.place(), row);
    }

    @Override
    public NodeId node() {
        return node;
    }

    @Override
    public List<TableRef> tables() {
        throw new UnsupportedOperationException("a table's comparison lists no tables");
    }

    private Stream<RowVersion> in(BlockRange range) {
        ReadFailure failure = failures.poll();
        if (failure != null) {
            throw failure;
        }
        for (long broken : brokenBlocks) {
            if (broken >= range.from() && (range.open() || broken < range.to())) {
                throw new ReadFailure.Damaged(node, "invalid page in block " + broken, new IllegalStateException());
            }
        }
        return rows.values().stream()
                .filter(row -> row.block() >= range.from() && (range.open() || row.block() < range.to()));
    }

    @Override
    public Digest digest(TableRef table, BlockRange range) {
        digests++;
        List<RowVersion> there = in(range).toList();
        afterRead.run();
        return new Digest(
                there.size(), there.stream().mapToLong(RowVersion::hash).sum(), 10L * there.size());
    }

    @Override
    public Reading rows(TableRef table, BlockRange range) {
        readings++;
        Map<RowVersion, Boolean> out = new HashMap<>();
        in(range).forEach(row -> out.put(row, true));
        afterRead.run();
        return new Reading(out, 500, 500);
    }

    @Override
    public Lsn written() {
        return written;
    }

    @Override
    public Lsn flushed() {
        return flushed;
    }

    @Override
    public Duration flushDelay() {
        return Duration.ofSeconds(1);
    }

    @Override
    public Lsn replayed() {
        return replayed;
    }

    @Override
    public void close() {}
}
