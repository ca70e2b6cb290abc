package io.quantadb.node.api;

import java.util.Set;
import java.util.regex.Pattern;

/**
 * The body of {@code POST /cluster/bootstrap}: {@code {"cluster": "<uid>"}}.
 *
 * @param cluster 1 to 64 letters, digits and {@code -}
 */
record BootstrapRequest(String cluster) {
    private static final Pattern UID = Pattern.compile("[A-Za-z0-9-]{1,64}");

    static BootstrapRequest parse(byte[] body) throws Fields.Malformed {
        String cluster = Fields.parse(body, Set.of("cluster")).text("cluster", UID, "1 to 64 letters, digits and '-'");
        if (cluster == null) {
            throw new Fields.Malformed("'cluster' is missing");
        }
        return new BootstrapRequest(cluster);
    }
}
