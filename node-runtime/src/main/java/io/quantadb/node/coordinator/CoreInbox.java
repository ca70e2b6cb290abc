package io.quantadb.node.coordinator;

import static io.quantadb.node.common.LogKeys.CLUSTER;

import io.quantadb.node.cluster.Event;
import io.quantadb.node.common.NodeException.LocalFault;
import io.quantadb.node.consensus.RaftNode.Handed;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The way of events into the decision core. What others sent may be dropped when the core does not keep up, as on the
 * network: they say it again. What happened on this node is said once; a core that missed it would decide about a node
 * that does not exist, so one such event that finds no room ends the node: a dead node is recoverable, a lying one is
 * not. From then on no event is taken. {@link #post} is called from any thread and never blocks.
 */
final class CoreInbox {
    private static final Logger LOGGER = LoggerFactory.getLogger(CoreInbox.class);

    private final Coordinator.CoreThread thread;
    private final Consumer<Event> handler;
    private final Consumer<Throwable> onFault;
    private final AtomicBoolean broken = new AtomicBoolean();

    /**
     * @param handler takes the event on the core thread
     * @param onFault told once, on the thread whose event found no room
     */
    CoreInbox(Coordinator.CoreThread thread, Consumer<Event> handler, Consumer<Throwable> onFault) {
        this.thread = thread;
        this.handler = handler;
        this.onFault = onFault;
    }

    void post(Event event) {
        if (broken()) {
            return;
        }
        boolean mayBeLost = mayBeLost(event);
        Handed handed = thread.hand(() -> handler.accept(event), mayBeLost);
        if (handed != Handed.FULL) {
            // A core that does not run yet, or no more, decides nothing.
            return;
        }
        if (mayBeLost) {
            LOGGER.atDebug()
                    .addMarker(CLUSTER)
                    .addKeyValue("event", event.getClass().getSimpleName())
                    .log("the decision core is behind, a message was dropped");
        } else if (broken.compareAndSet(false, true)) {
            onFault.accept(new LocalFault(
                    "the decision core does not keep up: its inbox is full and had no room for %s, without which it would decide wrongly"
                            .formatted(event.getClass().getSimpleName())));
        }
    }

    /** Whether an event was lost that the core needs: nothing that it decides counts any more. */
    boolean broken() {
        return broken.get();
    }

    /** What somebody sends who hears nothing then, and asks again or gives up: as on the network, which may lose it too. */
    private static boolean mayBeLost(Event event) {
        return event instanceof Event.Received
                || event instanceof Event.Heard
                || event instanceof Event.Unreachable
                || event instanceof Event.JoinAsked
                || event instanceof Event.AdminAsked;
    }
}
