package io.quantadb.node.front;

import io.quantadb.node.common.NodeId;

/** Where a new connection goes: a pure decision over the view and the lease. */
final class Router {
    private Router() {}

    /** How a connection came to this front. */
    enum Origin {
        /** On the {@code local} listener. */
        LOCAL,
        /** On the {@code primary} listener. */
        PRIMARY,
        /** From the front of another node, for the primary. */
        PEER
    }

    sealed interface Route {
        /** To the PostgreSQL beside us, bound to an epoch, or to none (0) on a standby. */
        record Here(long epoch) implements Route {}

        record Peer(FrontView.Primary primary) implements Route {}

        /** Nowhere yet; these are the words if it stays so. */
        record Wait(Report words) implements Route {}
    }

    static Route route(Origin origin, FrontView view, NodeId self, LeaseView lease) {
        if (view.mode() == FrontView.Mode.PRIMARY) {
            return lease.holds(view.epoch())
                    ? new Route.Here(view.epoch())
                    : new Route.Wait(Words.noPrimary("This node has lost contact with the majority."));
        }
        if (origin == Origin.LOCAL) {
            return view.mode() == FrontView.Mode.STANDBY
                    ? new Route.Here(0)
                    : new Route.Wait(Words.notServing(view.reason()));
        }
        FrontView.Primary primary = view.primary();
        return origin == Origin.PRIMARY && primary != null && !primary.node().equals(self)
                ? new Route.Peer(primary)
                : new Route.Wait(Words.noPrimary(view.reason()));
    }
}
