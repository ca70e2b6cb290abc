package io.quantadb.node.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.quantadb.node.common.HostPort;
import java.util.Comparator;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** What several nodes said of their cluster at about the same time, in the order in which they were named. */
record Survey(Map<HostPort, ApiAnswer> answers) {
    private static final int OK = 200;

    /** The best-informed answer: the leader's of the highest term, else that of the highest epoch. */
    Optional<ClusterClient.View> best() {
        return answers.entrySet().stream()
                .filter(entry -> entry.getValue() instanceof ApiAnswer.Told(int status, JsonNode body)
                        && status == OK
                        && body.has("nodes"))
                .map(entry -> new ClusterClient.View(entry.getKey(), ((ApiAnswer.Told) entry.getValue()).body()))
                .max(Comparator.comparing(ClusterClient.View::fromLeader)
                        .thenComparingLong(view -> view.body().path("term").asLong())
                        .thenComparingLong(ClusterClient.View::epoch));
    }

    /** Every address with what happened there, when it was no answer to use. */
    String words() {
        return answers.entrySet().stream()
                .map(entry -> "%s (%s)".formatted(entry.getKey(), why(entry.getValue())))
                .collect(Collectors.joining(", "));
    }

    /** Why there is no answer to use. */
    Failure failure() {
        boolean forTrust = answers.values().stream().anyMatch(Survey::forTrust);
        return forTrust
                ? new Failure(
                        ExitCode.CERTIFICATE,
                        "no node answers: " + words(),
                        "look what --ca, --cert and --key name; quantadb init --viewer NAME makes a certificate to show")
                : new Failure(
                        ExitCode.NOT_RUNNING,
                        "no node answers: " + words(),
                        "start one, or name another with --api host:port");
    }

    private static String why(ApiAnswer answer) {
        return switch (answer) {
            case ApiAnswer.Silent(String why, boolean _) -> why;
            case ApiAnswer.Told(int status, JsonNode body) ->
                body.path("error").asText("it answered with status " + status);
        };
    }

    private static boolean forTrust(ApiAnswer answer) {
        return switch (answer) {
            case ApiAnswer.Silent(String _, boolean forTrust) -> forTrust;
            case ApiAnswer.Told(int status, JsonNode _) -> status == 401 || status == 403;
        };
    }
}
