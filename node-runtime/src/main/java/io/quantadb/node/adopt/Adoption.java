package io.quantadb.node.adopt;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quantadb.node.adopt.Disk.Access;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

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
    private static final int FORMAT = 1;
    private static final ObjectMapper MAPPER = new ObjectMapper();
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
            JsonNode root = MAPPER.readTree(Files.readAllBytes(file));
            if (root.path("format").asInt() != FORMAT) {
                throw new LocalFault("%s was written by another release: use that one".formatted(file));
            }
            List<String> revoked = new ArrayList<>();
            root.path("revoked").forEach(name -> revoked.add(name.asText()));
            List<SavedFile> saved = new ArrayList<>();
            root.path("saved").forEach(each -> saved.add(savedFile(each)));
            return Optional.of(new Adoption(
                    State.valueOf(root.path("state").asText().toUpperCase(Locale.ROOT)),
                    Path.of(root.path("data_directory").asText()),
                    root.path("major").asInt(),
                    Long.parseUnsignedLong(root.path("system_identifier").asText()),
                    Path.of(root.path("config_file").asText()),
                    root.path("role_made").asBoolean(),
                    revoked,
                    saved));
        } catch (IOException | IllegalArgumentException e) {
            throw new LocalFault("%s cannot be read: %s".formatted(file, e), e);
        }
    }

    private static SavedFile savedFile(JsonNode node) {
        return new SavedFile(
                Path.of(node.path("path").asText()),
                node.has("mode")
                        ? new Access(
                                node.path("uid").asInt(),
                                node.path("gid").asInt(),
                                node.path("mode").asText())
                        : null,
                node.path("written").asText());
    }

    void write(Path nodeFolder) {
        ObjectNode root = MAPPER.createObjectNode()
                .put("format", FORMAT)
                .put("state", state.name().toLowerCase(Locale.ROOT))
                .put("data_directory", dataDirectory.toString())
                .put("major", major)
                .put("system_identifier", Long.toUnsignedString(systemIdentifier))
                .put("config_file", configFile.toString())
                .put("role_made", roleMade);
        ArrayNode names = root.putArray("revoked");
        revoked.forEach(names::add);
        ArrayNode files = root.putArray("saved");
        for (SavedFile each : saved) {
            ObjectNode node =
                    files.addObject().put("path", each.path().toString()).put("written", each.written());
            @Nullable Access access = each.access();
            if (access != null) {
                node.put("uid", access.uid()).put("gid", access.gid()).put("mode", access.mode());
            }
        }
        try {
            Access folder = Access.of(folder(nodeFolder));
            byte[] text = (root.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8);
            Disk.write(file(nodeFolder), text, new Access(folder.uid(), folder.gid(), "rw-------"));
        } catch (IOException e) {
            throw new LocalFault("%s cannot be written: %s".formatted(file(nodeFolder), e), e);
        }
    }

    static void forget(Path nodeFolder) {
        Disk.delete(file(nodeFolder));
    }
}
