package io.quantadb.node.runtime;

import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * Says on disk that founding a cluster was permitted and has begun, from before the first byte of it until the disk has
 * its cluster id. An agent that was ended in between goes on without another permission, and meanwhile tells its peers
 * that it is founding. Starting thread only.
 */
final class FoundingMark {
    private final MarkFile file;

    FoundingMark(Path metadata) {
        this.file = new MarkFile(metadata.resolve("founding"));
    }

    /** The uid that the permission named; empty when none is being founded. */
    Optional<String> read() {
        return file.exists() ? Optional.of(String.join("", file.read()).strip()) : Optional.empty();
    }

    /** Durable when it returns. */
    void write(String uid) {
        file.write(List.of(uid));
    }

    void remove() {
        file.remove();
    }
}
