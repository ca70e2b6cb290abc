package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.channel.Channel;
import io.quantadb.node.cluster.Action;
import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.cluster.Event;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.transport.PeerStreams;
import io.quantadb.node.transport.StreamKind;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;

class JoinBookTest {
    private static final HostPort AT = new HostPort("localhost", 1);
    private static final Addresses ADDRESSES = new Addresses(AT, AT, AT, AT, AT);

    private long now = 5;
    private final List<Event> asked = new ArrayList<>();
    private final JoinBook book = new JoinBook(() -> greeting("n1"), () -> now);

    @Test
    void aJoinWhoseAnswerWasLostTakesAPlaceOnlyUntilItsDeadline() {
        // Given
        book.attach(asked::add);
        List<Answer> lost = new ArrayList<>();
        for (int i = 0; i < JoinBook.WAITING_MAX; i++) {
            lost.add(join("n" + (i + 2)));
        }
        Answer tooMany = join("late");
        now += JoinBook.ANSWER_WITHIN.toNanos();

        // When
        Answer after = join("later");

        // Then
        assertThat(tooMany.said).containsExactly("WAIT too many nodes ask to be let in at once");
        assertThat(lost)
                .allSatisfy(a ->
                        assertThat(a.said).singleElement().asString().startsWith("WAIT the cluster gave no answer"));
        assertThat(after.said).isEmpty();
        assertThat(asked).hasSize(JoinBook.WAITING_MAX + 1);
    }

    @Test
    void aJoinIsAnsweredOnceAndItsPlaceIsFree() {
        // Given
        book.attach(asked::add);
        Answer join = join("n2");
        long id = ((Event.JoinAsked) asked.getFirst()).requestId();
        book.answer(new Action.JoinAnswer(id, Action.JoinVerdict.REFUSED, "no"));

        // When
        book.answer(new Action.JoinAnswer(id, Action.JoinVerdict.ACCEPTED, ""));
        now += 2 * JoinBook.ANSWER_WITHIN.toNanos();
        join("n3");

        // Then
        assertThat(join.said).containsExactly(Formation.REJECTED + " no");
    }

    @Test
    void aJoinSaysFromWhomTheNodeIsToStreamAndOneOfAnEarlierReleaseSaysNothing() {
        // Given
        book.attach(asked::add);

        // When
        join("n2", Map.of("kind", "READ_REPLICA", "upstream", "n3"));
        join("n4", Map.of("kind", "READ_REPLICA", "upstream", ""));
        join("n5", Map.of());

        // Then
        assertThat(asked)
                .extracting(e -> ((Event.JoinAsked) e).upstream())
                .containsExactly(new NodeId("n3"), null, null);
    }

    private Answer join(String node) {
        return join(node, Map.of());
    }

    private Answer join(String node, Map<String, String> extra) {
        Answer answer = new Answer();
        NodeId id = new NodeId(node);
        byte[] greeting = greeting(node, extra).encode();
        book.onJoin(new PeerStreams.Incoming(id, StreamKind.JOIN, greeting, AT), answer);
        return answer;
    }

    private static Greeting greeting(String node) {
        return greeting(node, Map.of());
    }

    private static Greeting greeting(String node, Map<String, String> extra) {
        NodeId id = new NodeId(node);
        return new Greeting(id, 7, "", 0, "", Map.of(id, ADDRESSES), extra);
    }

    private static final class Answer implements PeerStreams.Verdict {
        final List<String> said = new ArrayList<>();

        @Override
        public void accept(byte[] reply, Consumer<Channel> owner) {
            said.add("accepted");
        }

        @Override
        public void refuse(String code, String words) {
            said.add(code + " " + words);
        }
    }
}
