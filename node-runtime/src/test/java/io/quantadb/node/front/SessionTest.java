package io.quantadb.node.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.embedded.EmbeddedChannel;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

@SuppressWarnings("FutureReturnValueIgnored") // of closes in embedded channels
class SessionTest {
    private static final FrontView.Primary SELF =
            new FrontView.Primary(new NodeId("a"), new HostPort("127.0.0.1", 6432), new HostPort("127.0.0.1", 5432));
    private static final FrontConfig.Limits LIMITS = FrontConfig.Limits.DEFAULT;

    private final AtomicBoolean lease = new AtomicBoolean(true);
    private final AtomicLong now = new AtomicLong();
    private final Gate gate = new Gate(_ -> lease.get(), FrontView.primary(3, SELF));
    private final EmbeddedChannel client = channel();
    private final EmbeddedChannel server = channel();
    private final TestingOwner owner = new TestingOwner();

    @Test
    void forwardsBothWaysAsItCame() {
        // Given
        start(3, false);
        // When
        client.writeInbound(Wire.query("SELECT 1"));
        server.writeInbound(Wire.join(Wire.complete("SELECT 1"), Wire.ready()));
        // Then
        assertThat(Wire.sent(server)).isEqualTo(Wire.bytes(Wire.query("SELECT 1")));
        assertThat(Wire.sent(client)).isEqualTo(Wire.bytes(Wire.join(Wire.complete("SELECT 1"), Wire.ready())));
    }

    @Test
    void holdsAResultWhileTheLeaseIsOutAndGoesOnWhenItIsBack() {
        // Given
        Session session = start(3, false);
        lease.set(false);
        // When
        server.writeInbound(Wire.ready());
        client.writeInbound(Wire.query("SELECT 1"));
        session.recheck();
        // Then
        assertThat(Wire.sent(client)).isEmpty();
        assertThat(Wire.sent(server)).isEmpty();
        assertThat(owner.held).isTrue();
        lease.set(true);
        session.recheck();
        assertThat(Wire.sent(client)).hasSize(6);
        assertThat(Wire.sent(server)).isNotEmpty();
        assertThat(owner.held).isFalse();
    }

    @Test
    void cutsAfterTheGraceWithoutSendingWhatItHeld() {
        // Given
        Session session = start(3, false);
        lease.set(false);
        ByteBuf result = Wire.complete("INSERT 0 1");
        server.writeInbound(result);
        // When
        now.addAndGet(LIMITS.leaseGrace().plusMillis(1).toNanos());
        session.recheck();
        // Then
        Report report = Wire.reportOf(Wire.sent(client));
        assertThat(report.get(Report.CODE)).isEqualTo("57P01");
        assertThat(report.get(Report.MESSAGE)).contains("no longer the primary");
        assertThat(client.isOpen()).isFalse();
        assertThat(server.isOpen()).isFalse();
        assertThat(result.refCnt()).isZero();
        assertThat(owner.ended).isTrue();
    }

    @Test
    void forwardsNothingThatArrivesAfterAFence() {
        // Given
        start(3, false);
        gate.setView(FrontView.closed("fenced", null));
        // When
        server.writeInbound(Wire.complete("INSERT 0 1"));
        // Then
        assertThat(Wire.reportOf(Wire.sent(client)).get(Report.CODE)).isEqualTo("57P01");
        assertThat(client.isOpen()).isFalse();
    }

    @Test
    void closesWithoutWordsInTheMiddleOfAMessage() {
        // Given
        Session session = start(3, false);
        server.writeInbound(Wire.message('D', new byte[100]).writerIndex(50));
        Wire.sent(client);
        // When
        session.cut("fenced");
        // Then
        assertThat(Wire.sent(client)).isEmpty();
        assertThat(client.isOpen()).isFalse();
    }

    @Test
    void holdsTheCompletionOfAStatementWhoseWaitWasCancelled() {
        // Given
        Session session = start(3, false);
        // When
        server.writeInbound(Wire.join(
                Wire.report('N', "WARNING", "01000", "canceling the wait", "SyncRepWaitForLSN"),
                Wire.complete("COMMIT"),
                Wire.ready()));
        // Then
        assertThat(Wire.sent(client)[0]).isEqualTo((byte) 'N');
        assertThat(owner.cancelled).isEqualTo(1);
        assertThat(Wire.sent(client)).isEmpty();
        gate.holdAnswers(1, new Lsn(5), () -> new Lsn(5));
        session.recheck();
        assertThat(new String(Wire.sent(client), StandardCharsets.ISO_8859_1)).contains("COMMIT");
    }

    @Test
    void answersThatTheOutcomeIsUnknownWhenTheVoiceDoesNotPassInTime() {
        // Given
        Session session = start(3, false);
        gate.holdAnswers(0, new Lsn(5), () -> Lsn.NONE);
        server.writeInbound(Wire.join(Wire.complete("COMMIT"), Wire.ready()));
        // When
        now.addAndGet(LIMITS.answersHeldMax().plusMillis(1).toNanos());
        session.recheck();
        // Then
        assertThat(Wire.reportOf(Wire.sent(client)).get(Report.CODE)).isEqualTo("08007");
        assertThat(client.isOpen()).isFalse();
    }

    @Test
    void saysWhereThePrimaryIsWhenAReplicaRefusesAWrite() {
        // Given
        gate.setView(FrontView.standby(SELF));
        start(0, false);
        // When
        server.writeInbound(Wire.report(
                'E', "ERROR", "25006", "cannot execute INSERT in a read-only transaction", "PreventCommand"));
        // Then
        Report report = Wire.reportOf(Wire.sent(client));
        assertThat(report.get(Report.MESSAGE)).isEqualTo("cannot execute write queries on replica node");
        assertThat(report.get(Report.DETAIL)).isEqualTo("cannot execute INSERT in a read-only transaction");
        assertThat(report.get(Report.HINT)).contains("127.0.0.1:5432").contains("9432");
        assertThat(report.get(Report.CODE)).isEqualTo("25006");
    }

    @Test
    void leavesAUsersOwnReadOnlyTransactionOnThePrimaryAlone() {
        // Given
        start(3, false);
        ByteBuf error = Wire.report('E', "ERROR", "25006", "cannot execute INSERT", "PreventCommand");
        byte[] before = Wire.bytes(error.copy());
        // When
        server.writeInbound(error);
        // Then
        assertThat(Wire.sent(client)).isEqualTo(before);
    }

    @Test
    void holdsAStandbysSessionWhileItIsPromotedAndThenTakesItOver() {
        // Given
        gate.setView(FrontView.standby(null));
        Session session = start(0, false);
        gate.setView(FrontView.closed("promoting", null));
        client.writeInbound(Wire.query("INSERT"));
        session.recheck();
        assertThat(Wire.sent(server)).isEmpty();
        // When
        gate.setView(FrontView.primary(4, SELF));
        session.recheck();
        // Then
        assertThat(Wire.sent(server)).isNotEmpty();
        assertThat(session.boundEpoch()).isEqualTo(4);
    }

    @Test
    void cutsAReplicationConnectionThatTakesTheVoicesName() {
        // Given
        start(3, true);
        // When
        server.writeInbound(Wire.setting("application_name", "quantadb_voice"));
        // Then
        assertThat(owner.claimed).isTrue();
        assertThat(server.isOpen()).isFalse();
        assertThat(client.isOpen()).isFalse();
    }

    @Test
    void tellsTheClientThatTheServerIsLostUnlessTheServerSaidSo() {
        // Given
        start(3, false);
        // When
        server.close();
        // Then
        assertThat(Wire.reportOf(Wire.sent(client)).get(Report.CODE)).isEqualTo("08006");
        assertThat(client.isOpen()).isFalse();
    }

    @Test
    void addsNothingToAFatalErrorOfTheServer() {
        // Given
        start(3, false);
        server.writeInbound(Wire.report('E', "FATAL", "28P01", "password authentication failed", "auth_failed"));
        byte[] before = Wire.sent(client);
        // When
        server.close();
        // Then
        assertThat(Wire.reportOf(before).get(Report.CODE)).isEqualTo("28P01");
        assertThat(Wire.sent(client)).isEmpty();
        assertThat(client.isOpen()).isFalse();
    }

    @Test
    void doesNotReadTheServerWhileTheClientIsSlow() {
        // Given
        start(3, false);
        client.config().setWriteBufferWaterMark(new WriteBufferWaterMark(1, 2));
        int readsBefore = owner.serverReads;
        // When
        client.unsafe().outboundBuffer().setUserDefinedWritability(1, false);
        server.writeInbound(Wire.ready());
        // Then
        assertThat(owner.serverReads).isEqualTo(readsBefore);
        client.unsafe().outboundBuffer().setUserDefinedWritability(1, true);
        client.runPendingTasks();
        assertThat(owner.serverReads).isGreaterThan(readsBefore);
    }

    @Test
    void remembersTheKeyForCancelRequests() {
        start(3, false);
        server.writeInbound(Wire.keyData(7, 42));
        assertThat(owner.keys).containsExactly(new CancelKey(7, "0000002a"));
    }

    @Test
    void beginsNothingWhileTheGateDrainsAndGoesOnWhenItNoMoreDoes() {
        // Given
        Session session = start(3, false);
        server.writeInbound(Wire.ready());
        gate.setDraining(true);
        // When
        client.writeInbound(Wire.query("BEGIN"));
        session.recheck();
        // Then
        assertThat(Wire.sent(server)).isEmpty();
        assertThat(session.between()).isTrue();
        gate.setDraining(false);
        session.recheck();
        assertThat(Wire.sent(server)).isEqualTo(Wire.bytes(Wire.query("BEGIN")));
        assertThat(session.between()).isFalse();
    }

    @Test
    void letsATransactionThatIsOpenComeToItsEndWhileTheGateDrains() {
        // Given
        Session session = start(3, false);
        server.writeInbound(Wire.ready());
        client.writeInbound(Wire.query("BEGIN"));
        server.writeInbound(Wire.join(Wire.complete("BEGIN"), Wire.message('Z', (byte) 'T')));
        gate.setDraining(true);
        Wire.sent(server);
        Wire.sent(client);
        // When
        client.writeInbound(Wire.query("COMMIT"));
        boolean between = session.between();
        server.writeInbound(Wire.join(Wire.complete("COMMIT"), Wire.ready()));
        client.writeInbound(Wire.query("BEGIN"));
        // Then
        assertThat(Wire.sent(server)).isEqualTo(Wire.bytes(Wire.query("COMMIT")));
        assertThat(between).isFalse();
        assertThat(owner.between).as("told once the answer was sent").isEqualTo(1);
        assertThat(new String(Wire.sent(client), StandardCharsets.ISO_8859_1)).contains("COMMIT");
    }

    @Test
    void countsAStatementOfTheExtendedProtocolUntilItsSyncIsAnswered() {
        // Given
        Session session = start(3, false);
        boolean startingUp = session.between();
        server.writeInbound(Wire.ready());
        boolean started = session.between();
        // When
        client.writeInbound(Wire.message('P', new byte[8]));
        boolean parsing = session.between();
        client.writeInbound(Wire.join(Wire.message('E', new byte[5]), Wire.message('S')));
        server.writeInbound(Wire.ready());
        // Then
        assertThat(List.of(startingUp, started, parsing, session.between())).containsExactly(false, true, false, true);
    }

    @Test
    void saysOfATransactionThatWaitsForItsClientThatItWasRolledBack() {
        // Given
        Session session = start(3, false);
        server.writeInbound(Wire.ready());
        client.writeInbound(Wire.query("BEGIN"));
        server.writeInbound(Wire.join(Wire.complete("BEGIN"), Wire.message('Z', (byte) 'T')));
        Wire.sent(client);
        // When
        session.cut("The primary moves to b.");
        // Then
        assertThat(Wire.reportOf(Wire.sent(client)).get(Report.CODE)).isEqualTo("40001");
    }

    @Test
    void doesNotSayThatATransactionWasRolledBackWhileItsCommitIsUnderWay() {
        // Given
        Session session = start(3, false);
        server.writeInbound(Wire.ready());
        client.writeInbound(Wire.query("BEGIN"));
        server.writeInbound(Wire.join(Wire.complete("BEGIN"), Wire.message('Z', (byte) 'T')));
        client.writeInbound(Wire.message('P', new byte[8]));
        client.writeInbound(Wire.message('E', new byte[5]));
        Wire.sent(client);
        // When
        session.cut("The primary moves to b.");
        // Then
        assertThat(Wire.reportOf(Wire.sent(client)).get(Report.CODE)).isEqualTo("57P01");
    }

    private Session start(long epoch, boolean replication) {
        server.pipeline().addFirst(new io.netty.channel.ChannelOutboundHandlerAdapter() {
            @Override
            public void read(io.netty.channel.ChannelHandlerContext ctx) throws Exception {
                owner.serverReads++;
                super.read(ctx);
            }
        });
        var session = new Session(
                new Session.Setup(
                        1, Session.Kind.LOCAL, "u", "127.0.0.1:1", replication, false, gate, epoch, null, LIMITS),
                client,
                server,
                owner,
                now::get);
        session.start(Unpooled.buffer().writeByte(0), Unpooled.EMPTY_BUFFER);
        Wire.sent(server);
        return session;
    }

    private static EmbeddedChannel channel() {
        var channel = new EmbeddedChannel();
        channel.config().setAutoRead(false);
        return channel;
    }

    private final class TestingOwner implements Session.Owner {
        private final List<CancelKey> keys = new ArrayList<>();
        private int cancelled;
        private int serverReads;
        private boolean claimed;
        private boolean held;
        private boolean ended;
        private int between;

        @Override
        public void onWaitCancelled(Session session) {
            cancelled++;
            gate.waitCancelled(session.boundEpoch());
        }

        @Override
        public void onVoiceNameClaimed(Session session) {
            claimed = true;
        }

        @Override
        public void onKey(Session session, CancelKey key) {
            keys.add(key);
        }

        @Override
        public void onHeld(Session session, boolean isHeld) {
            held = isHeld;
        }

        @Override
        public void onBetween(Session session) {
            between++;
        }

        @Override
        public void onEnded(Session session) {
            ended = true;
        }

        @Override
        public Report readOnly(Report original) {
            return Words.readOnly(original, gate.view(), 9432);
        }
    }
}
