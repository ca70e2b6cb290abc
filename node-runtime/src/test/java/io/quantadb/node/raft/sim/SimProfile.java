package io.quantadb.node.raft.sim;

import io.quantadb.node.raft.RaftConfig;
import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * Which faults a seed brings and how often. Each seed draws its own mix, so that some runs are all about one thing.
 *
 * @param loss chance that a message is lost
 * @param slow chance that a message takes up to {@code slowMs} instead of a few milliseconds
 * @param outageMs how long a pause, a crash or a partition lasts at most
 * @param crashAtSend chance that a node crashes just after it has sent something other than a heartbeat
 * @param pauseAtSend chance that a candidate stops just after it has asked for votes
 * @param dethrone chance that a new leader is cut off from some others, or crashes, at once or a little later
 * @param apart a new leader that is cut off is left alone, or with one other, and all earlier cuts end
 * @param sameRank all members are equally patient, so elections collide
 * @param faultEveryMs how often something is done to the cluster, on average
 */
record SimProfile(
        int voters,
        int spares,
        double loss,
        double duplicate,
        double slow,
        int slowMs,
        int diskMs,
        int faultEveryMs,
        int crash,
        int leaderCrash,
        int pause,
        int partition,
        int oneWay,
        int transfer,
        int membership,
        int wipe,
        int outageMs,
        double drift,
        double crashAtSend,
        double pauseAtSend,
        double dethrone,
        boolean sameRank,
        boolean apart,
        RaftConfig config) {

    static SimProfile draw(RandomGenerator r) {
        boolean tinyAppends = r.nextInt(2) == 0;
        // Short timers against the same network: more elections and more old messages in each of them.
        boolean hasty = r.nextBoolean();
        RaftConfig d = hasty
                ? RaftConfig.of(Duration.ofMillis(40), Duration.ofMillis(80), Duration.ofMillis(10))
                : RaftConfig.DEFAULT;
        RaftConfig config = new RaftConfig(
                d.electionMin(),
                d.electionMax(),
                d.heartbeat(),
                d.lease(),
                Duration.ofMillis(hasty ? 4 : 10),
                64,
                tinyAppends ? 1 + r.nextInt(3) : 8,
                tinyAppends ? 1 : 4096,
                4096,
                10 + r.nextInt(60),
                r.nextInt(10));
        boolean changes = r.nextInt(3) == 0;
        return new SimProfile(
                changes && r.nextBoolean() ? 4 : r.nextInt(3) == 0 ? 1 + r.nextInt(7) : 3 + r.nextInt(3),
                r.nextInt(5),
                r.nextInt(2) * r.nextDouble(0.2),
                r.nextInt(2) * r.nextDouble(0.1),
                r.nextInt(3) * r.nextDouble(0.2),
                20 + r.nextInt(hasty ? 300 : 1000),
                r.nextInt(3) == 0 ? 60 : 4,
                (hasty ? 8 : 50) + r.nextInt(hasty ? 80 : 400),
                r.nextInt(3) * 3,
                r.nextInt(3) * 3,
                r.nextInt(3) * 2,
                r.nextInt(3) * 3,
                r.nextInt(3) * 2,
                r.nextInt(3),
                changes ? 8 : r.nextInt(2),
                r.nextInt(3) == 0 ? 3 : 0,
                hasty ? 30 + r.nextInt(200) : 100 + r.nextInt(1100),
                r.nextDouble(0.05),
                r.nextInt(2) * r.nextDouble(0.015),
                r.nextInt(3) == 0 ? r.nextDouble(0.5) : 0,
                r.nextInt(3) > 0 ? r.nextDouble(0.7) : 0,
                r.nextInt(3) == 0,
                false,
                config);
    }

    /** Small groups with short timers whose leaders rarely last: many terms in little time, few faults of other kinds. */
    static SimProfile storm(RandomGenerator r) {
        RaftConfig d = RaftConfig.of(Duration.ofMillis(40), Duration.ofMillis(80), Duration.ofMillis(10));
        RaftConfig config = new RaftConfig(
                d.electionMin(),
                d.electionMax(),
                d.heartbeat(),
                d.lease(),
                Duration.ofMillis(4),
                64,
                1,
                1,
                4096,
                1000,
                10);
        boolean changes = r.nextInt(3) == 0;
        boolean oldMessages = r.nextInt(3) == 0;
        return new SimProfile(
                changes ? 4 : 3,
                changes ? 1 : 0,
                0,
                0,
                oldMessages ? 0.4 : 0,
                300,
                1,
                100 + r.nextInt(200),
                1,
                1 + r.nextInt(3),
                1,
                r.nextInt(2),
                0,
                0,
                changes ? 8 : 0,
                0,
                60 + r.nextInt(200),
                0.02,
                oldMessages ? 0.01 : 0.002,
                oldMessages ? 0.3 : 0,
                0.3 + r.nextDouble(0.6),
                oldMessages,
                false,
                config);
    }

    /** Three or five voters with short timers, whose leaders hand over, crash, stop and are cut off again and again. */
    static SimProfile hurried(RandomGenerator r) {
        RaftConfig d = RaftConfig.of(Duration.ofMillis(40), Duration.ofMillis(80), Duration.ofMillis(10));
        RaftConfig config = new RaftConfig(
                d.electionMin(),
                d.electionMax(),
                d.heartbeat(),
                d.lease(),
                Duration.ofMillis(4),
                64,
                8,
                4096,
                4096,
                1000,
                10);
        boolean slow = r.nextBoolean();
        return new SimProfile(
                r.nextInt(3) == 0 ? 5 : 3,
                0,
                0,
                0,
                slow ? 0.4 : 0,
                60 + r.nextInt(300),
                1,
                40 + r.nextInt(120),
                2,
                3,
                2,
                2,
                3,
                8,
                0,
                0,
                20 + r.nextInt(300),
                0.02,
                0,
                0,
                r.nextInt(3) == 0 ? 0.3 : 0,
                r.nextInt(3) == 0,
                false,
                config);
    }

    /**
     * Four voters without a spare. Each leader at once proposes to change the members, and mostly is alone or one of a
     * pair by then: elections among sets that no longer are the same for everybody, where four become three.
     */
    static SimProfile upheaval(RandomGenerator r) {
        RaftConfig d = RaftConfig.of(Duration.ofMillis(40), Duration.ofMillis(80), Duration.ofMillis(10));
        RaftConfig config = new RaftConfig(
                d.electionMin(),
                d.electionMax(),
                d.heartbeat(),
                d.lease(),
                Duration.ofMillis(4),
                64,
                8,
                4096,
                4096,
                1000,
                10);
        return new SimProfile(
                4,
                r.nextInt(2),
                0,
                0,
                0,
                100,
                1,
                200 + r.nextInt(200),
                1,
                1,
                1,
                0,
                0,
                0,
                10,
                0,
                150 + r.nextInt(350),
                0.02,
                0,
                0,
                0.8,
                r.nextBoolean(),
                true,
                config);
    }
}
