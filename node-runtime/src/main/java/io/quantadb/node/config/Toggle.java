package io.quantadb.node.config;

/** A setting that is on or off. */
public enum Toggle {
    ON,
    OFF
}
