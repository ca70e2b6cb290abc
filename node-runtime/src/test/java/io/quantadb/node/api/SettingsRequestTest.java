package io.quantadb.node.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.cluster.AdminRequest;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a body of {@code POST /cluster/settings} asks for. */
class SettingsRequestTest {
    @Test
    void asksForWhatItNamesAndLeavesTheRestAsItIs() throws Fields.Malformed {
        assertThat(parse("{\"move_delay_ms\": 0, \"failover_across_regions\": false}"))
                .isEqualTo(new AdminRequest.Tune(-1, 0, 0, -1));
        assertThat(parse("{\"election_timeout_limit_ms\": 900, \"slow_standby_after_ms\": 100}"))
                .isEqualTo(new AdminRequest.Tune(900, -1, -1, 100));
    }

    @ParameterizedTest(name = "{0}: {1}")
    @CsvSource(
            delimiter = '|',
            value = {
                "{}                                  | changes nothing",
                "{\"move_delay_ms\": -1}             | 'move_delay_ms' must be a whole number from 0 to 300000",
                "{\"move_delay_ms\": \"10s\"}        | 'move_delay_ms' must be a whole number from 0 to 300000",
                "{\"failover_across_regions\": \"off\"} | 'failover_across_regions' must be true or false",
                "{\"slow_standby_after_ms\": 99}     | 'slow_standby_after_ms' must be a whole number from 100",
                "{\"election_timeout_ms\": 500}      | 'election_timeout_ms' is not known; the body may have",
            })
    void refusesWhatCannotBe(String body, String words) {
        assertThatThrownBy(() -> parse(body))
                .isInstanceOf(Fields.Malformed.class)
                .hasMessageContaining(words);
    }

    private static AdminRequest parse(String body) throws Fields.Malformed {
        return AdminRequests.parse(Route.SETTINGS, body.getBytes(StandardCharsets.UTF_8), 0);
    }
}
