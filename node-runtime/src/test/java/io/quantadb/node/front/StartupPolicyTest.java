package io.quantadb.node.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.node.front.StartupPolicy.Verdict;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StartupPolicyTest {
    @Test
    void refusesTheInternalRoles() {
        assertThat(refusal(false, "user", "quantadb")).isEqualTo("28000");
        assertThat(refusal(false, "user", "alice", "user", "quantadb")).isEqualTo("28000");
        assertThat(refusal(false, "user", "quantadb_rewind")).isEqualTo("28000");
        assertThat(decide(false, "user", "quantadb2")).isInstanceOf(Verdict.Accept.class);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "-c synchronous_commit=off",
                "-csynchronous_commit=local",
                "--synchronous-commit=OFF",
                "-c  Synchronous_Commit=remote_write",
                "-c synchronous_commit=on -c synchronous_commit=no",
                "-c synch\\ronous_commit=off"
            })
    void refusesOptionsThatLowerSynchronousCommit(String options) {
        assertThat(refusal(false, "user", "alice", "options", options)).isEqualTo("42501");
        assertThat(decide(true, "user", "alice", "options", options)).isInstanceOf(Verdict.Accept.class);
    }

    @Test
    void refusesAParameterThatLowersSynchronousCommitAndTakesOneThatDoesNot() {
        assertThat(refusal(false, "user", "alice", "Synchronous_Commit", "off")).isEqualTo("42501");
        assertThat(decide(false, "user", "alice", "synchronous_commit", "remote_apply"))
                .isInstanceOf(Verdict.Accept.class);
        assertThat(decide(false, "user", "alice", "options", "-c synchronous_commit=on -c geqo=off"))
                .isInstanceOf(Verdict.Accept.class);
    }

    @ParameterizedTest
    @ValueSource(strings = {"true", "database", "on", "t", "1"})
    void neverLetsAReplicationConnectionBearTheVoicesName(String replication) {
        // Given
        String[] names = {"application_name", "x", "Application_Name", "QuantaDB_Voice", "user", "r", "replication", ""
        };
        names[7] = replication;
        // When
        Verdict verdict = decide(false, names);
        // Then
        assertThat(((Verdict.Accept) verdict).packet().settings("application_name"))
                .containsExactly("client");
    }

    @Test
    void keepsOtherNamesAndAlwaysSetsOne() {
        var named = (Verdict.Accept) decide(false, "user", "r", "replication", "1", "application_name", "sub1");
        var unnamed = (Verdict.Accept) decide(false, "user", "r", "replication", "1");
        var plain = (Verdict.Accept) decide(false, "user", "r", "application_name", "quantadb_voice");
        assertThat(named.packet().settings("application_name")).containsExactly("sub1");
        assertThat(unnamed.packet().settings("application_name")).containsExactly("client");
        assertThat(plain.packet().settings("application_name")).containsExactly("quantadb_voice");
    }

    @Test
    void refusesTheNameInTheOptionsOfAReplicationConnection() {
        assertThat(refusal(false, "user", "r", "replication", "1", "options", "-c application-name=quantadb_voice"))
                .isEqualTo("28000");
    }

    private static Verdict decide(boolean allowLowered, String... namesAndValues) {
        return StartupPolicy.decide(StartupPacket.parse(Wire.startup(namesAndValues)), allowLowered);
    }

    private static String refusal(boolean allowLowered, String... namesAndValues) {
        Verdict verdict = decide(allowLowered, namesAndValues);
        assertThat(verdict).isInstanceOf(Verdict.Refuse.class);
        return ((Verdict.Refuse) verdict).report().get(Report.CODE);
    }
}
