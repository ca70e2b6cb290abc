package io.quantadb.node.relay;

import io.netty.channel.Channel;
import io.netty.channel.EventLoop;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.common.MonotonicClock;
import java.util.concurrent.TimeUnit;

/** What every part of one relay shares: its settings, its loop, its clock, and whom to tell. */
record RelayContext(RelayConfig config, EventLoop loop, MonotonicClock clock, RelayListener listener) {
    void tell(Event event) {
        listener.onEvent(event);
    }

    /** Runs on the loop after a pause. */
    void after(long millis, Runnable task) {
        var _ = loop.schedule(task, millis, TimeUnit.MILLISECONDS);
    }

    static void close(Channel channel) {
        var _ = channel.close();
    }

    long nanos() {
        return clock.nanos();
    }

    Throttle throttle(Runnable emit) {
        return new Throttle(loop, clock, config.progressInterval().toNanos(), emit);
    }
}
