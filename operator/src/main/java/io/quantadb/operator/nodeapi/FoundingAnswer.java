package io.quantadb.operator.nodeapi;

/** What came of {@code POST /cluster/bootstrap}. */
public sealed interface FoundingAnswer {
    /** There is a cluster of this uid now. */
    record Founded(String clusterId) implements FoundingAnswer {}

    /** It goes on, or the node is not far enough: ask again. */
    record Pending(String words) implements FoundingAnswer {}

    /** Nothing was changed; the words say why. */
    record Refused(String words) implements FoundingAnswer {}
}
