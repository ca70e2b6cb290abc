package io.quantadb.node.pgwire;

/** Message types by direction. Source: PostgreSQL documentation, "Message Formats". */
public final class Tag {
    /** Sent by the client. */
    public static final char QUERY = 'Q';

    public static final char PASSWORD = 'p';
    public static final char TERMINATE = 'X';
    public static final char PARSE = 'P';
    public static final char BIND = 'B';
    public static final char EXECUTE = 'E';
    public static final char DESCRIBE = 'D';
    public static final char CLOSE = 'C';
    public static final char FLUSH = 'H';
    public static final char SYNC = 'S';
    public static final char FUNCTION_CALL = 'F';
    public static final char COPY_FAIL = 'f';

    /** Sent by both. */
    public static final char COPY_DATA = 'd';

    public static final char COPY_DONE = 'c';

    /** Sent by the server. */
    public static final char AUTHENTICATION = 'R';

    public static final char PARAMETER_STATUS = 'S';
    public static final char BACKEND_KEY_DATA = 'K';
    public static final char READY_FOR_QUERY = 'Z';
    public static final char ERROR_RESPONSE = 'E';
    public static final char NOTICE_RESPONSE = 'N';
    public static final char NOTIFICATION_RESPONSE = 'A';
    public static final char ROW_DESCRIPTION = 'T';
    public static final char DATA_ROW = 'D';
    public static final char COMMAND_COMPLETE = 'C';
    public static final char EMPTY_QUERY_RESPONSE = 'I';
    public static final char COPY_IN_RESPONSE = 'G';
    public static final char COPY_OUT_RESPONSE = 'H';
    public static final char COPY_BOTH_RESPONSE = 'W';
    public static final char NEGOTIATE_PROTOCOL_VERSION = 'v';

    private Tag() {}

    /** Letters and digits: all that the protocol has ever used, so anything else is noise or another protocol. */
    static boolean isPlausible(char tag) {
        return (tag >= 'A' && tag <= 'Z') || (tag >= 'a' && tag <= 'z') || (tag >= '1' && tag <= '9');
    }
}
