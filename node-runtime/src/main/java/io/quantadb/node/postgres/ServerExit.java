package io.quantadb.node.postgres;

/**
 * How the postmaster ended.
 *
 * @param pid the postmaster's
 * @param exitCode 0 after a stop in order, 128 + n when signal n ended it
 * @param asked whether the agent was stopping it
 */
public record ServerExit(long pid, int exitCode, boolean asked) {
    /** For people: {@code ended by signal 9}. */
    public String how() {
        return exitCode > 128 && exitCode < 128 + 65
                ? "ended by signal " + (exitCode - 128)
                : "ended with exit code " + exitCode;
    }
}
