package io.quantadb.node.wal;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException.Indeterminate;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import io.quantadb.node.pgwire.CopyOut;
import io.quantadb.node.pgwire.PgConnection;
import io.quantadb.node.pgwire.PgError;
import io.quantadb.node.pgwire.QueryResult;
import io.quantadb.node.pgwire.SqlState;
import io.quantadb.node.wal.BaseBackupRequest.Progress;
import java.time.Duration;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Copies a running server's data directory through its replication protocol, with the WAL that the copy needs.
 *
 * <p>The copy is that of PostgreSQL 15 and later: configuration files inside the data directory come along, as does
 * {@code standby.signal} when the source is a standby; {@code backup_label} makes the first start replay from where the
 * copy began. A source with tablespaces is refused before a file is copied, since their places on this machine are
 * nobody's to guess.
 *
 * <p>Blocks; runs on the caller's thread, which must be the only user of the connection.
 */
public final class BaseBackupClient {
    /** The server finishes a checkpoint before it says anything: this is not a stall yet. */
    private static final Duration CHECKPOINT_WAIT = Duration.ofMinutes(10);

    private BaseBackupClient() {}

    /** What was copied: replay must start at {@code start} and get to {@code end} on {@code timeline}. */
    public record Result(int timeline, Lsn start, Lsn end, long bytes) {}

    /**
     * Copies into {@code request.target()}; all is durable when this returns. When it throws, whatever was written stays,
     * with the marker of {@link CloneMarker} in it, for the caller to remove.
     *
     * @param connection a replication session ({@code replication=true}) of the server to copy; stays open unless the
     *     copy broke off
     * @throws LocalFault when the target is not empty, the disk fails, or the source has tablespaces
     * @throws PgError when the server refuses
     * @throws Indeterminate when the connection broke or the server was silent for longer than {@code request.stall()}
     */
    public static Result clone(PgConnection connection, BaseBackupRequest request) {
        CloneTarget target = new CloneTarget(request.target(), request.owner());
        target.prepare();
        Duration first = request.patience().compareTo(CHECKPOINT_WAIT) > 0 ? request.patience() : CHECKPOINT_WAIT;
        CopyOut copy = connection.copyOut(command(request), first);
        try {
            return receive(copy, request, target);
        } catch (RuntimeException e) {
            // The server goes on sending: the session is of no use to anybody.
            connection.close();
            throw e;
        }
    }

    /** MAX_RATE is in kB a second; the server limits the WAL at the end too. */
    static String command(BaseBackupRequest request) {
        String limit = request.bytesPerSecond() == 0 ? "" : ", MAX_RATE " + (request.bytesPerSecond() >> 10);
        return "BASE_BACKUP (LABEL '%s', PROGRESS true, CHECKPOINT 'fast', WAL true, MANIFEST 'no', TABLESPACE_MAP true%s)"
                .formatted(request.label(), limit);
    }

    private static Result receive(CopyOut copy, BaseBackupRequest request, CloneTarget target) {
        if (copy.before().size() < 2) {
            throw new ProtocolViolation(SqlState.PROTOCOL_VIOLATION, "a base backup began without its position");
        }
        QueryResult begin = copy.before().get(0);
        long totalBytes = totalBytes(copy.before().get(1));
        ArchiveStream archives = new ArchiveStream(
                copy,
                request.patience(),
                doneBytes -> request.onProgress().accept(new Progress(doneBytes, Math.max(totalBytes, doneBytes))));
        long bytes = 0;
        for (ArchiveStream.Archive next = archives.nextArchive(); next != null; next = archives.nextArchive()) {
            if (!next.tablespace().isEmpty() || !next.name().equals("base.tar")) {
                throw tablespaces(next.tablespace().isEmpty() ? next.name() : next.tablespace());
            }
            bytes += target.unpack(archives);
        }
        List<QueryResult> after = copy.finish(request.patience());
        if (after.isEmpty() || after.getFirst().rows().isEmpty()) {
            throw new ProtocolViolation(SqlState.PROTOCOL_VIOLATION, "a base backup ended without its position");
        }
        Result result = new Result(
                Integer.parseInt(after.getFirst().rows().getFirst().get(1)),
                Lsn.parse(begin.single()),
                Lsn.parse(after.getFirst().single()),
                bytes);
        ControlFile.read(request.target());
        target.complete();
        return result;
    }

    /** One row for each tablespace; that of the data directory has no oid. Sizes are in units of 1024 bytes. */
    private static long totalBytes(QueryResult tablespaces) {
        long kilobytes = 0;
        for (List<@Nullable String> row : tablespaces.rows()) {
            if (row.get(0) != null) {
                throw tablespaces(String.valueOf(row.get(1)));
            }
            String size = row.get(2);
            kilobytes += size == null ? 0 : Long.parseLong(size);
        }
        return kilobytes * 1024;
    }

    private static LocalFault tablespaces(String where) {
        return new LocalFault(
                "the server to clone has a tablespace at %s; nodes with tablespaces cannot be cloned yet: move its contents into the data directory (ALTER ... SET TABLESPACE pg_default) and drop it"
                        .formatted(where));
    }
}
