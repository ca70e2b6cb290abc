package io.quantadb.operator.resource;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.fabric8.kubernetes.api.model.HasMetadata;
import java.io.IOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Remembers what was applied and what the server made of it, so that an apply that would change nothing is left out: the
 * same is wanted, and the watches show the object as it was left. Whatever anybody changes about an object, but for its
 * status, makes it differ, and so does another object of its name.
 *
 * <p>Believed for ten minutes, in case a watch tells nothing any more; at most {@value #OBJECTS_MAX} objects, the one
 * longest unused goes first. Lost with the operator, which then applies everything once. Any thread.
 */
public final class Settled {
    private static final int OBJECTS_MAX = 10_000;
    private static final Duration BELIEVED_FOR = Duration.ofMinutes(10);
    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.ORDER_MAP_ENTRIES_BY_KEYS);

    private record Key(String kind, String namespace, String name) {
        static Key of(HasMetadata object) {
            var meta = object.getMetadata();
            return new Key(object.getKind(), meta.getNamespace(), meta.getName());
        }
    }

    /**
     * Digests of an object and of what came of it.
     *
     * @param until when it is to be applied again whatever the watches show
     */
    private record Entry(String wanted, String made, Instant until) {}

    private final InstantSource clock;
    private final Map<Key, Entry> entries = new LinkedHashMap<>(16, 0.75f, true);

    public Settled(InstantSource clock) {
        this.clock = clock;
    }

    /** Whether applying the object would change nothing. */
    public synchronized boolean stands(HasMetadata wanted, Watched watched) {
        Entry entry = entries.get(Key.of(wanted));
        return entry != null
                && clock.instant().isBefore(entry.until())
                && entry.wanted().equals(digest(wanted))
                && watched.named(wanted.getClass(), wanted.getMetadata().getName())
                        .filter(object -> digest(object).equals(entry.made()))
                        .isPresent();
    }

    /** The object was applied, and this came of it. */
    synchronized void made(HasMetadata wanted, HasMetadata result) {
        entries.put(
                Key.of(wanted),
                new Entry(digest(wanted), digest(result), clock.instant().plus(BELIEVED_FOR)));
        if (entries.size() > OBJECTS_MAX) {
            var eldest = entries.entrySet().iterator();
            eldest.next();
            eldest.remove();
        }
    }

    /** Of everything that somebody can want of an object; not of what its controller tells, nor of counters. */
    private static String digest(HasMetadata object) {
        ObjectNode tree = JSON.valueToTree(object);
        // An object out of a list does not always say what it is.
        tree.remove(List.of("status", "apiVersion", "kind"));
        if (tree.get("metadata") instanceof ObjectNode meta) {
            meta.remove(List.of("managedFields", "resourceVersion", "generation", "selfLink"));
        }
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256").digest(JSON.writeValueAsBytes(sorted(tree)));
            return HexFormat.of().formatHex(digest);
        } catch (NoSuchAlgorithmException | IOException e) {
            throw new IllegalStateException("an object cannot be digested", e);
        }
    }

    /** A tree keeps the order in which its fields were read; a map does not have to. */
    private static Object sorted(ObjectNode tree) throws IOException {
        return JSON.treeToValue(tree, Object.class);
    }
}
