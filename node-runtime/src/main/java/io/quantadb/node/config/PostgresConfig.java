package io.quantadb.node.config;

import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The PostgreSQL server beside the agent.
 *
 * @param binDir absolute folder with {@code postgres} and {@code initdb}; null to look for it
 * @param osUser the unprivileged account that runs PostgreSQL when the agent is root; null for a default one
 * @param superuser the database superuser that a new cluster gets
 * @param superuserPasswordFile absolute file whose first line is that user's password; null for none set
 * @param parameters the user's own settings, in the order of their names; those that the cluster owns win over them
 * @param hba lines for pg_hba.conf, put after the agent's own
 * @param rewind how a node whose WAL left the primary's comes back
 */
public record PostgresConfig(
        @Nullable Path binDir,
        @Nullable String osUser,
        String superuser,
        @Nullable Path superuserPasswordFile,
        Map<String, String> parameters,
        List<String> hba,
        RewindMode rewind) {
    public PostgresConfig {
        parameters = java.util.Collections.unmodifiableMap(new TreeMap<>(parameters));
        hba = List.copyOf(hba);
        if (!superuser.matches("[a-z_][a-z0-9_$]{0,62}") || superuser.startsWith("pg_")) {
            throw new IllegalArgumentException(
                    "postgres.superuser=%s must be 1 to 63 lower-case letters, digits, '_' or '$', and not begin with 'pg_'"
                            .formatted(superuser));
        }
        if (superuser.equals("quantadb") || superuser.equals("quantadb_rewind")) {
            throw new IllegalArgumentException(
                    "postgres.superuser=%s is the agent's own role: choose another".formatted(superuser));
        }
        for (Map.Entry<String, String> parameter : parameters.entrySet()) {
            if (!parameter.getKey().matches("[A-Za-z_][A-Za-z0-9_$.]{0,126}")) {
                throw new IllegalArgumentException("postgres.parameters.%s must be the name of a PostgreSQL setting"
                        .formatted(parameter.getKey()));
            }
            requireOneLine("postgres.parameters." + parameter.getKey(), parameter.getValue());
        }
        for (String line : hba) {
            requireOneLine("postgres.hba", line);
        }
    }

    private static void requireOneLine(String key, String value) {
        if (value.indexOf('\n') >= 0 || value.indexOf('\r') >= 0 || value.indexOf('\0') >= 0) {
            throw new IllegalArgumentException("%s must be one line of text".formatted(key));
        }
    }
}
