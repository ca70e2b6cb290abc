package io.quantadb.node.config;

/** Writes docs/reference/configuration.md from {@link Keys}; a test compares the page with it. */
public final class ReferencePage {
    private ReferencePage() {}

    /** The whole page as Markdown. */
    public static String markdown() {
        StringBuilder page = new StringBuilder("""
                # Configuration reference

                Generated from the settings that the program knows (`io.quantadb.node.config.Keys`); a test compares.

                A setting can be given in the JSON file (`--config node.json`, dots are nested objects), as an environment
                variable, and on the command line (`--set key=value`, or the flag that has its own name). Flags win over
                variables, those over the file, that over the default. Durations are `100ms`, `10s`, `5m`, `1h`, `7d`;
                sizes are `512kB`, `16MB`, `1GB` (powers of 1024). A number without a unit is refused where a unit is
                needed, and so is a key that is not in this table. Relative paths start at the working directory.
                In variables a list is written with commas or as a JSON array, a map as a JSON object.

                | Key | Default | Allowed | What it is for | Variable |
                |---|---|---|---|---|
                """);
        for (Key key : Keys.ALL) {
            String fallback = key.fallback().isEmpty() ? key.absent() : "`" + key.fallback() + "`";
            page.append("| `%s` | %s | %s | %s | `%s` |%n"
                    .formatted(key.path(), fallback, key.bounds(), key.meaning(), key.variable()));
        }
        return page.toString().replace("\r\n", "\n");
    }
}
