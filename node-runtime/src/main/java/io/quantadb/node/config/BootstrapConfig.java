package io.quantadb.node.config;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a cluster that this node founds has from its first moment on. Ignored by a node that joins.
 *
 * @param database a database beside {@code postgres}; null for none
 * @param owner the role that owns it; null for none
 * @param ownerPasswordFile absolute file whose first line is that role's password; null for none set
 */
public record BootstrapConfig(
        @Nullable String database,
        @Nullable String owner,
        @Nullable Path ownerPasswordFile) {
    /** The agent's own roles, which nobody else may be. */
    private static final Set<String> AGENT = Set.of("quantadb", "quantadb_rewind");

    public BootstrapConfig {
        if ((database == null) != (owner == null)) {
            throw new IllegalArgumentException("bootstrap.database=%s and bootstrap.owner=%s must be set together"
                    .formatted(database == null ? "" : database, owner == null ? "" : owner));
        }
        if (ownerPasswordFile != null && owner == null) {
            throw new IllegalArgumentException(
                    "bootstrap.owner_password_file=%s needs bootstrap.owner".formatted(ownerPasswordFile));
        }
        requireName("bootstrap.database", database);
        requireName("bootstrap.owner", owner);
        if (owner != null && (AGENT.contains(owner) || owner.startsWith("pg_"))) {
            throw new IllegalArgumentException(
                    "bootstrap.owner=%s must not be 'quantadb' or 'quantadb_rewind', which are the agent's own, nor begin with 'pg_'"
                            .formatted(owner));
        }
        if (database != null && (database.equals("template0") || database.equals("template1"))) {
            throw new IllegalArgumentException("bootstrap.database=%s must not be a template".formatted(database));
        }
    }

    private static void requireName(String key, @Nullable String name) {
        if (name != null
                && (name.isBlank()
                        || name.getBytes(StandardCharsets.UTF_8).length > 63
                        || name.chars().anyMatch(c -> c < ' '))) {
            throw new IllegalArgumentException("%s must be a name of 1 to 63 bytes".formatted(key));
        }
    }
}
