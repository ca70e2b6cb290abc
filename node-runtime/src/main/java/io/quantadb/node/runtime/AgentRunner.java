package io.quantadb.node.runtime;

import static io.quantadb.node.common.LogKeys.CLUSTER;

import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.Failure;
import io.quantadb.node.cli.NodeRunner;
import io.quantadb.node.common.NodeException;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.config.NodeMode;
import io.quantadb.node.relay.VoicePolicy;
import io.quantadb.node.transport.NettyTransport;
import java.security.SecureRandom;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Runs one node in this process until a signal or a fault ends it. */
public final class AgentRunner implements NodeRunner {
    private static final Logger LOGGER = LoggerFactory.getLogger(AgentRunner.class);
    private static final int STOP_SECONDS = 25;
    /** What a start that failed leaves the exit status to: its exception says it. */
    private static final int UNKNOWN = -1;

    private final VoicePolicy voice;

    /** The program's own, made by {@link java.util.ServiceLoader}. */
    public AgentRunner() {
        this(VoicePolicy.RECORDED_RULE);
    }

    /** A test build's; no setting of the program leads here. */
    public AgentRunner(VoicePolicy voice) {
        this.voice = voice;
    }

    @Override
    public int run(NodeConfig config) {
        NettyTransport.forgetNames();
        return config.cluster().mode() == NodeMode.NONE ? runAlone(config) : runMember(config);
    }

    @Override
    public void warmUp() {
        new WarmUp(BootClock.orMonotonic(), new SecureRandom()).run();
    }

    private int runMember(NodeConfig config) {
        while (true) {
            NodeAgent agent = new NodeAgent(config, BootClock.orMonotonic(), new SecureRandom(), voice);
            int status = untilEnd(agent::start, agent::awaitEnd, agent::stop, agent);
            if (!agent.rejoins()) {
                return status;
            }
            LOGGER.atInfo().addMarker(CLUSTER).log("starts again");
        }
    }

    private static int runAlone(NodeConfig config) {
        SingleNode node = new SingleNode(config, System::nanoTime, new SecureRandom());
        return untilEnd(node::start, node::awaitEnd, node::stop, node);
    }

    private interface Start {
        void run() throws InterruptedException;
    }

    private interface End {
        ExitCode await();
    }

    /** A signal asks the node to end and then waits for it, since the JVM is gone once its hooks are. */
    private static int untilEnd(Start start, End end, Runnable stop, AutoCloseable node) {
        CountDownLatch closed = new CountDownLatch(1);
        Thread starter = Thread.currentThread();
        AtomicBoolean starting = new AtomicBoolean(true);
        AtomicInteger status = new AtomicInteger(UNKNOWN);
        Thread hook = new Thread(
                () -> {
                    if (closed.getCount() == 0) {
                        return; // It has ended by itself and said why.
                    }
                    LOGGER.atInfo().addMarker(CLUSTER).log("stopping");
                    stop.run();
                    synchronized (starting) {
                        // Only a start may be broken off; the waits of an orderly stop must not be.
                        if (starting.get()) {
                            starter.interrupt();
                        }
                    }
                    try {
                        if (closed.await(STOP_SECONDS, TimeUnit.SECONDS)) {
                            if (status.get() != UNKNOWN) {
                                // A stop in order is no failure, and after a signal the JVM itself would end with 143.
                                Runtime.getRuntime().halt(status.get());
                            }
                            return;
                        }
                        LOGGER.atWarn().addMarker(CLUSTER).log("did not stop in time");
                    } catch (InterruptedException e) {
                        Thread.currentThread().interrupt();
                    }
                },
                "quantadb-stop");
        if (!hooked(hook)) {
            return ExitCode.OK.status();
        }
        try {
            start.run();
            synchronized (starting) {
                starting.set(false);
            }
            status.set(end.await().status());
            return status.get();
        } catch (InterruptedException e) {
            status.set(ExitCode.OK.status());
            return status.get();
        } catch (NodeException e) {
            throw new Failure(ExitCode.INTERNAL, String.valueOf(e.getMessage()), "", e);
        } finally {
            synchronized (starting) {
                starting.set(false);
                var _ = Thread.interrupted();
            }
            try {
                node.close();
            } catch (Exception e) {
                LOGGER.atWarn().addMarker(CLUSTER).setCause(e).log("not everything could be closed");
            }
            closed.countDown();
            unhook(hook);
        }
    }

    /** False when the process is ending already, so that nothing is to be started any more. */
    private static boolean hooked(Thread hook) {
        try {
            Runtime.getRuntime().addShutdownHook(hook);
            return true;
        } catch (IllegalStateException e) {
            return false;
        }
    }

    private static void unhook(Thread hook) {
        try {
            var _ = Runtime.getRuntime().removeShutdownHook(hook);
        } catch (IllegalStateException e) {
            // It runs, or has run: the process is ending.
        }
    }
}
