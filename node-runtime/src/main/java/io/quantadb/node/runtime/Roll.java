package io.quantadb.node.runtime;

import io.quantadb.node.cluster.Member;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.common.PeerId;
import java.util.Collection;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * Who the members are, as a leader says that has applied an entry of its own term. In a {@link Greeting}:
 * {@code roll=<term> <node>=<incarnation> …}, incarnations in base 36.
 */
record Roll(long term, Set<PeerId> members) {
    static final String KEY = "roll";

    private static final int BASE = 36;

    Roll {
        members = Set.copyOf(members);
    }

    static String text(long term, Collection<Member> members) {
        StringBuilder text = new StringBuilder().append(term);
        for (Member member : members) {
            text.append(' ').append(member.node()).append('=');
            text.append(Long.toString(member.peer().incarnation(), BASE));
        }
        return text.toString();
    }

    /** Empty for what is none; an older release sends none. */
    static Optional<Roll> parse(@Nullable String text) {
        if (text == null) {
            return Optional.empty();
        }
        try {
            String[] parts = text.split(" ");
            Set<PeerId> members = new TreeSet<>();
            for (int i = 1; i < parts.length; i++) {
                int equals = parts[i].lastIndexOf('=');
                members.add(new PeerId(
                        new NodeId(parts[i].substring(0, equals)),
                        Long.parseLong(parts[i].substring(equals + 1), BASE)));
            }
            return Optional.of(new Roll(Long.parseLong(parts[0]), members));
        } catch (IllegalArgumentException | IndexOutOfBoundsException e) {
            return Optional.empty();
        }
    }

    /** Whether it leaves this one out, and is no older than what that knows. */
    boolean leavesOut(PeerId peer, long knownTerm) {
        return term >= knownTerm && !members.contains(peer);
    }
}
