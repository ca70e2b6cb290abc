package io.quantadb.node.postgres;

import io.quantadb.node.common.IoReason;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/**
 * Roles, databases and subscriptions of a data directory on which no server runs, read from the files of the shared
 * catalogs without changing anything. After a crash they are as of the last checkpoint: what only the WAL holds is
 * missing. Pure but for reading; any thread.
 *
 * <pre>
 * global/pg_filenode.map: int32 magic, int32 count, count * (int32 relation, int32 file number)
 * page (8 KiB):  24 bytes of header (lower bound of free space at 12), then int32 line pointers, tuples from the end
 * line pointer:  15 bits offset, 2 bits state (1 is in use), 15 bits length
 * tuple:         0 int32 xmin, 4 int32 xmax, 20 int16 infomask, 22 int8 header length, 23 bitmap of nulls, then the row
 * </pre>
 *
 * <p>Source: PostgreSQL documentation, "Database Page Layout"; the rows are those of versions 15 to 18, which are alike
 * as far as they are read here.
 */
public record SharedCatalogs(List<Role> roles, List<Database> databases, List<Subscription> subscriptions) {
    private static final int AUTHID = 1260;
    private static final int DATABASE = 1262;
    private static final int SUBSCRIPTION = 6100;

    private static final int MAP_MAGIC = 0x592717;
    private static final int MAP_MAGIC_16 = 0x592718;
    private static final int MAPPINGS_MAX = 64;

    private static final int PAGE_BYTES = 8192;
    private static final int PAGE_HEADER = 24;
    private static final int NAME_BYTES = 64;

    private static final int HAS_NULLS = 0x0001;
    private static final int LOCK_ONLY = 0x0080;
    private static final int XMIN_COMMITTED = 0x0100;
    private static final int XMIN_INVALID = 0x0200;
    private static final int XMAX_COMMITTED = 0x0400;
    private static final int XMAX_INVALID = 0x0800;
    private static final int XMAX_IS_MULTI = 0x1000;

    private static final int XIDS_PER_SEGMENT = 32 * PAGE_BYTES * 4;

    /** How a role proves who it is. */
    public enum Password {
        NONE,
        MD5,
        SCRAM
    }

    public record Role(String name, boolean superuser, boolean login, Password password) {}

    public record Database(String name, boolean template, boolean takesConnections) {}

    public record Subscription(String name, boolean enabled) {}

    public SharedCatalogs {
        roles = List.copyOf(roles);
        databases = List.copyOf(databases);
        subscriptions = List.copyOf(subscriptions);
    }

    /** {@link LocalFault} when a file is missing or is not laid out as expected. */
    public static SharedCatalogs read(Path dataDirectory) {
        List<Role> roles = new ArrayList<>();
        List<Database> databases = new ArrayList<>();
        List<Subscription> subscriptions = new ArrayList<>();
        try {
            Map<Integer, Integer> files = mappedFiles(dataDirectory);
            scan(dataDirectory, files, AUTHID, (row, nulls) -> roles.add(role(row, nulls)));
            scan(
                    dataDirectory,
                    files,
                    DATABASE,
                    (row, nulls) -> databases.add(new Database(name(row, 4), row.get(77) != 0, row.get(78) != 0)));
            scan(
                    dataDirectory,
                    files,
                    SUBSCRIPTION,
                    (row, nulls) -> subscriptions.add(new Subscription(name(row, 16), row.get(84) != 0)));
        } catch (IOException e) {
            throw new LocalFault(
                    "the catalogs in %s cannot be read: %s".formatted(dataDirectory.resolve("global"), IoReason.of(e)),
                    e);
        } catch (IndexOutOfBoundsException e) {
            throw new LocalFault(
                    "the catalogs in %s are not laid out as those of PostgreSQL 15 to 18"
                            .formatted(dataDirectory.resolve("global")),
                    e);
        }
        return new SharedCatalogs(roles, databases, subscriptions);
    }

    /** oid, name, seven flags, connection limit, password, valid until. */
    private static Role role(ByteBuffer row, boolean[] nulls) {
        boolean withoutPassword = nulls.length > 10 && nulls[10];
        return new Role(
                name(row, 4),
                row.get(68) != 0,
                row.get(72) != 0,
                withoutPassword ? Password.NONE : text(row, 80).startsWith("md5") ? Password.MD5 : Password.SCRAM);
    }

    private static Map<Integer, Integer> mappedFiles(Path dataDirectory) throws IOException {
        ByteBuffer map =
                littleEndian(Files.readAllBytes(dataDirectory.resolve("global").resolve("pg_filenode.map")));
        int magic = map.getInt(0);
        int count = map.getInt(4);
        if ((magic != MAP_MAGIC && magic != MAP_MAGIC_16) || count < 0 || count > MAPPINGS_MAX) {
            throw new LocalFault("%s is of a layout that is not known"
                    .formatted(dataDirectory.resolve("global").resolve("pg_filenode.map")));
        }
        Map<Integer, Integer> files = new HashMap<>();
        for (int i = 0; i < count; i++) {
            files.put(map.getInt(8 + 8 * i), map.getInt(12 + 8 * i));
        }
        return files;
    }

    private static void scan(
            Path dataDirectory, Map<Integer, Integer> files, int relation, BiConsumer<ByteBuffer, boolean[]> onRow)
            throws IOException {
        Integer number = files.get(relation);
        if (number == null) {
            throw new LocalFault("catalog %d has no file in %s".formatted(relation, dataDirectory.resolve("global")));
        }
        // Below the size at which PostgreSQL begins another file: a gigabyte of roles would be many.
        byte[] whole = Files.readAllBytes(dataDirectory.resolve("global").resolve(Integer.toUnsignedString(number)));
        for (int page = 0; page + PAGE_BYTES <= whole.length; page += PAGE_BYTES) {
            scanPage(dataDirectory, littleEndian(whole).slice(page, PAGE_BYTES).order(ByteOrder.LITTLE_ENDIAN), onRow);
        }
    }

    private static void scanPage(Path dataDirectory, ByteBuffer page, BiConsumer<ByteBuffer, boolean[]> onRow)
            throws IOException {
        int lower = page.getShort(12) & 0xFFFF;
        for (int at = PAGE_HEADER; at + 4 <= lower; at += 4) {
            int pointer = page.getInt(at);
            if (((pointer >>> 15) & 3) != 1) {
                continue;
            }
            ByteBuffer tuple = page.slice(pointer & 0x7FFF, pointer >>> 17).order(ByteOrder.LITTLE_ENDIAN);
            if (isLive(dataDirectory, tuple)) {
                int header = tuple.get(22) & 0xFF;
                onRow.accept(tuple.slice(header, tuple.limit() - header).order(ByteOrder.LITTLE_ENDIAN), nulls(tuple));
            }
        }
    }

    /** By attribute; shorter than the row where the rest is not null. */
    private static boolean[] nulls(ByteBuffer tuple) {
        boolean[] out = new boolean[(tuple.getShort(20) & HAS_NULLS) == 0 ? 0 : tuple.getShort(18) & 0x07FF];
        for (int i = 0; i < out.length; i++) {
            out[i] = ((tuple.get(23 + i / 8) >> (i % 8)) & 1) == 0;
        }
        return out;
    }

    /** Written by a transaction that committed, and not removed by one. Where that is in doubt, it is there. */
    private static boolean isLive(Path dataDirectory, ByteBuffer tuple) throws IOException {
        int mask = tuple.getShort(20);
        boolean written = (mask & XMIN_COMMITTED) != 0
                || ((mask & XMIN_INVALID) == 0 && committed(dataDirectory, tuple.getInt(0)));
        if (!written) {
            return false;
        }
        int remover = tuple.getInt(4);
        boolean kept = remover == 0 || (mask & (XMAX_INVALID | LOCK_ONLY | XMAX_IS_MULTI)) != 0;
        return kept || ((mask & XMAX_COMMITTED) == 0 && !committed(dataDirectory, remover));
    }

    /** Two bits for each transaction in pg_xact; what is too old to be there was committed. */
    private static boolean committed(Path dataDirectory, int transaction) throws IOException {
        long number = Integer.toUnsignedLong(transaction);
        if (number < 3) {
            return true;
        }
        Path segment = dataDirectory.resolve("pg_xact").resolve("%04X".formatted(number / XIDS_PER_SEGMENT));
        if (!Files.exists(segment)) {
            return true;
        }
        byte[] states = Files.readAllBytes(segment);
        int within = (int) (number % XIDS_PER_SEGMENT);
        return within / 4 < states.length && ((states[within / 4] >> (within % 4 * 2)) & 3) == 1;
    }

    private static String name(ByteBuffer row, int at) {
        int bytes = 0;
        while (bytes < NAME_BYTES && row.get(at + bytes) != 0) {
            bytes++;
        }
        return utf8(row, at, bytes);
    }

    /** A short value has a header of one byte, whose lowest bit is set; a longer one of four. */
    private static String text(ByteBuffer row, int at) {
        int first = row.get(at) & 0xFF;
        return (first & 1) == 1 ? utf8(row, at + 1, (first >>> 1) - 1) : utf8(row, at + 4, (row.getInt(at) >>> 2) - 4);
    }

    private static String utf8(ByteBuffer row, int at, int bytes) {
        byte[] out = new byte[Math.max(0, bytes)];
        row.get(at, out);
        return new String(out, StandardCharsets.UTF_8);
    }

    private static ByteBuffer littleEndian(byte[] bytes) {
        return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
