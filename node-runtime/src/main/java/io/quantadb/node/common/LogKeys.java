package io.quantadb.node.common;

import java.util.Set;
import org.slf4j.Marker;
import org.slf4j.MarkerFactory;

/** Keys and markers of log lines. A marker says which story a line belongs to and is printed as its prefix. */
public final class LogKeys {
    public static final Marker RAFT = MarkerFactory.getMarker("raft");
    public static final Marker REPLICATION = MarkerFactory.getMarker("replication");
    public static final Marker FAILOVER = MarkerFactory.getMarker("failover");
    public static final Marker CLUSTER = MarkerFactory.getMarker("cluster");

    /** The stories that the cluster tells of itself. */
    public static final Set<Marker> STORIES = Set.of(RAFT, REPLICATION, FAILOVER, CLUSTER);

    public static final String NODE = "node";
    public static final String PEER = "peer";
    public static final String TERM = "term";
    public static final String EPOCH = "epoch";
    public static final String TIMELINE = "timeline";
    public static final String LSN = "lsn";
    public static final String GENERATION = "generation";
    public static final String REASON = "reason";
    public static final String ADDRESS = "address";
    public static final String SESSION = "session";
    public static final String PID = "pid";

    private LogKeys() {}
}
