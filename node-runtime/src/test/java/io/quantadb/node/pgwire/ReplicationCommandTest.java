package io.quantadb.node.pgwire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import io.quantadb.node.pgwire.ReplicationCommand.CreateReplicationSlot;
import io.quantadb.node.pgwire.ReplicationCommand.DropReplicationSlot;
import io.quantadb.node.pgwire.ReplicationCommand.FetchTimelineHistory;
import io.quantadb.node.pgwire.ReplicationCommand.IdentifySystem;
import io.quantadb.node.pgwire.ReplicationCommand.Other;
import io.quantadb.node.pgwire.ReplicationCommand.ReadReplicationSlot;
import io.quantadb.node.pgwire.ReplicationCommand.Show;
import io.quantadb.node.pgwire.ReplicationCommand.StartReplication;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class ReplicationCommandTest {
    static Stream<Arguments> commands() {
        Lsn lsn = Lsn.parse("0/3000000");
        return Stream.of(
                Arguments.of("IDENTIFY_SYSTEM", new IdentifySystem()),
                Arguments.of(" identify_system ; ", new IdentifySystem()),
                Arguments.of(
                        "START_REPLICATION 0/3000000 TIMELINE 2", new StartReplication(null, lsn, OptionalInt.of(2))),
                Arguments.of(
                        "START_REPLICATION SLOT \"a_1\" 0/3000000 TIMELINE 1",
                        new StartReplication("a_1", lsn, OptionalInt.of(1))),
                Arguments.of(
                        "start_replication slot a physical 0/3000000",
                        new StartReplication("a", lsn, OptionalInt.empty())),
                Arguments.of(
                        "START_REPLICATION SLOT a LOGICAL 0/0 (x)",
                        new Other("START_REPLICATION SLOT a LOGICAL 0/0 (x)")),
                Arguments.of("TIMELINE_HISTORY 3", new FetchTimelineHistory(3)),
                Arguments.of("READ_REPLICATION_SLOT \"s\"", new ReadReplicationSlot("s")),
                Arguments.of(
                        "CREATE_REPLICATION_SLOT \"s\" TEMPORARY PHYSICAL (RESERVE_WAL)",
                        new CreateReplicationSlot("s", true, true)),
                Arguments.of(
                        "CREATE_REPLICATION_SLOT s LOGICAL pgoutput", new CreateReplicationSlot("s", false, false)),
                Arguments.of("DROP_REPLICATION_SLOT s WAIT", new DropReplicationSlot("s")),
                Arguments.of("SHOW data_directory_mode", new Show("data_directory_mode")),
                Arguments.of("SELECT 1", new Other("SELECT 1")),
                Arguments.of("", new Other("")));
    }

    @ParameterizedTest
    @MethodSource("commands")
    void readsWhatAStandbySends(String text, ReplicationCommand expected) {
        assertThat(ReplicationCommand.parse(text)).isEqualTo(expected);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "START_REPLICATION",
                "START_REPLICATION 0/3000000 TIMELINE 0",
                "START_REPLICATION 0/3000000 TIMELINE 99999999999",
                "START_REPLICATION 0/3000000 TIMELINE 4294967295",
                "START_REPLICATION zero",
                "IDENTIFY_SYSTEM now",
                "TIMELINE_HISTORY",
                "READ_REPLICATION_SLOT a b",
                "CREATE_REPLICATION_SLOT x"
            })
    void refusesMalformedCommands(String text) {
        assertThatThrownBy(() -> ReplicationCommand.parse(text))
                .isInstanceOfSatisfying(
                        ProtocolViolation.class, v -> assertThat(v.sqlState()).isEqualTo("42601"));
    }
}
