package io.quantadb.node.api;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.handler.codec.http.HttpMethod;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The bodies of every endpoint, for a primary, a replica and a node without a leader. */
class ApiGoldenTest {
    private static final Path GOLDEN = Path.of("src", "test", "resources", "api");

    @ParameterizedTest(name = "{0} {1}")
    @CsvSource({
        "primary,status,200", "primary,nodes,200", "primary,health,200",
        "replica,status,200", "replica,nodes,200", "replica,health,200",
        "no-leader,status,200", "no-leader,nodes,200", "no-leader,health,503"
    })
    void answersAsTheGoldenFileSays(String who, String what, int status) throws IOException {
        // Given
        ClusterView view = switch (who) {
            case "primary" -> TestingViews.primary();
            case "replica" -> TestingViews.replica();
            default -> TestingViews.noLeader();
        };
        Path golden = GOLDEN.resolve(who + "-" + what + ".json");

        // When
        ApiRouter.Answer answer = new ApiRouter(() -> view).answer(HttpMethod.GET, "/cluster/" + what);

        // Then
        String body = new String(answer.body(), StandardCharsets.UTF_8);
        if (Boolean.getBoolean("quantadb.docs.write")) {
            Files.createDirectories(GOLDEN);
            Files.writeString(golden, body);
        }
        assertThat(answer.status().code()).isEqualTo(status);
        assertThat(body).isEqualTo(Files.readString(golden));
    }
}
