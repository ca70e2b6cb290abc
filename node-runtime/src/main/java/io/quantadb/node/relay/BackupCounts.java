package io.quantadb.node.relay;

import io.netty.channel.Channel;
import io.quantadb.node.transport.PeerStreams;
import io.quantadb.node.transport.PeerStreams.Verdict;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Counts the base backups that members ask for, each of them once when it ends, however it does. Relay's loop. */
final class BackupCounts {
    private long asked;
    private long begun;
    private long complete;
    private long failed;

    /** One more is asked for; a refusal ends it. Whoever waits for a turn asks again, and has asked only then. */
    Verdict asked(Verdict verdict) {
        asked++;
        return new Verdict() {
            @Override
            public void accept(byte[] reply, Consumer<Channel> owner) {
                verdict.accept(reply, owner);
            }

            @Override
            public void refuse(String code, String words) {
                if (code.equals(PeerStreams.NOT_YOUR_TURN)) {
                    asked--;
                } else {
                    ended(null);
                }
                verdict.refuse(code, words);
            }
        };
    }

    /** @param copied how far it came; null when it did not even begin to run */
    void ended(@Nullable BackupWatch copied) {
        boolean whole = copied != null && copied.complete();
        begun += copied != null && copied.begun() ? 1 : 0;
        complete += whole ? 1 : 0;
        failed += whole ? 0 : 1;
    }

    /** @param running those that the server has begun and that have not ended */
    RelaySnapshot.Backups view(long running) {
        return new RelaySnapshot.Backups(asked, begun + running, complete, failed);
    }
}
