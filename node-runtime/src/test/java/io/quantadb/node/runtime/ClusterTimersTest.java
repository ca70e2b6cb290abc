package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.cli.Failure;
import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Command;
import io.quantadb.node.cluster.Member;
import io.quantadb.node.cluster.MemberKind;
import io.quantadb.node.cluster.MemberState;
import io.quantadb.node.cluster.ProtocolRules;
import io.quantadb.node.cluster.Settings;
import io.quantadb.node.cluster.Timers;
import io.quantadb.node.cluster.Transitions;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import io.quantadb.node.config.ConfigLoader;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.coordinator.FactStore;
import io.quantadb.node.coordinator.NodeFacts;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ClusterTimersTest {
    private static final HostPort AT = new HostPort("localhost", 1);
    private static final PeerId SELF = new PeerId(new NodeId("n1"), 7);
    private static final Timers OF_CLUSTER = Timers.of(100, 600, 1000);
    private static final NodeFacts OLD_DISK = new NodeFacts(SELF.node(), 7, "c", 1, 1, 0, "", null);

    @TempDir
    Path folder;

    private final List<io.quantadb.node.raft.RaftConfig> retimed = new CopyOnWriteArrayList<>();
    private final List<Throwable> faults = new CopyOnWriteArrayList<>();
    private FactStore store;

    @BeforeEach
    void open() {
        store = new FactStore(folder.resolve("facts"), faults::add);
    }

    @AfterEach
    void close() {
        store.close();
    }

    @Test
    void runsWithTheClustersWhateverItsConfigurationSays() {
        // Given
        NodeFacts member = OLD_DISK.withTimers(OF_CLUSTER);
        store.put(member);

        // When
        ClusterTimers timers = ClusterTimers.of(config(), member, store, faults::add);
        timers.onState(formedWith(OF_CLUSTER));

        // Then
        assertThat(timers.running()).isEqualTo(OF_CLUSTER);
        var raft = timers.raft(config());
        assertThat(raft.electionMin()).isEqualTo(Duration.ofMillis(600));
        assertThat(raft.electionMax()).isEqualTo(Duration.ofSeconds(1));
        assertThat(raft.heartbeat()).isEqualTo(Duration.ofMillis(100));
        assertThat(raft.lease()).isEqualTo(Duration.ofMillis(480));
        store.close();
        assertThat(faults).isEmpty();
    }

    @Test
    void aDiskThatDoesNotKnowThemLearnsThemAndANodeThatRanWithOthersStops() {
        // Given
        store.put(OLD_DISK);
        ClusterTimers timers = ClusterTimers.of(config(), OLD_DISK, store, faults::add);
        timers.onState(ClusterState.EMPTY);

        // When
        timers.onState(formedWith(OF_CLUSTER));

        // Then
        await().atMost(Duration.ofSeconds(5)).until(() -> !faults.isEmpty());
        assertThat(((Failure) faults.getFirst()).line())
                .contains(OF_CLUSTER.toString())
                .contains("start it again");
        store.close();
        store = new FactStore(folder.resolve("facts"), faults::add);
        NodeFacts again = store.facts();
        assertThat(again).isEqualTo(OLD_DISK.withTimers(OF_CLUSTER));
        assertThat(ClusterTimers.of(config(), again, store, faults::add).running())
                .isEqualTo(OF_CLUSTER);
    }

    @Test
    void aDiskThatDoesNotKnowThemAndRanWithTheSameGoesOn() {
        // Given
        store.put(OLD_DISK);
        Timers same = ClusterTimers.configured(config());

        // When
        ClusterTimers timers = ClusterTimers.of(config(), OLD_DISK, store, faults::add);
        timers.onState(formedWith(same));
        timers.onTick(-5, retimed::add);

        // Then
        store.close();
        assertThat(faults).isEmpty();
        assertThat(store.facts()).isEqualTo(OLD_DISK.withTimers(same));
        assertThat(retimed).isEmpty();
    }

    @Test
    void runsWithLongerTimersOnceTheyAreOnDiskAndWritesShorterOnesWhenWhatItPromisedIsOver() {
        // Given
        Timers formed = ClusterTimers.configured(config());
        Timers longer = Timers.of(50, 600, 1_000);
        NodeFacts member = OLD_DISK.withTimers(formed);
        store.put(member);
        ClusterTimers timers = ClusterTimers.of(config(), member, store, faults::add);
        ClusterState before = formedWith(formed);
        timers.onState(before);
        timers.onTick(0, retimed::add);

        // When they become longer
        timers.onState(retimed(before, longer));
        timers.onTick(1, retimed::add);
        assertThat(retimed).isEmpty();
        await().atMost(Duration.ofSeconds(30)).until(() -> {
            timers.onTick(2, retimed::add);
            return !retimed.isEmpty();
        });

        // Then
        assertThat(onDisk()).isEqualTo(longer);
        assertThat(timers.running()).isEqualTo(longer);
        assertThat(retimed.getFirst().lease()).isEqualTo(Duration.ofMillis(480));

        // When they become shorter again
        timers.onState(before);
        timers.onTick(1_000_000_000L, retimed::add);
        assertThat(timers.running()).isEqualTo(formed);
        timers.onTick(1_650_000_000L, retimed::add);
        Timers meanwhile = onDisk();
        timers.onTick(1_661_000_000L, retimed::add);

        // Then
        await().atMost(Duration.ofSeconds(30)).until(() -> formed.equals(onDisk()));
        assertThat(meanwhile).isEqualTo(longer);
        assertThat(faults).isEmpty();
    }

    private Timers onDisk() {
        NodeFacts facts = store.facts();
        return facts == null ? null : facts.timers();
    }

    private static ClusterState retimed(ClusterState state, Timers timers) {
        return new Transitions(new ProtocolRules())
                .apply(state, new Command.Retime(timers))
                .state();
    }

    private NodeConfig config() {
        return new ConfigLoader(folder, Map.of())
                .load(
                        null,
                        List.of(
                                new ConfigLoader.Flag("cluster.node_id", "--node-id", "n1"),
                                new ConfigLoader.Flag("cluster.mode", "--cluster-mode", "primary"),
                                new ConfigLoader.Flag("cluster.raft.election_timeout", "--election-timeout", "300ms")));
    }

    private static ClusterState formedWith(Timers timers) {
        Member first = new Member(
                SELF, 1, MemberKind.DATA, MemberState.VOTER, new Addresses(AT, AT, AT, AT, AT), "", 100, false);
        Settings settings = new Settings(Settings.Mode.QUORUM, Settings.Policy.BLOCK, timers);
        return new Transitions(new ProtocolRules())
                .apply(ClusterState.EMPTY, new Command.Bootstrap("c", 1, 1, first, 1, settings))
                .state();
    }
}
