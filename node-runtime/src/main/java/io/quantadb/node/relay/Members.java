package io.quantadb.node.relay;

import io.quantadb.node.cluster.VoiceRule.Seen;
import io.quantadb.node.common.Lsn;
import java.util.Collection;

/** What the voice asks of the streams served, on the relay's loop. */
interface Members {
    /** One for each open stream that has reported; positions are capped by what that very stream delivered. */
    Collection<Seen> seen();

    /** The highest position that the local server told any open stream it had flushed. */
    Lsn serverFlushed();
}
