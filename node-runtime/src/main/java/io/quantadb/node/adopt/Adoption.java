package io.quantadb.node.adopt;

import io.quantadb.node.adopt.Disk.Access;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What an adoption has done so far, so that it can go on after a crash and be taken back:
 * {@code adopted/adoption.json} in the node's folder, written before each step that depends on it, and beside it the files
 * as they were. It stays as long as the node lives.
 *
 * @param dataDirectory without links on the way
 * @param configFile what the server was configured by
 * @param revoked databases in which everybody might cancel the statements of others
 */
public record Adoption(
        State state,
        Path dataDirectory,
        int major,
        long systemIdentifier,
        Path configFile,
        boolean roleMade,
        List<String> revoked,
        List<SavedFile> saved) {
    private static final String FOLDER = "adopted";

    /** How far it is. */
    public enum State {
        BEGUN,
        ADOPTED,
        /** It is being taken back. */
        RETURNING
    }

    public Adoption {
        revoked = List.copyOf(revoked);
        saved = List.copyOf(saved);
    }

    /** Where it, and the files as they were, lie in a node's folder. */
    static Path folder(Path nodeFolder) {
        return nodeFolder.resolve(FOLDER);
    }

    private static Path file(Path nodeFolder) {
        return folder(nodeFolder).resolve("adoption.json");
    }

    Adoption in(State next) {
        return new Adoption(next, dataDirectory, major, systemIdentifier, configFile, roleMade, revoked, saved);
    }

    Adoption withRole(List<String> revokedIn) {
        return new Adoption(state, dataDirectory, major, systemIdentifier, configFile, true, revokedIn, saved);
    }

    Adoption withSaved(List<SavedFile> files) {
        return new Adoption(state, dataDirectory, major, systemIdentifier, configFile, roleMade, revoked, files);
    }

    /** The adoption that this node's folder remembers; empty for none. {@link LocalFault} when it cannot be read. */
    public static Optional<Adoption> read(Path nodeFolder) {
        Path file = file(nodeFolder);
        if (!Files.exists(file)) {
            return Optional.empty();
        }
        try {
            return Optional.of(AdoptionJson.parse(file, Files.readAllBytes(file)));
        } catch (IOException | IllegalArgumentException e) {
            throw new LocalFault("%s cannot be read: %s".formatted(file, e), e);
        }
    }

    void write(Path nodeFolder) {
        try {
            Access folder = Access.of(folder(nodeFolder));
            Disk.write(file(nodeFolder), AdoptionJson.bytes(this), new Access(folder.uid(), folder.gid(), "rw-------"));
        } catch (IOException e) {
            throw new LocalFault("%s cannot be written: %s".formatted(file(nodeFolder), e), e);
        }
    }

    static void forget(Path nodeFolder) {
        Disk.delete(file(nodeFolder));
    }
}
