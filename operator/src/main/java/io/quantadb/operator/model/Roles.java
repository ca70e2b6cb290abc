package io.quantadb.operator.model;

import java.util.Locale;

/** The words of the role label. */
public final class Roles {
    public static final String PRIMARY = "primary";
    public static final String REPLICA = "replica";

    /** Follows nobody yet: neither reads nor writes are to be sent there. */
    public static final String STANDBY = "standby";

    private Roles() {}

    /** The label for what a node says that it is; empty when it says nothing that one can go by. */
    static String label(String said) {
        return switch (said.toUpperCase(Locale.ROOT)) {
            case "PRIMARY" -> PRIMARY;
            case "REPLICA" -> REPLICA;
            case "STANDBY" -> STANDBY;
            default -> "";
        };
    }
}
