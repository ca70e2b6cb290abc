package io.quantadb.node.relay;

import io.quantadb.node.cluster.Event;

/**
 * Hears what happens in the relay. Called on the relay's loop: it must hand over and return at once.
 *
 * <p>The events are the relay's part of {@link Event}: StreamOpened, StreamClosed, WalRemoved, TimelineRefused,
 * StartUnvouched, ReceiverProgress, StreamsClosedBelow, MemberProgress, MemberGone, VoiceOpened, VoiceClosed,
 * PermitObeyed, VoiceReported. Progress comes at most once per {@link RelayConfig#progressInterval()} and source, the last
 * value always.
 */
@FunctionalInterface
public interface RelayListener {
    void onEvent(Event event);
}
