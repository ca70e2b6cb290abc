package io.quantadb.node.pgwire;

/** The server answered with an ErrorResponse: it said no, in its own words. The connection remains usable unless FATAL. */
public final class PgError extends RuntimeException {
    private final transient ServerReport report;

    public PgError(ServerReport report) {
        super("%s %s: %s".formatted(report.severity(), report.code(), report.message()));
        this.report = report;
    }

    public ServerReport report() {
        return report;
    }

    /** Five characters; see {@link SqlState}. */
    public String sqlState() {
        return report.code();
    }
}
