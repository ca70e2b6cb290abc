package io.quantadb.node.pgwire;

/** SQLSTATE codes that this project sends or reacts to. Source: PostgreSQL documentation, appendix A. */
public final class SqlState {
    public static final String SUCCESS = "00000";
    public static final String FEATURE_NOT_SUPPORTED = "0A000";
    public static final String CONNECTION_FAILURE = "08006";
    public static final String TRANSACTION_RESOLUTION_UNKNOWN = "08007";
    public static final String PROTOCOL_VIOLATION = "08P01";
    public static final String READ_ONLY_SQL_TRANSACTION = "25006";
    public static final String INVALID_AUTHORIZATION = "28000";
    public static final String INVALID_CATALOG_NAME = "3D000";
    public static final String SYNTAX_ERROR = "42601";
    public static final String UNDEFINED_OBJECT = "42704";
    public static final String DUPLICATE_OBJECT = "42710";
    public static final String TOO_MANY_CONNECTIONS = "53300";
    public static final String OBJECT_NOT_IN_PREREQUISITE_STATE = "55000";
    public static final String OBJECT_IN_USE = "55006";
    public static final String QUERY_CANCELED = "57014";
    public static final String ADMIN_SHUTDOWN = "57P01";
    public static final String CRASH_SHUTDOWN = "57P02";
    public static final String CANNOT_CONNECT_NOW = "57P03";
    public static final String UNDEFINED_FILE = "58P01";
    public static final String INTERNAL_ERROR = "XX000";
    public static final String CHARACTER_NOT_IN_REPERTOIRE = "22021";

    private SqlState() {}
}
