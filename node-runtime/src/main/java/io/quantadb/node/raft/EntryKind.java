package io.quantadb.node.raft;

/** What an entry of the Raft log means; the code is on the wire and on disk. */
public enum EntryKind {
    /** The entry with which a leader opens its term (Raft §8). */
    NOOP(0),
    /** A command of the state machine. */
    COMMAND(1),
    /** A new membership, in force from the moment it is appended (thesis §4.1). */
    MEMBERSHIP(2);

    private final byte code;

    EntryKind(int code) {
        this.code = (byte) code;
    }

    public byte code() {
        return code;
    }

    /** Throws {@link IllegalArgumentException} for a code that this release does not know. */
    public static EntryKind of(byte code) {
        return switch (code) {
            case 0 -> NOOP;
            case 1 -> COMMAND;
            case 2 -> MEMBERSHIP;
            default -> throw new IllegalArgumentException("entry kind %d is not known to this release".formatted(code));
        };
    }
}
