package io.quantadb.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.common.HostPort;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

class PsqlUrlTest {
    private static final List<HostPort> LISTENERS =
            List.of(new HostPort("127.0.0.1", 9432), new HostPort("127.0.0.1", 9433), new HostPort("::1", 9434));

    @Test
    void namesEveryNodeAndTheFileOfThePassword() {
        // When
        String url = PsqlUrl.of(LISTENERS, "postgres", Path.of("/var/lib/quantadb/my demo/pgpass"), null);

        // Then
        assertThat(url)
                .isEqualTo("postgresql://postgres@127.0.0.1:9432,127.0.0.1:9433,[::1]:9434/postgres"
                        + "?target_session_attrs=read-write&connect_timeout=2&sslmode=prefer"
                        + "&passfile=/var/lib/quantadb/my%20demo/pgpass");
    }

    @Test
    void leavesThePasswordToTheUserWithoutAFile() {
        // When
        String url = PsqlUrl.of(LISTENERS, "a/b", null, null);

        // Then
        assertThat(url).startsWith("postgresql://a%2Fb@").doesNotContain("passfile");
    }

    @Test
    void checksCertificatesAndNamesWhenAskedTo() {
        // When
        String url = PsqlUrl.of(LISTENERS, "postgres", null, Path.of("/etc/quantadb/ca.crt"));

        // Then
        assertThat(url)
                .endsWith("&sslmode=verify-full&sslrootcert=/etc/quantadb/ca.crt")
                .doesNotContain("prefer");
    }
}
