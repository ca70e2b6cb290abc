package io.quantadb.node.postgres;

import java.net.JarURLConnection;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Path;
import java.util.List;

/** The jar on the test class path that holds PostgreSQL 18. */
final class TestingBundle {
    private TestingBundle() {}

    static Path jar() {
        for (String name : List.of("postgres-linux-x86_64.txz", "postgres-linux-arm_64.txz")) {
            URL found = TestingBundle.class.getClassLoader().getResource(name);
            if (found != null) {
                try {
                    URI jar = ((JarURLConnection) found.openConnection())
                            .getJarFileURL()
                            .toURI();
                    return Path.of(jar);
                } catch (java.io.IOException | URISyntaxException e) {
                    throw new IllegalStateException(e);
                }
            }
        }
        throw new IllegalStateException("no PostgreSQL bundle on the class path");
    }
}
