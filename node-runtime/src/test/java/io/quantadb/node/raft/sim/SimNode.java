package io.quantadb.node.raft.sim;

import io.quantadb.node.common.PeerId;
import io.quantadb.node.raft.DiskWrite;
import io.quantadb.node.raft.EntryKind;
import io.quantadb.node.raft.LogEntry;
import io.quantadb.node.raft.Outbound;
import io.quantadb.node.raft.RaftConfig;
import io.quantadb.node.raft.RaftCore;
import io.quantadb.node.raft.RaftOutput;
import io.quantadb.node.raft.RaftRestored;
import io.quantadb.node.raft.Role;
import io.quantadb.node.raft.Snapshot;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.TreeMap;

/** One node of the simulation: a core, its disk, its clock, and a state machine that is a running hash. */
final class SimNode {
    final SimWorld world;
    PeerId self;
    SimDisk disk;
    RaftCore core;
    /** The timers that a restart finds. */
    RaftConfig onDisk;
    /** The timers of this life. */
    RaftConfig running;

    private long promisedUntil;

    boolean up;
    long pausedUntil;
    /** Counts lives of the process, so that what belongs to an earlier one is dropped. */
    int life;
    /** The log in memory, as told by the writes. */
    final TreeMap<Long, LogEntry> memory = new TreeMap<>();

    long applied;
    long stateHash;
    /** In true time; kept after stepping down, since what was lent on it still runs. */
    long leaseEnd;

    Role shownRole = Role.FOLLOWER;
    long shownTerm;
    private long toldLease;
    private final double rate;
    private final long offset;
    private final Deque<Runnable> missed = new ArrayDeque<>();
    private long completing;

    SimNode(SimWorld world, PeerId self, RaftRestored initial, double rate, long offset) {
        this.world = world;
        this.self = self;
        this.rate = rate;
        this.offset = offset;
        this.disk = new SimDisk(initial);
        this.onDisk = world.timers.apply(self.node(), world.profile.config());
        this.running = onDisk;
    }

    long local() {
        return offset + (long) (world.now * rate);
    }

    private long trueTime(long local) {
        return (long) ((local - offset) / rate);
    }

    void start() {
        up = true;
        life++;
        pausedUntil = 0;
        missed.clear();
        RaftRestored restored = disk.restored();
        memory.clear();
        restored.entries().forEach(e -> memory.put(e.index(), e));
        running = onDisk;
        core = new RaftCore(running, self, restored, local(), world.random, world.rules);
        if (world.profile.sameRank()) {
            core.setRank(0);
        }
        toldLease = core.leaseUntilNanos();
        applied = 0;
        stateHash = 0;
        if (restored.snapshot() != null) {
            restore(restored.snapshot());
        }
        world.trace("%s starts: %s last %d".formatted(self, restored.hardState(), core.lastIndex()));
        pump();
        int mine = life;
        world.after(world.random.nextLong(10_000_000), () -> tick(mine));
    }

    void crash() {
        up = false;
        life++;
        shownRole = Role.FOLLOWER;
        disk.crash(world.random);
        missed.clear();
    }

    /** An input: at once, or when the process runs again. */
    void input(Runnable r) {
        if (!up) {
            return;
        }
        if (world.now < pausedUntil) {
            missed.add(r);
            return;
        }
        r.run();
        pump();
    }

    /** As the product does it: longer timers after they are on disk, shorter ones on disk after what was promised is over. */
    void retime(RaftConfig timers) {
        int mine = life;
        RaftConfig before = running;
        if (timers.electionMin().compareTo(before.electionMin()) > 0) {
            onDisk = timers;
            world.after(world.random.nextLong(20_000_000), () -> run(timers, mine));
            return;
        }
        run(timers, mine);
        if (world.retimes.forgetsAtOnce()) {
            onDisk = timers;
        }
        promisedUntil =
                Math.max(promisedUntil, world.now + (long) (before.electionMin().toNanos() * 1.1 / rate));
        world.at(promisedUntil, () -> {
            if (mine == life && running.equals(timers) && world.now >= promisedUntil) {
                onDisk = timers;
            }
        });
    }

    private void run(RaftConfig timers, int mine) {
        if (mine == life && up && onDisk.electionMin().compareTo(timers.electionMin()) >= 0) {
            running = timers;
            core.retime(timers, local());
            pump();
            world.trace("%s waits %s from now on".formatted(self, timers.electionMin()));
        }
    }

    private void tick(int mine) {
        if (mine != life) {
            return;
        }
        if (world.now < pausedUntil) {
            world.at(pausedUntil, () -> resume(mine));
            return;
        }
        core.tick(local());
        pump();
        world.after((long) (world.profile.config().tick().toNanos() / rate), () -> tick(mine));
    }

    private void resume(int mine) {
        if (mine != life) {
            return;
        }
        while (!missed.isEmpty()) {
            missed.removeFirst().run();
            pump();
        }
        tick(mine);
    }

    void pump() {
        for (RaftOutput out = core.drain(); !out.isEmpty(); out = core.drain()) {
            for (DiskWrite w : out.writes()) {
                SimDisk.applyLog(w, memory);
                disk.submit(w);
                scheduleCompletion();
            }
            for (Outbound o : out.messages()) {
                world.send(self, o.to(), o.message());
            }
            if (out.restore() != null) {
                restore(out.restore());
            }
            out.committed().forEach(this::apply);
            if (core.snapshotDue()) {
                core.snapshotTaken(
                        applied, ByteBuffer.allocate(8).putLong(stateHash).array());
            }
            observe();
        }
        observe();
    }

    private void scheduleCompletion() {
        int mine = life;
        long delay = 100_000 + world.random.nextLong(world.profile.diskMs() * 1_000_000L);
        completing = Math.max(completing, world.now + delay);
        world.at(completing, () -> {
            if (mine == life && !disk.idle()) {
                long id = disk.completeOne();
                input(() -> core.written(id, local()));
            }
        });
    }

    private void apply(LogEntry e) {
        if (e.index() != applied + 1) {
            throw new AssertionError("%s applied %s after %d".formatted(self, e, applied));
        }
        applied = e.index();
        if (e.kind() == EntryKind.COMMAND) {
            stateHash = stateHash * 1_000_003 + Arrays.hashCode(e.data()) + e.term();
        }
        world.invariants.onApplied(this, e);
    }

    private void restore(Snapshot s) {
        applied = s.index();
        stateHash = ByteBuffer.wrap(s.state()).getLong();
        world.invariants.onRestored(this, s);
    }

    private void observe() {
        Role role = core.role();
        if (role != shownRole || core.term() != shownTerm) {
            shownRole = role;
            shownTerm = core.term();
            world.trace("%s %s term %d".formatted(self, role, core.term()));
            if (role == Role.LEADER) {
                world.invariants.onLeader(this);
            }
        }
        long lease = core.leaseUntilNanos();
        if (lease != toldLease) {
            boolean shorter = lease - toldLease < 0;
            toldLease = lease;
            if (role == Role.LEADER) {
                // Shorter while it leads: given back, with all that was lent on it. After stepping down it is not.
                leaseEnd = shorter ? trueTime(lease) : Math.max(leaseEnd, trueTime(lease));
                world.invariants.onLease(this);
            }
        }
    }
}
