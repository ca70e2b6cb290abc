package io.quantadb.node.adopt;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quantadb.node.adopt.Disk.Access;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** An {@link Adoption} as JSON. Apart from it, so that agents which adopted nothing load nothing that reads JSON trees. */
final class AdoptionJson {
    private static final int FORMAT = 1;
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private AdoptionJson() {}

    static Adoption parse(Path file, byte[] text) throws IOException {
        JsonNode root = MAPPER.readTree(text);
        if (root.path("format").asInt() != FORMAT) {
            throw new LocalFault("%s was written by another release: use that one".formatted(file));
        }
        List<String> revoked = new ArrayList<>();
        root.path("revoked").forEach(name -> revoked.add(name.asText()));
        List<SavedFile> saved = new ArrayList<>();
        root.path("saved").forEach(each -> saved.add(savedFile(each)));
        return new Adoption(
                Adoption.State.valueOf(root.path("state").asText().toUpperCase(Locale.ROOT)),
                Path.of(root.path("data_directory").asText()),
                root.path("major").asInt(),
                Long.parseUnsignedLong(root.path("system_identifier").asText()),
                Path.of(root.path("config_file").asText()),
                root.path("role_made").asBoolean(),
                revoked,
                saved);
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

    static byte[] bytes(Adoption adoption) {
        ObjectNode root = MAPPER.createObjectNode()
                .put("format", FORMAT)
                .put("state", adoption.state().name().toLowerCase(Locale.ROOT))
                .put("data_directory", adoption.dataDirectory().toString())
                .put("major", adoption.major())
                .put("system_identifier", Long.toUnsignedString(adoption.systemIdentifier()))
                .put("config_file", adoption.configFile().toString())
                .put("role_made", adoption.roleMade());
        ArrayNode names = root.putArray("revoked");
        adoption.revoked().forEach(names::add);
        ArrayNode files = root.putArray("saved");
        for (SavedFile each : adoption.saved()) {
            ObjectNode node =
                    files.addObject().put("path", each.path().toString()).put("written", each.written());
            @Nullable Access access = each.access();
            if (access != null) {
                node.put("uid", access.uid()).put("gid", access.gid()).put("mode", access.mode());
            }
        }
        return (root.toPrettyString() + "\n").getBytes(StandardCharsets.UTF_8);
    }
}
