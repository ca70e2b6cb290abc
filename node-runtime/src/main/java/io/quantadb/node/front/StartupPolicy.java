package io.quantadb.node.front;

import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a client may ask for in its start-up packet: a pure decision.
 *
 * <ol>
 *   <li>The internal roles are refused: PostgreSQL trusts them on the unix socket, where every client seems to come
 *       from.
 *   <li>Lowered {@code synchronous_commit} is refused, unless allowed: such commits would be acknowledged unreplicated.
 *   <li>A replication connection never bears the name of the voice, which alone may acknowledge commits. The name is
 *       always set, because a setting of the role or database could bring it in otherwise.
 * </ol>
 */
final class StartupPolicy {
    /** The role of the agent itself. */
    static final String INTERNAL_ROLE = "quantadb";

    /** The role by which a member rewinds; it comes through the replication port alone. */
    static final String REWIND_ROLE = "quantadb_rewind";

    /** The {@code application_name} that PostgreSQL waits for ({@code synchronous_standby_names}). */
    static final String VOICE = "quantadb_voice";

    private static final Pattern LOWERED_OPTION = Pattern.compile("synchronous_commit\\s*=\\s*(\\S*)");
    private static final List<String> FULL = List.of("on", "remote_apply", "true", "yes", "1");

    private StartupPolicy() {}

    sealed interface Verdict {
        /** Send this packet to PostgreSQL. */
        record Accept(StartupPacket packet) implements Verdict {}

        record Refuse(Report report) implements Verdict {}
    }

    static Verdict decide(StartupPacket packet, boolean allowLoweredSynchronousCommit) {
        if (packet.user().equals(INTERNAL_ROLE) || packet.user().equals(REWIND_ROLE)) {
            return refuse(
                    "28000",
                    "role \"%s\" belongs to the cluster and cannot log in through the SQL front"
                            .formatted(packet.user()),
                    "Connect as another role.");
        }
        String options = normalised(packet.settings("options"));
        if (!allowLoweredSynchronousCommit && lowersSynchronousCommit(packet, options)) {
            return new Verdict.Refuse(loweredSynchronousCommit());
        }
        if (!packet.replication()) {
            return new Verdict.Accept(packet);
        }
        if (options.contains("application_name")) {
            return refuse(
                    "28000",
                    "a replication connection may not set application_name in its options",
                    "Give application_name as a connection parameter of its own.");
        }
        return new Verdict.Accept(packet.withSetting("application_name", harmlessName(packet)));
    }

    /** What a session is told that tries to lower {@code synchronous_commit}, as the end of its connection. */
    static Report loweredSynchronousCommit() {
        return Report.fatal("42501", LOWERED_MESSAGE, null, LOWERED_HINT);
    }

    static final String LOWERED_MESSAGE = "synchronous_commit may not be lowered in this cluster";
    static final String LOWERED_HINT =
            "A commit with a lower setting could be lost in a failover. Leave synchronous_commit as it is.";

    /** Whether a value of {@code synchronous_commit} waits for less than the cluster does. */
    static boolean lowers(String value) {
        return !FULL.contains(value.toLowerCase(Locale.ROOT));
    }

    private static boolean lowersSynchronousCommit(StartupPacket packet, String options) {
        if (packet.settings("synchronous_commit").stream().anyMatch(StartupPolicy::lowers)) {
            return true;
        }
        var matcher = LOWERED_OPTION.matcher(options);
        while (matcher.find()) {
            if (lowers(matcher.group(1))) {
                return true;
            }
        }
        return false;
    }

    /** Command-line options as PostgreSQL would understand their names: lower case, '_' for '-', no escapes. */
    private static String normalised(List<String> options) {
        return String.join(" ", options).replace("\\", "").replace('-', '_').toLowerCase(Locale.ROOT);
    }

    private static String harmlessName(StartupPacket packet) {
        String name = lastOrEmpty(packet.settings("application_name"));
        return name.isEmpty() || name.equalsIgnoreCase(VOICE) ? "client" : name;
    }

    private static String lastOrEmpty(List<String> values) {
        return values.isEmpty() ? "" : values.getLast();
    }

    private static Verdict refuse(String sqlState, String message, @Nullable String hint) {
        return new Verdict.Refuse(Report.fatal(sqlState, message, null, hint));
    }
}
