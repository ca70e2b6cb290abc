package io.quantadb.node.config;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

class ReferencePageTest {
    /** Maven runs tests in the module's folder. */
    private static final Path PAGE = Path.of("..", "docs", "reference", "configuration.md");

    @Test
    void isWhatTheProgramKnows() throws IOException {
        // Given
        String generated = ReferencePage.markdown();
        if (Boolean.getBoolean("quantadb.docs.write")) {
            Files.createDirectories(PAGE.getParent());
            Files.writeString(PAGE, generated);
        }

        // When
        String page = Files.readString(PAGE);

        // Then
        assertThat(page)
                .as("regenerate with: mvn -pl node-runtime test -Dtest=ReferencePageTest -Dquantadb.docs.write=true")
                .isEqualTo(generated);
    }

    @Test
    void namesEveryKeyAndVariableOnce() {
        // When
        Set<String> paths = Keys.ALL.stream().map(Key::path).collect(Collectors.toSet());
        Set<String> variables = Keys.ALL.stream().map(Key::variable).collect(Collectors.toSet());

        // Then
        assertThat(paths).hasSameSizeAs(Keys.ALL);
        assertThat(variables).hasSameSizeAs(Keys.ALL);
    }

    @Test
    void everyDefaultIsAcceptedWhenItIsSpelledOut() {
        // Given
        List<ConfigLoader.Flag> flags = Keys.ALL.stream()
                .filter(key -> !key.fallback().isEmpty())
                .map(key -> new ConfigLoader.Flag(key.path(), "--set", key.fallback()))
                .toList();
        ConfigLoader loader = new ConfigLoader(Path.of("/x"), Map.of());

        // When
        NodeConfig config = loader.load(null, flags);

        // Then
        assertThat(config).isEqualTo(loader.load(null, List.of()));
    }
}
