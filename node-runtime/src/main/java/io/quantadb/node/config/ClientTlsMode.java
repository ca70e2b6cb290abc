package io.quantadb.node.config;

/** Whether SQL clients use TLS. */
public enum ClientTlsMode {
    /** TLS requests are answered with no. */
    OFF,
    /** As the client asks. */
    ALLOW,
    /** Connections without TLS are refused. */
    REQUIRE
}
