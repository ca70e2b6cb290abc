package io.quantadb.node.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.cluster.AdminRequest;
import io.quantadb.node.common.NodeId;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a body of {@code POST /cluster/members/placement} asks for. */
class PlacementRequestTest {
    private static final NodeId N4 = new NodeId("n4");

    @Test
    void setsAValueOrGivesTheNodesOwnBackAndLeavesTheRest() throws Fields.Malformed {
        assertThat(parse("{\"node\": \"n4\", \"priority\": 0}"))
                .isEqualTo(new AdminRequest.SetPlacement(N4, 0, null, false, false));
        assertThat(parse("{\"node\": \"n4\", \"zone\": \"\", \"own_priority\": true}"))
                .isEqualTo(new AdminRequest.SetPlacement(N4, null, "", true, false));
        assertThat(parse("{\"node\": \"n4\", \"priority\": 1000, \"own_zone\": true}"))
                .isEqualTo(new AdminRequest.SetPlacement(N4, 1000, null, false, true));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"node\": \"n4\"}                                        | nothing would change",
                "{\"node\": \"n4\", \"own_zone\": false}                   | nothing would change",
                "{\"priority\": 5}                                         | 'node' is missing",
                "{\"node\": \"n4\", \"priority\": 1001}                    | whole number from 0 to 1000",
                "{\"node\": \"n4\", \"priority\": \"high\"}                | whole number from 0 to 1000",
                "{\"node\": \"n4\", \"priority\": 5, \"own_priority\": true} | at once",
                "{\"node\": \"n4\", \"zone\": \"a/b/c\"}                   | one slash at most",
                "{\"node\": \"n4\", \"zone\": \"a\\n\"}                    | control characters",
                "{\"node\": \"n4\", \"region\": \"eu\"}                    | 'region' is not known",
            })
    void refusesWhatCannotBe(String body, String words) {
        assertThatThrownBy(() -> parse(body))
                .isInstanceOf(Fields.Malformed.class)
                .hasMessageContaining(words);
    }

    @Test
    void aZoneIsNoLongerThanAConfigurationMayHaveIt() throws Fields.Malformed {
        String part = "z".repeat(63);
        String both = part + "/" + part;

        assertThat(parse("{\"node\": \"n4\", \"zone\": \"%s\"}".formatted(both)))
                .isEqualTo(new AdminRequest.SetPlacement(N4, null, both, false, false));
        assertThatThrownBy(() -> parse("{\"node\": \"n4\", \"zone\": \"%sz\"}".formatted(part)))
                .isInstanceOf(Fields.Malformed.class)
                .hasMessageContaining("at most 63 characters");
    }

    private static AdminRequest parse(String body) throws Fields.Malformed {
        return AdminRequests.parse(Route.PLACEMENT, body.getBytes(StandardCharsets.UTF_8), 0);
    }
}
