package io.quantadb.node.config;

/** How much is logged; {@code debug} also prints stack traces. */
public enum LogLevel {
    DEBUG,
    INFO,
    WARN,
    ERROR
}
