package io.quantadb.node.bench;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** A results file, a line of JSON per round, by which an interrupted bench goes on. */
final class ResultLines {
    private ResultLines() {}

    /** Reads one line; a JSON exception says that it was cut off. */
    interface Parser<T> {
        T parse(String line) throws IOException;
    }

    /** All rounds of the file, none when there is no file; a last line that was cut off is left out. */
    static <T> List<T> read(Path file, Parser<T> parser) throws IOException {
        List<T> out = new ArrayList<>();
        if (!Files.exists(file)) {
            return out;
        }
        for (String line : Files.readAllLines(file)) {
            try {
                out.add(parser.parse(line));
            } catch (JsonProcessingException e) {
                // Cut off while the bench was being stopped: that round is run again.
            }
        }
        return out;
    }

    static void append(Path file, String line) throws IOException {
        Files.createDirectories(file.toAbsolutePath().getParent());
        Files.write(
                file,
                (line + "\n").getBytes(StandardCharsets.UTF_8),
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
    }
}
