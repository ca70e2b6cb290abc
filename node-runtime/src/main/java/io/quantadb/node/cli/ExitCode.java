package io.quantadb.node.cli;

/** What the process's exit status says, by the kind of error; documented in docs/reference/exit-codes.md. */
public enum ExitCode {
    OK(0, "all went well"),
    INTERNAL(1, "a fault of the program itself; run again with --log-level debug and report it"),
    CONFIG(2, "an unknown or malformed flag, key or value"),
    PORT(3, "a port is taken or may not be used"),
    CERTIFICATE(4, "a certificate is missing, expired, unreadable or of another cluster"),
    DATA_DIRECTORY(5, "a data directory cannot be written, is full, is in use, or belongs to another cluster"),
    POSTGRES(6, "PostgreSQL is missing, of a wrong version, or does not start"),
    PEERS(7, "a node in no cluster yet reached nobody who could take it in, or was refused"),
    IDENTITY(8, "another node already uses this node id"),
    TIMEOUT(9, "what was asked did not happen before its deadline"),
    NOT_RUNNING(10, "there is nothing running that could answer"),
    LAUNCHER(11, "bin/quantadb found no JDK 25, or the program is not built"),
    REFUSED(12, "what was asked was refused, with the reason, and nothing was changed"),
    DIFFERENT(13, "quantadb verify: nodes hold different data, or cannot read theirs"),
    INCOMPLETE(14, "quantadb verify: nothing differs in what could be compared, which was not everything"),
    ABORTED(15, "what was asked was begun and given up; the message says how things are now");

    private final int status;
    private final String meaning;

    ExitCode(int status, String meaning) {
        this.status = status;
        this.meaning = meaning;
    }

    public int status() {
        return status;
    }

    public String meaning() {
        return meaning;
    }

    /** The table of docs/reference/exit-codes.md. */
    static String markdown() {
        StringBuilder page = new StringBuilder("""
                # Exit codes

                Generated from `io.quantadb.node.cli.ExitCode`; a test compares. A command or a start that fails prints one
                message on standard error: what is wrong, where, and what to do. A node that has to end while it runs says it
                in its log, as an ERROR, and ends with the same codes. Stack traces appear with `--log-level debug` only.

                | Status | Kind | Meaning |
                |---|---|---|
                """);
        for (ExitCode code : values()) {
            page.append("| %d | %s | %s |\n"
                    .formatted(
                            code.status,
                            code.name().toLowerCase(java.util.Locale.ROOT).replace('_', ' '),
                            code.meaning));
        }
        return page.append("""

                        A node that belongs to a cluster keeps trying to reach the others for ever, whatever becomes of them.
                        One that belongs to none yet ends when it is certain that trying is in vain: with 4 as soon as every
                        address it was told to join through (when it forms a cluster, any of `cluster.peers`) and it do not
                        accept each other's certificates, with 8 when its id is in use, and with 7 (or 4, when a certificate
                        was the reason of one) when no member has answered for `cluster.join_timeout`. It leaves nothing on
                        the disk then, unless a leader has heard of it and not refused it.
                        """).toString();
    }
}
