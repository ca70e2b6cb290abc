package io.quantadb.node.wal;

import io.quantadb.node.common.IoReason;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32C;

/**
 * What {@code global/pg_control} says of a data directory. Reads the versions 1300 (PostgreSQL 13 to 16), 1700 (17) and
 * 1800 (18), written on a little-endian machine of 8-byte alignment (all that PostgreSQL runs on in practice).
 *
 * <pre>
 *   0 int64 system identifier        32 int64 checkpoint           136 int64 minimum recovery end
 *   8 int32 control version          40 int64 redo                 144 int32 its timeline
 *  12 int32 catalog version          48 int32 timeline             152 int64 backup start
 *  16 int32 state                    52 int32 previous timeline    160 int64 backup end, 168 int8 end required
 *  24 int64 time                     224 int32 WAL page, 228 int32 WAL segment
 * 252 int32 data checksums         288 (from 18 on: 292) int32 CRC-32C of all before
 * </pre>
 *
 * @param versionNumber of the control file's layout
 * @param catalogVersion tells the major version apart (see {@link #majorVersion})
 * @param checkpointTimeline timeline of the last checkpoint
 * @param minRecovery how far replay must get before the data is consistent; none outside recovery
 * @param minRecoveryTimeline the timeline of {@code minRecovery}, or 0
 * @param backupStart set while the directory is a base backup that has not reached consistency
 */
public record ControlFile(
        int versionNumber,
        int catalogVersion,
        long systemIdentifier,
        State state,
        Lsn checkpoint,
        Lsn redo,
        int checkpointTimeline,
        Lsn minRecovery,
        int minRecoveryTimeline,
        Lsn backupStart,
        int walSegmentBytes,
        int walBlockBytes,
        boolean dataChecksums) {
    private static final int MAX_BYTES = 296;

    /** In PostgreSQL's order. */
    public enum State {
        STARTUP,
        SHUTDOWNED,
        SHUTDOWNED_IN_RECOVERY,
        SHUTDOWNING,
        IN_CRASH_RECOVERY,
        IN_ARCHIVE_RECOVERY,
        IN_PRODUCTION
    }

    /** Reads {@code dataDirectory/global/pg_control}; {@link LocalFault} when it is missing, damaged or not known. */
    public static ControlFile read(Path dataDirectory) {
        Path file = dataDirectory.resolve("global").resolve("pg_control");
        try (InputStream in = Files.newInputStream(file)) {
            return parse(file, in.readNBytes(MAX_BYTES));
        } catch (IOException e) {
            throw new LocalFault("%s cannot be read: %s".formatted(file, IoReason.of(e)), e);
        }
    }

    private static ControlFile parse(Path file, byte[] bytes) {
        if (bytes.length < MAX_BYTES) {
            throw new LocalFault("%s has only %d bytes".formatted(file, bytes.length));
        }
        ByteBuffer in = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int version = in.getInt(8);
        int crcOffset = switch (version) {
            case 1300, 1700 -> 288;
            case 1800 -> 292;
            default ->
                throw new LocalFault("%s has layout version %d; known are 1300 (PostgreSQL 15, 16), 1700 and 1800"
                        .formatted(file, version));
        };
        CRC32C crc = new CRC32C();
        crc.update(bytes, 0, crcOffset);
        if ((int) crc.getValue() != in.getInt(crcOffset)) {
            throw new LocalFault("%s is damaged: its checksum is wrong".formatted(file));
        }
        int state = in.getInt(16);
        int segmentBytes = in.getInt(228);
        int blockBytes = in.getInt(224);
        if (state < 0 || state >= State.values().length) {
            throw new LocalFault("%s is in a state %d that is not known".formatted(file, state));
        }
        if (segmentBytes < 1 << 20
                || segmentBytes > 1 << 30
                || Integer.bitCount(segmentBytes) != 1
                || blockBytes < 1024
                || blockBytes > 65_536
                || Integer.bitCount(blockBytes) != 1) {
            throw new LocalFault(
                    "%s has WAL segments of %d and pages of %d bytes".formatted(file, segmentBytes, blockBytes));
        }
        return new ControlFile(
                version,
                in.getInt(12),
                in.getLong(0),
                State.values()[state],
                new Lsn(in.getLong(32)),
                new Lsn(in.getLong(40)),
                in.getInt(48),
                new Lsn(in.getLong(136)),
                in.getInt(144),
                new Lsn(in.getLong(152)),
                segmentBytes,
                blockBytes,
                in.getInt(252) != 0);
    }

    /** 15 to 18, from the catalog version; 0 for a catalog that no release has. */
    public int majorVersion() {
        return switch (catalogVersion) {
            case 202209061 -> 15;
            case 202307071 -> 16;
            case 202406281 -> 17;
            case 202506291 -> 18;
            default -> 0;
        };
    }

    /** The server was stopped in order: nothing follows the checkpoint. */
    public boolean cleanlyShutDown() {
        return state == State.SHUTDOWNED || state == State.SHUTDOWNED_IN_RECOVERY;
    }
}
