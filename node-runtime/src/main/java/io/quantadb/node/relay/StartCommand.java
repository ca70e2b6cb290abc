package io.quantadb.node.relay;

import io.quantadb.node.common.Lsn;
import java.util.Locale;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A standby's {@code START_REPLICATION [SLOT "name"] [PHYSICAL] lsn [TIMELINE n]}, taken apart so that the relay can
 * issue it again at another position.
 *
 * @param slot {@code SLOT "name" } as it was written, or empty
 * @param timeline 0 when none was named
 */
record StartCommand(String slot, Lsn start, int timeline) {
    private static final Pattern FORM = Pattern.compile(
            "\\s*START_REPLICATION\\s+(SLOT\\s+\"?[^\"\\s]{1,200}\"?\\s+)?(?:PHYSICAL\\s+)?"
                    + "([0-9A-F]{1,8}/[0-9A-F]{1,8})(?:\\s+TIMELINE\\s+(\\d{1,9}))?\\s*;?\\s*",
            Pattern.CASE_INSENSITIVE);

    static Optional<StartCommand> parse(String query) {
        Matcher m = FORM.matcher(query);
        if (!m.matches()) {
            return Optional.empty();
        }
        String slot = m.group(1) == null ? "" : m.group(1);
        int timeline = m.group(3) == null ? 0 : Integer.parseInt(m.group(3));
        return Optional.of(new StartCommand(slot, Lsn.parse(m.group(2)), timeline));
    }

    /** Whether a member may send this on its stream: only what a WAL receiver asks. */
    static boolean allowed(String query) {
        String upper = query.strip().toUpperCase(Locale.ROOT);
        return upper.equals("IDENTIFY_SYSTEM")
                || upper.equals("IDENTIFY_SYSTEM;")
                || upper.matches("TIMELINE_HISTORY \\d{1,9};?")
                || parse(query).isPresent();
    }

    StartCommand at(Lsn position) {
        return new StartCommand(slot, position, timeline);
    }

    /** The same by this slot, whatever was asked for; null for none. */
    StartCommand by(@Nullable String slotName) {
        return new StartCommand(slotName == null ? "" : "SLOT \"" + slotName + "\" ", start, timeline);
    }

    String text() {
        return "START_REPLICATION " + slot + start + (timeline == 0 ? "" : " TIMELINE " + timeline);
    }
}
