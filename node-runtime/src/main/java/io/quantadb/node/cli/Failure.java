package io.quantadb.node.cli;

import org.jspecify.annotations.Nullable;

/** A command cannot go on: one message of what, where and what to do, and the exit code of its kind. */
public final class Failure extends RuntimeException {
    private final ExitCode code;
    private final String advice;

    /**
     * @param what what is wrong and where, without a full stop
     * @param advice what to do, without a full stop; may be empty
     */
    public Failure(ExitCode code, String what, String advice) {
        this(code, what, advice, null);
    }

    public Failure(ExitCode code, String what, String advice, @Nullable Throwable cause) {
        super(what, cause);
        this.code = code;
        this.advice = advice;
    }

    public ExitCode code() {
        return code;
    }

    /** The line for people. */
    public String line() {
        return "quantadb: " + words();
    }

    /** The same for a log, where everything is this program's. */
    public String words() {
        String what = String.valueOf(getMessage());
        return advice.isEmpty() ? what : what + "; " + advice;
    }
}
