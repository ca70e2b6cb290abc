package io.quantadb.node.config;

import java.util.Locale;

/**
 * One setting as users know it.
 *
 * @param path its place in the JSON file, with dots
 * @param kind how its text is read
 * @param fallback the default's text; empty when there is none, and then {@code absent} tells what happens
 * @param absent what the setting is when nothing sets it and it has no fixed default
 * @param bounds the values allowed, in words
 * @param meaning what it is for, one sentence without a full stop
 */
record Key(String path, Kind kind, String fallback, String absent, String bounds, String meaning) {
    /** How a value is written. */
    enum Kind {
        TEXT,
        NUMBER,
        DURATION,
        SIZE,
        PATH,
        ADDRESS,
        LIST,
        MAP
    }

    /** The environment variable that sets it: {@code QUANTADB_CLUSTER_NODE_ID}. */
    String variable() {
        return "QUANTADB_" + path.replace('.', '_').toUpperCase(Locale.ROOT);
    }
}
