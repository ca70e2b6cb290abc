package io.quantadb.node.wal;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Which timelines a timeline descends from: the contents of {@code pg_wal/0000000N.history}.
 *
 * <pre>
 * parent \t switch position \t reason \n      one line per ancestor, oldest first; '#' begins a comment
 * </pre>
 *
 * <p>An empty file has no parents: such files keep a number from being taken and say nothing of a lineage.
 *
 * @param timeline the timeline itself
 * @param parents oldest first
 */
public record TimelineHistory(int timeline, List<Parent> parents) {
    private static final int MAX_FILE_BYTES = 1 << 20;

    /** WAL of {@code timeline} belongs to the lineage up to {@code switchPoint} (which is not included). */
    public record Parent(int timeline, Lsn switchPoint, String reason) {}

    public TimelineHistory {
        if (timeline <= 0) {
            throw new IllegalArgumentException("timeline %d is not positive".formatted(timeline));
        }
        parents = List.copyOf(parents);
        int previous = 0;
        for (Parent parent : parents) {
            if (parent.timeline() <= previous || parent.timeline() >= timeline) {
                throw new IllegalArgumentException(
                        "the history of timeline %d names %d out of order".formatted(timeline, parent.timeline()));
            }
            previous = parent.timeline();
        }
    }

    public static String fileName(int timeline) {
        return "%08X.history".formatted(timeline);
    }

    /** Reads a file's text; {@link IllegalArgumentException} when PostgreSQL would not understand it either. */
    public static TimelineHistory parse(int timeline, String text) {
        List<Parent> parents = new ArrayList<>();
        for (String raw : text.split("\n", -1)) {
            String line = raw.strip();
            if (line.isEmpty() || line.startsWith("#")) {
                continue;
            }
            String[] words = line.split("\\s+", 3);
            if (words.length < 2) {
                throw new IllegalArgumentException("a line of a timeline history has no switch position: " + line);
            }
            parents.add(new Parent(parseTimeline(words[0]), Lsn.parse(words[1]), words.length == 3 ? words[2] : ""));
        }
        return new TimelineHistory(timeline, parents);
    }

    private static int parseTimeline(String word) {
        try {
            return Integer.parseInt(word);
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("'%s' is not a timeline".formatted(word), e);
        }
    }

    /**
     * Reads {@code pg_wal/0000000N.history} of a data directory; no parents when there is no such file (timeline 1 has
     * none). {@link LocalFault} when it cannot be read or understood.
     */
    public static TimelineHistory read(Path dataDirectory, int timeline) {
        Path file = dataDirectory.resolve("pg_wal").resolve(fileName(timeline));
        try {
            if (Files.size(file) > MAX_FILE_BYTES) {
                throw new LocalFault("%s is larger than a timeline history can be".formatted(file));
            }
            return parse(timeline, Files.readString(file, StandardCharsets.UTF_8));
        } catch (NoSuchFileException e) {
            return new TimelineHistory(timeline, List.of());
        } catch (IOException | IllegalArgumentException e) {
            throw new LocalFault("%s cannot be read as a timeline history".formatted(file), e);
        }
    }

    /** The file's text, as PostgreSQL writes it. */
    public String format() {
        StringBuilder text = new StringBuilder();
        for (Parent parent : parents) {
            text.append(parent.timeline())
                    .append('\t')
                    .append(parent.switchPoint())
                    .append('\t')
                    .append(parent.reason())
                    .append('\n');
        }
        return text.toString();
    }

    /** True when the byte at {@code position}, written on {@code onTimeline}, is part of this timeline's past. */
    public boolean contains(int onTimeline, Lsn position) {
        return timelineOf(position) == onTimeline;
    }

    /** The timeline that wrote the byte at {@code position}, as this lineage has it. */
    public int timelineOf(Lsn position) {
        for (Parent parent : parents) {
            if (position.compareTo(parent.switchPoint()) < 0) {
                return parent.timeline();
            }
        }
        return timeline;
    }

    /** Where {@code ancestor} was left, or {@link Lsn#NONE} when it is this timeline or no ancestor. */
    public Lsn switchPointOf(int ancestor) {
        return parents.stream()
                .filter(parent -> parent.timeline() == ancestor)
                .findFirst()
                .map(Parent::switchPoint)
                .orElse(Lsn.NONE);
    }

    /** This timeline itself or one that it descends from. */
    public boolean descendsFrom(int ancestor) {
        return ancestor == timeline || parents.stream().anyMatch(parent -> parent.timeline() == ancestor);
    }
}
