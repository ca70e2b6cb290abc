package io.quantadb.node.runtime;

import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Closes what was opened, last first, each whatever happens to the others. Used by one thread at a time. */
final class Closing {
    private static final Logger LOGGER = LoggerFactory.getLogger(Closing.class);

    private record Part(String name, AutoCloseable part) {}

    private final Deque<Part> parts = new ArrayDeque<>();

    synchronized void add(String name, AutoCloseable part) {
        parts.push(new Part(name, part));
    }

    synchronized void close() {
        while (!parts.isEmpty()) {
            Part next = parts.pop();
            try {
                next.part().close();
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (Exception e) {
                LOGGER.atWarn().addKeyValue("part", next.name()).setCause(e).log("could not be closed in order");
            }
        }
    }
}
