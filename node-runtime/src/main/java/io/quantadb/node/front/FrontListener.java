package io.quantadb.node.front;

/** What the front tells the node. Called on an event loop: hand over and return at once. */
public interface FrontListener {
    /**
     * A backend said that its wait for acknowledgement was cancelled: its commit is visible, and perhaps nowhere else.
     * From before this call the front holds every answer of this server; it goes on when
     * {@link SqlFront#holdAnswers(long, io.quantadb.node.common.Lsn, java.util.function.Supplier)} names, for this or
     * a later ticket, a position that was read <em>after</em> this call, and the voice has passed it.
     */
    void onWaitCancelled(long ticket);

    /** A client's replication connection took the voice's name and was cut; check that nobody else bears it. */
    default void onVoiceNameClaimed(String user, String clientAddress) {}
}
