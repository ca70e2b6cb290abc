package io.quantadb.node.pgwire;

import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeException.ProtocolViolation;
import java.util.Locale;
import java.util.OptionalInt;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a walsender is asked to do, as far as a relay must understand it. Keywords in any case, one optional semicolon.
 * Source: PostgreSQL documentation, "Streaming Replication Protocol".
 */
public sealed interface ReplicationCommand {
    /** Answered with (systemid, timeline, xlogpos, dbname). */
    record IdentifySystem() implements ReplicationCommand {}

    /** Physical streaming. An absent timeline means the server's current one. */
    record StartReplication(@Nullable String slot, Lsn start, OptionalInt timeline) implements ReplicationCommand {}

    /** Answered with (filename, content). */
    record FetchTimelineHistory(int timeline) implements ReplicationCommand {}

    /** Answered with (slot_type, restart_lsn, restart_tli). */
    record ReadReplicationSlot(String slot) implements ReplicationCommand {}

    record CreateReplicationSlot(String slot, boolean temporary, boolean physical) implements ReplicationCommand {}

    record DropReplicationSlot(String slot) implements ReplicationCommand {}

    record Show(String name) implements ReplicationCommand {}

    record BaseBackup(String options) implements ReplicationCommand {}

    /** Anything else: logical replication, or plain SQL. */
    record Other(String text) implements ReplicationCommand {}

    /** Reads one command; malformed forms of the known ones throw {@link ProtocolViolation} (42601). */
    static ReplicationCommand parse(String text) {
        String trimmed = text.strip();
        String command = trimmed.endsWith(";")
                ? trimmed.substring(0, trimmed.length() - 1).strip()
                : trimmed;
        int end = 0;
        while (end < command.length() && isWordChar(command.charAt(end))) {
            end++;
        }
        String rest = command.substring(end).strip();
        return switch (command.substring(0, end).toUpperCase(Locale.ROOT)) {
            case "IDENTIFY_SYSTEM" -> require(rest.isEmpty(), new IdentifySystem(), text);
            case "START_REPLICATION" -> Parser.startReplication(rest, text);
            case "TIMELINE_HISTORY" -> new FetchTimelineHistory(Parser.timeline(rest, text));
            case "READ_REPLICATION_SLOT" -> new ReadReplicationSlot(Parser.slot(rest, text));
            case "CREATE_REPLICATION_SLOT" -> Parser.createSlot(rest, text);
            case "DROP_REPLICATION_SLOT" ->
                new DropReplicationSlot(Parser.slot(rest.replaceFirst("(?i)\\s+WAIT$", ""), text));
            case "SHOW" -> new Show(rest);
            case "BASE_BACKUP" -> new BaseBackup(rest);
            default -> new Other(command);
        };
    }

    private static boolean isWordChar(char c) {
        return Character.isLetterOrDigit(c) || c == '_';
    }

    private static ReplicationCommand require(boolean ok, ReplicationCommand command, String text) {
        if (!ok) {
            throw Parser.malformed(text);
        }
        return command;
    }

    /** The forms behind {@link #parse}. */
    final class Parser {
        private static final String NAME = "(?:\"([^\"]{1,63})\"|([A-Za-z_0-9]{1,63}))";
        private static final Pattern SLOT = Pattern.compile(NAME);
        private static final Pattern START = Pattern.compile("(?i)(?:SLOT\\s+" + NAME
                + "\\s+)?(PHYSICAL\\s+)?([0-9A-F]{1,8}/[0-9A-F]{1,8})" + "(?:\\s+TIMELINE\\s+(\\d{1,10}))?");
        private static final Pattern LOGICAL = Pattern.compile("(?i)SLOT\\s+" + NAME + "\\s+LOGICAL\\s.*");
        private static final Pattern CREATE =
                Pattern.compile("(?is)" + NAME + "(\\s+TEMPORARY)?\\s+(PHYSICAL|LOGICAL)\\b.*");

        private Parser() {}

        private static ReplicationCommand startReplication(String rest, String text) {
            Matcher m = START.matcher(rest);
            if (m.matches()) {
                String timeline = m.group(5);
                return new StartReplication(
                        m.group(1) != null ? m.group(1) : m.group(2),
                        Lsn.parse(m.group(4)),
                        timeline == null ? OptionalInt.empty() : OptionalInt.of(timeline(timeline, text)));
            }
            if (LOGICAL.matcher(rest).matches()) {
                return new Other("START_REPLICATION " + rest);
            }
            throw malformed(text);
        }

        private static ReplicationCommand createSlot(String rest, String text) {
            Matcher m = CREATE.matcher(rest);
            if (!m.matches()) {
                throw malformed(text);
            }
            return new CreateReplicationSlot(
                    m.group(1) != null ? m.group(1) : m.group(2),
                    m.group(3) != null,
                    m.group(4).equalsIgnoreCase("PHYSICAL"));
        }

        private static String slot(String rest, String text) {
            Matcher m = SLOT.matcher(rest);
            if (!m.matches()) {
                throw malformed(text);
            }
            return m.group(1) != null ? m.group(1) : m.group(2);
        }

        private static int timeline(String digits, String text) {
            try {
                int timeline = Integer.parseInt(digits);
                if (timeline > 0) {
                    return timeline;
                }
            } catch (NumberFormatException e) {
                throw malformed(text);
            }
            throw malformed(text);
        }

        private static ProtocolViolation malformed(String text) {
            String shown = text.length() > 80 ? text.substring(0, 80) + "…" : text;
            return new ProtocolViolation(
                    SqlState.SYNTAX_ERROR, "replication command is not understood: %s".formatted(shown));
        }
    }
}
