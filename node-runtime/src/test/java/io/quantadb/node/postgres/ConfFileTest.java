package io.quantadb.node.postgres;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConfFileTest {
    @TempDir
    Path dir;

    private Map<String, String> values(Path file) {
        Map<String, String> out = new LinkedHashMap<>();
        ConfFile.read(file).effective().forEach((name, setting) -> out.put(name, setting.value()));
        return out;
    }

    @Test
    void readsNamesAndValuesAsPostgresqlDoes() throws IOException {
        // Given
        Path file = Files.writeString(dir.resolve("postgresql.conf"), """
                # a comment
                  Max_Connections = 100   # (change requires restart)
                shared_buffers 128MB
                log_line_prefix = '%m [%p] #1 '
                search_path = '"$user", public'
                cluster_name = 'O''Hara\\'s \\061st'	# quoted twice
                max_connections=200
                app.setting = 'x'

                """);

        // When
        Map<String, String> values = values(file);

        // Then
        assertThat(values)
                .containsExactly(
                        Map.entry("max_connections", "200"),
                        Map.entry("shared_buffers", "128MB"),
                        Map.entry("log_line_prefix", "%m [%p] #1 "),
                        Map.entry("search_path", "\"$user\", public"),
                        Map.entry("cluster_name", "O'Hara's 1st"),
                        Map.entry("app.setting", "x"));
    }

    @Test
    void readsWhatIsIncludedWhereItIsIncluded() throws IOException {
        // Given
        Files.createDirectory(dir.resolve("conf.d"));
        Files.writeString(dir.resolve("conf.d").resolve("20-b.conf"), "work_mem = 2MB\n");
        Files.writeString(dir.resolve("conf.d").resolve("10-a.conf"), "work_mem = 1MB\nport = 5433\n");
        Files.writeString(dir.resolve("conf.d").resolve("note.txt"), "this is no setting at all\n");
        Files.writeString(dir.resolve("more.conf"), "include_dir 'conf.d'\n");
        Path file = Files.writeString(dir.resolve("postgresql.conf"), """
                port = 5432
                include 'more.conf'
                include_if_exists = 'absent.conf'
                """);

        // When
        ConfFile read = ConfFile.read(file);

        // Then
        assertThat(values(file)).containsExactly(Map.entry("port", "5433"), Map.entry("work_mem", "2MB"));
        assertThat(read.files()).hasSize(4).startsWith(file);
        assertThat(ConfFile.readIfExists(dir.resolve("absent.conf")).settings()).isEmpty();
    }

    @Test
    void namesTheLineThatIsNoSetting() throws IOException {
        // Given
        Path file = Files.writeString(dir.resolve("postgresql.conf"), "port = 5432\nport = 'a\n");
        Path circle = Files.writeString(dir.resolve("circle.conf"), "include 'circle.conf'\n");

        // When / Then
        assertThatThrownBy(() -> ConfFile.read(file))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining(file + ", line 2");
        assertThatThrownBy(() -> ConfFile.read(circle))
                .isInstanceOf(LocalFault.class)
                .hasMessageContaining("deep");
    }

    @Test
    void whatItWritesIsReadAsTheSame() throws IOException {
        // Given
        Map<String, String> values = Map.of("cluster_name", "O'Hara\\s # \"1\"");

        // When
        Path file = Files.writeString(dir.resolve("w.conf"), ConfFile.render("two\nlines", values));

        // Then
        assertThat(values(file)).isEqualTo(values);
        assertThat(Files.readAllLines(file)).startsWith("# two", "# lines");
    }
}
