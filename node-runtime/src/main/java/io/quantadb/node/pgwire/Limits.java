package io.quantadb.node.pgwire;

/**
 * How much of one peer's message is believed and held.
 *
 * @param maxFrameBytes greatest length word of a typed message; a longer one is a protocol violation
 * @param wholeFrameBytes greatest message (tag and length word included) that is collected before it is handed on; a
 *     longer one is handed on in pieces as it arrives, so no more than this is ever held for one connection
 */
public record Limits(int maxFrameBytes, int wholeFrameBytes) {
    /** PostgreSQL's own bound for a message: one byte less than 1 GiB. */
    public static final int POSTGRES_MAX_FRAME_BYTES = 0x3fff_ffff;

    /** What a connection before authentication may send in one typed message (passwords, SASL). */
    public static final Limits BEFORE_AUTHENTICATION = new Limits(65_536, 65_541);

    /** A session in full flow: big rows and COPY data pass in pieces. */
    public static final Limits SESSION = new Limits(POSTGRES_MAX_FRAME_BYTES, 32 * 1024);

    /** A physical replication stream: PostgreSQL sends at most 128 KiB of WAL in one message. */
    public static final Limits REPLICATION = new Limits(1 << 20, (1 << 20) + 1);

    public Limits {
        if (maxFrameBytes < 4) {
            throw new IllegalArgumentException("maxFrameBytes=%d must be at least 4".formatted(maxFrameBytes));
        }
        if (wholeFrameBytes < 5) {
            throw new IllegalArgumentException("wholeFrameBytes=%d must be at least 5".formatted(wholeFrameBytes));
        }
    }
}
