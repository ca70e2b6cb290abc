package io.quantadb.node.runtime;

import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.Failure;
import io.quantadb.node.common.NodeException;
import java.io.IOException;
import java.util.function.Supplier;

/** Gives each step of a start the exit code of its kind; the words come from where it failed. */
final class Steps {
    private Steps() {}

    interface IoStep {
        void run() throws IOException;
    }

    static <T> T at(ExitCode code, Supplier<T> step) {
        try {
            return step.get();
        } catch (NodeException | IllegalArgumentException e) {
            throw new Failure(code, String.valueOf(e.getMessage()), "", e);
        }
    }

    static void run(ExitCode code, Runnable step) {
        var _ = at(code, () -> {
            step.run();
            return true;
        });
    }

    /** @param advice what to do, for words that do not say it themselves */
    static void run(ExitCode code, String advice, Runnable step) {
        try {
            step.run();
        } catch (NodeException e) {
            throw new Failure(code, String.valueOf(e.getMessage()), advice, e);
        }
    }

    /** Making a PostgreSQL cluster: what the disk has no room for is no fault of PostgreSQL's. */
    static void creating(Runnable step) {
        try {
            step.run();
        } catch (NodeException e) {
            String words = String.valueOf(e.getMessage());
            boolean full = words.contains("the disk is full");
            throw new Failure(
                    full ? ExitCode.DATA_DIRECTORY : ExitCode.POSTGRES,
                    words,
                    full ? "make room, or choose another folder with --data, then start the node again" : "",
                    e);
        }
    }

    static void io(ExitCode code, IoStep step) {
        try {
            step.run();
        } catch (IOException e) {
            throw new Failure(code, e.getClass().getSimpleName() + ": " + e.getMessage(), "", e);
        } catch (NodeException e) {
            throw new Failure(code, String.valueOf(e.getMessage()), "", e);
        }
    }
}
