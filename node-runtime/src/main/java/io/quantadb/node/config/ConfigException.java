package io.quantadb.node.config;

/** A setting is unknown, malformed or out of bounds. The message names the key, the value, the bound and the origin. */
public final class ConfigException extends RuntimeException {
    public ConfigException(String message) {
        super(message);
    }

    public ConfigException(String message, Throwable cause) {
        super(message, cause);
    }
}
