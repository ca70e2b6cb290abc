package io.quantadb.node.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.common.HostPort;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PassFileTest {
    private static final HostPort AT = new HostPort("10.0.0.1", 5432);

    @TempDir
    Path dir;

    @Test
    void takesTheFirstLineThatFits() {
        // Given
        PassFile file = PassFile.of(List.of(
                "# 10.0.0.1:5432:shop:ann:comment",
                "10.0.0.2:5432:shop:ann:elsewhere",
                "10.0.0.1:5432:shop:ann:first",
                "*:*:*:ann:second"));

        // When / Then
        assertThat(file.password(AT, "shop", "ann")).contains("first");
        assertThat(file.password(AT, "other", "ann")).contains("second");
        assertThat(file.password(AT, "shop", "bob")).isEmpty();
    }

    @Test
    void readsColonsAndBackslashesThatAreMeant() {
        // Given
        PassFile file = PassFile.of(List.of("*:*:a\\:b:c\\\\d:p:q\\:r\\\\s", "too:few"));

        // When / Then
        assertThat(file.password(AT, "a:b", "c\\d")).contains("p:q:r\\s");
    }

    @Test
    void findsTheOneThatWasNamedThenTheDemosThenWhatLibpqWouldTake() throws Exception {
        // Given
        Path named = Files.writeString(dir.resolve("named"), "*:*:*:*:named\n");
        Path demo = Files.writeString(dir.resolve("demo"), "*:*:*:*:demo\n");
        Path own = Files.writeString(dir.resolve(".pgpass"), "*:*:*:*:own\n");
        Map<String, String> environment = Map.of("HOME", dir.toString());
        Map<String, String> asked = Map.of("HOME", dir.toString(), "PGPASSWORD", "asked");
        Map<String, String> file = Map.of("PGPASSFILE", named.toString());

        // When / Then
        assertThat(found(PassFile.find(named, Optional.of(demo), asked))).isEqualTo("named");
        assertThat(found(PassFile.find(null, Optional.of(demo), asked))).isEqualTo("demo");
        assertThat(found(PassFile.find(null, Optional.empty(), asked))).isEqualTo("asked");
        assertThat(found(PassFile.find(null, Optional.empty(), file))).isEqualTo("named");
        assertThat(found(PassFile.find(null, Optional.empty(), environment))).isEqualTo("own");
        Files.delete(own);
        assertThat(PassFile.find(null, Optional.empty(), environment)).isEmpty();
    }

    @Test
    void saysWhichFileCannotBeRead() {
        // When / Then
        assertThatThrownBy(() -> PassFile.read(dir.resolve("nowhere")))
                .isInstanceOfSatisfying(Failure.class, failure -> {
                    assertThat(failure.code()).isEqualTo(ExitCode.CONFIG);
                    assertThat(failure.line())
                            .contains("nowhere does not exist")
                            .contains("--passfile");
                });
    }

    private static String found(Optional<PassFile> file) {
        return file.orElseThrow().password(AT, "shop", "ann").orElseThrow();
    }
}
