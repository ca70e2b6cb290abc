package io.quantadb.node.relay;

import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.quantadb.node.cluster.Rule;
import io.quantadb.node.cluster.VoicePermit;
import io.quantadb.node.cluster.VoiceRule.Seen;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.MemberRef;
import io.quantadb.node.common.NodeException.Busy;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.SlotNames;
import io.quantadb.node.transport.PeerStreams;
import io.quantadb.node.transport.PeerStreams.Incoming;
import io.quantadb.node.transport.PeerStreams.Verdict;
import io.quantadb.node.transport.StreamKind;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The streams that other members draw from this node's server: accepted for exactly the epoch that is served, one WAL
 * stream a member (a newer one ends the older, so that nobody counts twice), and bounded in number.
 *
 * <p>Once the members are known, only they are served, each in its present incarnation: a disk that was replaced may come
 * back in the same epoch and, by chance, with a generation that the rule names.
 *
 * <p>A member that asks for an epoch which is not served here yet waits a moment: it heard of the promotion as early as this
 * node did, whose server takes longer, and with the handshake behind it it streams at once. A newer one of the same member
 * takes its place.
 *
 * <p>A standby feeds those alone that it was told to, and with WAL alone: whoever clones or rewinds goes to the primary.
 *
 * <p>Refusals say why: {@code wrong_epoch}, {@code bad_header}, {@code no_member}, {@code too_many}, {@code not_fed} (this node is a standby that does not feed the member), {@code not_ready} (the local server
 * does not take connections), {@code not_yet} (it is being made ready to rewind by: ask again), {@code not_your_turn} (another member is being copied:
 * ask again, see {@link CopyTurns}). Confined to the relay's loop.
 */
final class ServedStreams implements Members, ServedStream.Owner {
    private static final int STREAMS_MAX = 64;

    private final RelayContext context;
    private final Runnable onMoved;
    private final List<ServedStream> open = new ArrayList<>();
    private final ServedCopies copies;
    private final StreamCounts counts = new StreamCounts();
    private @Nullable VoicePermit permit;
    private final EarlyStreams early;
    private int opening;
    private long epoch;
    private long frozenBelow;
    private @Nullable NodeId only;
    private @Nullable Set<NodeId> fed;
    private @Nullable Map<NodeId, Long> incarnations;
    private @Nullable RewindSource rewinds;

    /** {@code onMoved} runs whenever a member's position may have risen. */
    ServedStreams(RelayContext context, Runnable onMoved) {
        this.context = context;
        this.onMoved = onMoved;
        this.copies = new ServedCopies(context);
        this.early =
                new EarlyStreams(context, asked -> asked.verdict().refuse("wrong_epoch", wrongEpoch(asked.header())));
    }

    /** From whom members may rewind; nobody's server before this is said. */
    void rewindsBy(RewindSource source) {
        rewinds = source;
    }

    void serve(long wanted) {
        serve(wanted, null);
    }

    private void serve(long wanted, @Nullable NodeId nobodyBut) {
        epoch = wanted < frozenBelow ? 0 : wanted;
        only = epoch == 0 ? null : nobodyBut;
        fed = null;
        var _ = closeWhere(stream -> stream.header().epoch() != epoch, "epoch " + epoch + " is served now");
        decideEarly();
    }

    /** Lets that node alone read WAL under this epoch; this node has promised it, so nothing lower is served. */
    void serveFetch(NodeId to, long wanted) {
        serve(wanted, to);
    }

    /** Lets these read WAL under this epoch, which this standby follows itself. */
    void feed(long wanted, Set<NodeId> members) {
        epoch = wanted < frozenBelow ? 0 : wanted;
        only = null;
        fed = epoch == 0 ? null : members;
        var _ = closeWhere(
                stream -> stream.header().epoch() != epoch
                        || !isFed(stream.header().member().node(), stream.isWal()),
                epoch == 0 ? "this standby feeds nobody now" : "this standby feeds " + members);
        decideEarly();
    }

    private boolean isFed(NodeId node, boolean wal) {
        Set<NodeId> whom = fed;
        return whom == null || (wal && whom.contains(node));
    }

    /** The server is about to stop, which takes until every stream has confirmed all: only this one is worth that. */
    void keepOnly(NodeId heir) {
        only = heir;
        var _ = closeWhere(
                stream -> !stream.isWal() || !stream.header().member().node().equals(heir),
                "the primary moves to " + heir);
    }

    /** By which rule commits wait, and so for whom; null while nothing is known. */
    void setPermit(@Nullable VoicePermit next) {
        permit = next;
    }

    @Override
    public boolean awaits(MemberRef member) {
        VoicePermit p = permit;
        // One that shall have all before this server stops is waited for as well.
        boolean last = only != null && only.equals(member.node());
        return last || p == null || counts(p.rule(), member) || (p.nextRule() != null && counts(p.nextRule(), member));
    }

    private static boolean counts(Rule rule, MemberRef member) {
        return rule.k() > 0 && rule.set().contains(member);
    }

    @Override
    public void onPassed(MemberRef member, int bytes) {
        counts.passed(member.node(), bytes);
    }

    @Override
    public void onCopied(ServedStream stream) {
        copies.onCopied(stream);
    }

    /** A few times a second. */
    void tick() {
        counts.measure(context.nanos());
        for (ServedStream still : copies.still()) {
            var _ = still.close("its base backup made no progress for too long");
        }
    }

    /** Serves these nodes in these incarnations only, and ends the streams of all others. */
    void admit(Map<NodeId, Long> members) {
        incarnations = members;
        var _ = closeWhere(stream -> !admitted(stream.header()), "it is no member, or of another incarnation");
    }

    private boolean admitted(StreamHeader header) {
        Map<NodeId, Long> known = incarnations;
        return known == null
                || Long.valueOf(header.incarnation())
                        .equals(known.get(header.member().node()));
    }

    List<ChannelFuture> closeBelow(long below) {
        frozenBelow = Math.max(frozenBelow, below);
        if (epoch < frozenBelow) {
            epoch = 0;
        }
        return closeWhere(stream -> stream.header().epoch() < frozenBelow, "frozen for epoch " + below);
    }

    long epoch() {
        return epoch;
    }

    void onOpen(Incoming incoming, Verdict given) {
        Verdict verdict = incoming.kind() == StreamKind.BASE_BACKUP ? copies.asked(given) : given;
        StreamHeader header;
        try {
            header = StreamHeader.decode(incoming.header());
        } catch (ProtocolViolation e) {
            verdict.refuse("bad_header", "this node cannot read the stream's header: " + e.getMessage());
            return;
        }
        if (!header.member().node().equals(incoming.peer())) {
            verdict.refuse(
                    "bad_header",
                    "the stream names %s, the certificate %s"
                            .formatted(header.member().node(), incoming.peer()));
        } else if (header.epoch() > epoch && header.epoch() >= frozenBelow && incoming.kind() == StreamKind.WAL) {
            early.await(new EarlyStreams.Early(incoming, header, verdict));
        } else if (header.epoch() != epoch || epoch == 0 || (only != null && !only.equals(incoming.peer()))) {
            verdict.refuse("wrong_epoch", wrongEpoch(header));
        } else if (!isFed(incoming.peer(), incoming.kind() == StreamKind.WAL)) {
            verdict.refuse("not_fed", "this node is a standby that feeds %s".formatted(fed));
        } else if (!admitted(header)) {
            verdict.refuse(
                    "no_member",
                    "incarnation %d of %s is no member here".formatted(header.incarnation(), incoming.peer()));
        } else if (open.size() + opening >= STREAMS_MAX) {
            verdict.refuse("too_many", "this node serves %d streams already".formatted(STREAMS_MAX));
        } else {
            connect(new Asked(incoming.kind(), header, verdict));
        }
    }

    private void decideEarly() {
        early.decide(epoch, asked -> onOpen(asked.incoming(), asked.verdict()));
    }

    private String wrongEpoch(StreamHeader header) {
        return epoch == 0
                ? "this node serves no streams now"
                : "this node serves streams of epoch %d, not %d".formatted(epoch, header.epoch());
    }

    private void connect(Asked asked) {
        NodeId member = asked.header.member().node();
        if (asked.kind == StreamKind.REWIND) {
            prepareRewind(asked);
            return;
        }
        if (asked.kind == StreamKind.WAL) {
            // It has given the old one up, and the slot is free for the new one only once that has ended.
            closeOlder(member);
        } else {
            var _ = closeWhere(
                    other -> other.isBackup() && other.header().member().node().equals(member),
                    "the member asked for a newer base backup");
            asked.turn = copies.turn(asked.header.member());
            if (asked.turn == null) {
                asked.refuse(PeerStreams.NOT_YOUR_TURN, copies.whyNot(member));
                return;
            }
        }
        PgLogin.start(context.loop(), context.config(), applicationName(asked.header), new PgLogin.Outcome() {
            @Override
            public void onReady(Channel server, String serverVersion) {
                keepWal(asked, server, serverVersion);
            }

            @Override
            public void onFailed(String reason) {
                asked.notReady(reason);
            }
        });
    }

    /** From here on WAL is kept for the member: from what it has on, or from where its base backup begins. */
    private void keepWal(Asked asked, Channel server, String serverVersion) {
        String slot = SlotNames.of(asked.header.member().node());
        boolean anew = asked.kind == StreamKind.BASE_BACKUP;
        MemberSlot.ensure(context.loop(), context.config(), server, slot, anew, new MemberSlot.Outcome() {
            @Override
            public void onReady(boolean kept) {
                accept(new Opening(asked, server, serverVersion, kept ? slot : null, null));
            }

            @Override
            public void onFailed(String reason) {
                asked.notReady(reason);
            }
        });
    }

    /** The server's side of it may have to write a checkpoint first, and the member asks again as long as that lasts. */
    private void prepareRewind(Asked asked) {
        RewindSource source = rewinds;
        if (source == null) {
            asked.refuse("not_served", "this node's server is not one to rewind by");
            return;
        }
        Thread.ofVirtual().name("quantadb-rewind-source").start(() -> {
            try {
                RewindSource.Login login = source.prepare();
                context.loop().execute(() -> logIn(login, asked));
            } catch (Busy e) {
                context.loop().execute(() -> asked.refuse("not_yet", Link.reason(e)));
            } catch (RuntimeException e) {
                context.loop().execute(() -> asked.notReady(Link.reason(e)));
            }
        });
    }

    private void logIn(RewindSource.Login login, Asked asked) {
        String name = applicationName(asked.header) + "_rewind";
        PgLogin.start(context.loop(), context.config(), login, name, new PgLogin.Outcome() {
            @Override
            public void onReady(Channel server, String serverVersion) {
                accept(new Opening(asked, server, serverVersion, null, login));
            }

            @Override
            public void onFailed(String reason) {
                asked.notReady(reason);
            }
        });
    }

    private void accept(Opening claim) {
        Asked asked = claim.asked;
        if (asked.header.epoch() != epoch) {
            RelayContext.close(claim.server);
            asked.refuse("wrong_epoch", wrongEpoch(asked.header));
            return;
        }
        asked.verdict.accept(
                claim.serverVersion.getBytes(StandardCharsets.UTF_8),
                peer -> context.loop().execute(() -> claim.accepted(peer)));
        context.after(context.config().connectTimeout().toMillis(), claim::abandoned);
    }

    /** A stream that was let in, until it is accepted or refused all the same. */
    private final class Asked {
        private final StreamKind kind;
        private final StreamHeader header;
        private final Verdict verdict;
        /** Of a base backup alone. */
        private CopyTurns.@Nullable Turn turn;

        private Asked(StreamKind kind, StreamHeader header, Verdict verdict) {
            this.kind = kind;
            this.header = header;
            this.verdict = verdict;
            opening++;
        }

        private void refuse(String code, String words) {
            opening--;
            if (turn != null) {
                turn.end();
            }
            verdict.refuse(code, words);
        }

        private void notReady(String reason) {
            refuse("not_ready", "this node's server does not take connections: " + reason);
        }
    }

    /** Between the accepting of a stream and the handing over of its channel, which may never come. */
    private final class Opening {
        private final Asked asked;
        private final Channel server;
        private final String serverVersion;
        private final @Nullable String slot;
        private final RewindSource.@Nullable Login login;
        private boolean settled;

        private Opening(
                Asked asked,
                Channel server,
                String serverVersion,
                @Nullable String slot,
                RewindSource.@Nullable Login login) {
            this.asked = asked;
            this.server = server;
            this.serverVersion = serverVersion;
            this.slot = slot;
            this.login = login;
        }

        private void accepted(Channel peer) {
            boolean first = settle();
            StreamHeader header = asked.header;
            boolean still = header.epoch() == epoch
                    && admitted(header)
                    && isFed(header.member().node(), asked.kind == StreamKind.WAL);
            if (first && server.isOpen() && still) {
                begin(
                        new ServedStream(
                                context,
                                header,
                                asked.kind,
                                peer,
                                server,
                                serverVersion,
                                slot,
                                login,
                                ServedStreams.this),
                        asked.turn);
            } else {
                RelayContext.close(server);
                RelayContext.close(peer);
                if (first) {
                    neverRan();
                }
            }
        }

        private void neverRan() {
            if (asked.turn != null) {
                copies.neverRan(asked.turn);
            }
        }

        private void abandoned() {
            if (settle()) {
                RelayContext.close(server);
                neverRan();
            }
        }

        private boolean settle() {
            if (settled) {
                return false;
            }
            settled = true;
            opening--;
            return true;
        }
    }

    ServedCopies copies() {
        return copies;
    }

    private void begin(ServedStream stream, CopyTurns.@Nullable Turn turn) {
        if (stream.isWal()) {
            closeOlder(stream.header().member().node());
        }
        if (turn != null && !copies.begin(stream, turn)) {
            var _ = stream.close("the member asked for a newer base backup");
            return;
        }
        open.add(stream);
        stream.start();
    }

    private void closeOlder(NodeId node) {
        var _ = closeWhere(
                other -> other.isWal() && other.header().member().node().equals(node),
                "the member opened a newer stream");
    }

    /** The walsender's name for a member; never the voice's, which bears no generation. */
    static String applicationName(StreamHeader header) {
        return "quantadb_" + header.member().node() + "_" + header.member().generation();
    }

    private List<ChannelFuture> closeWhere(Predicate<ServedStream> which, String reason) {
        List<ChannelFuture> closing = new ArrayList<>();
        for (ServedStream stream : List.copyOf(open)) {
            if (which.test(stream)) {
                closing.add(stream.close(reason));
            }
        }
        return closing;
    }

    @Override
    public Collection<Seen> seen() {
        List<Seen> seen = new ArrayList<>(open.size());
        for (ServedStream stream : open) {
            Seen one = stream.seen();
            if (one != null) {
                seen.add(one);
            }
        }
        return seen;
    }

    @Override
    public Lsn serverFlushed() {
        Lsn highest = Lsn.NONE;
        for (ServedStream stream : open) {
            highest = Lsn.max(highest, stream.serverFlushed());
        }
        return highest;
    }

    @Override
    public void onMoved() {
        onMoved.run();
    }

    @Override
    public void onEnded(ServedStream stream) {
        open.remove(stream);
        if (stream.isWal() && stream.broke()) {
            counts.broke(stream.header().member().node());
        }
        copies.onEnded(stream);
    }

    List<RelaySnapshot.Member> snapshot() {
        return open.stream()
                .filter(ServedStream::isWal)
                .map(stream -> stream.snapshot(counts))
                .toList();
    }

    void close() {
        epoch = 0;
        early.refuseAll();
        var _ = closeWhere(stream -> true, "the relay stops");
    }
}
