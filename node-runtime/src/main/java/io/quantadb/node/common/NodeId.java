package io.quantadb.node.common;

import java.util.regex.Pattern;

/**
 * Names one member for ever, whatever its address or disk. It is the common name of its certificate and appears in
 * PostgreSQL application names, so it keeps to letters, digits, '.', '_' and '-', 63 characters at most.
 */
public record NodeId(String value) implements Comparable<NodeId> {
    private static final Pattern ALLOWED = Pattern.compile("[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?");

    public NodeId {
        if (!ALLOWED.matcher(value).matches()) {
            throw new IllegalArgumentException(
                    "node id '%s' is not valid: use 1 to 63 letters, digits, '.', '_' or '-', starting and ending with a letter or digit"
                            .formatted(value));
        }
    }

    @Override
    public int compareTo(NodeId other) {
        return value.compareTo(other.value);
    }

    @Override
    public String toString() {
        return value;
    }
}
