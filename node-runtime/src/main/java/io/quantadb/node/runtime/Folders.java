package io.quantadb.node.runtime;

import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** What the JDK does not do to folders. */
final class Folders {
    private Folders() {}

    /** With all that is in it; nothing to do where there is none. {@link LocalFault} when something stays. */
    static void remove(Path folder) {
        if (!Files.exists(folder)) {
            return;
        }
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(path);
            }
        } catch (IOException e) {
            throw new LocalFault("%s cannot be removed: %s".formatted(folder, e), e);
        }
    }
}
