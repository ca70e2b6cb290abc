package io.quantadb.node.api;

/** Answers probes from memory: asked on the API's thread, must not wait. */
public interface Probes {
    /** Whether the agent's own loops turn; asks neither peers nor PostgreSQL, since no restart of this agent mends them. */
    Probe live();

    /** Whether this node can serve its part at this moment. */
    Probe ready();

    /** Whether the start has come to its end, or goes on in a way that a restart would only throw back. */
    Probe startup();

    /** A node that is as ready as its view says and has no loops of its own; for tools and a single node. */
    static Probes of(java.util.function.Supplier<ClusterView> views) {
        return new Probes() {
            @Override
            public Probe live() {
                return new Probe(true, "ok", "", "");
            }

            @Override
            public Probe ready() {
                ClusterView view = views.get();
                return new Probe(
                        view.healthy(),
                        view.healthy() ? "ready" : "not ready",
                        view.role().name(),
                        view.reason());
            }

            @Override
            public Probe startup() {
                ClusterView view = views.get();
                return new Probe(view.healthy(), view.healthy() ? "started" : "starting", "", view.reason());
            }
        };
    }
}
