package io.quantadb.node.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.cluster.AdminRequest;
import io.quantadb.node.common.NodeId;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a body of {@code POST /cluster/members/upstream} asks for. */
class UpstreamRequestTest {
    @Test
    void namesAMemberOrThePrimary() throws Fields.Malformed {
        assertThat(parse("{\"node\": \"n4\", \"upstream\": \"n2\"}"))
                .isEqualTo(new AdminRequest.SetUpstream(new NodeId("n4"), new NodeId("n2")));
        assertThat(parse("{\"node\": \"n4\", \"upstream\": \"primary\"}"))
                .isEqualTo(new AdminRequest.SetUpstream(new NodeId("n4"), null));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"node\": \"n4\"}                      | 'upstream' is missing",
                "{\"upstream\": \"n2\"}                  | 'node' is missing",
                "{\"node\": \"n4\", \"upstream\": \"a b\"} | 'upstream'",
                "{\"node\": \"n4\", \"from\": \"n2\"}    | 'from' is not known",
            })
    void refusesWhatCannotBe(String body, String words) {
        assertThatThrownBy(() -> parse(body))
                .isInstanceOf(Fields.Malformed.class)
                .hasMessageContaining(words);
    }

    private static AdminRequest parse(String body) throws Fields.Malformed {
        return AdminRequests.parse(Route.UPSTREAM, body.getBytes(StandardCharsets.UTF_8), 0);
    }
}
