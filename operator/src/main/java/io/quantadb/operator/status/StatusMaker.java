package io.quantadb.operator.status;

import io.quantadb.crd.common.Condition;
import io.quantadb.crd.v1alpha1.QuantaClusterStatus;
import io.quantadb.crd.v1alpha1.QuantaClusterStatus.Endpoints;
import io.quantadb.crd.v1alpha1.QuantaClusterStatus.Member;
import io.quantadb.crd.v1alpha1.QuantaClusterStatus.Permission;
import io.quantadb.operator.model.ClusterRef;
import io.quantadb.operator.model.ObservedCluster;
import io.quantadb.operator.model.Ports;
import io.quantadb.operator.nodeapi.FoundingAnswer;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Makes the status of one reconcile. */
public final class StatusMaker {
    public static final String AVAILABLE = "Available";
    public static final String READY = "Ready";
    public static final String PROGRESSING = "Progressing";
    public static final String DEGRADED = "Degraded";
    public static final String INITIALIZED = "Initialized";
    public static final String STALLED = "Stalled";

    /** Kubernetes refuses longer ones. */
    private static final int MESSAGE_CHARS_MAX = 1024;

    private final QuantaClusterStatus kept;
    private final Evidence evidence;

    public StatusMaker(QuantaClusterStatus kept, Evidence evidence) {
        this.kept = kept;
        this.evidence = evidence;
    }

    public QuantaClusterStatus make() {
        ObservedCluster seen = evidence.seen();
        var judge = new Judge(evidence, initialized(), kept.epoch(), awaited());
        Judgement available = judge.available();
        Judgement progressing = judge.progressing();
        var conditions = List.of(
                condition(AVAILABLE, available),
                condition(READY, judge.ready(available, progressing)),
                condition(PROGRESSING, progressing),
                condition(DEGRADED, judge.degraded(available)),
                condition(INITIALIZED, judge.initialized()),
                condition(STALLED, judge.stalled()));
        return new QuantaClusterStatus(
                evidence.generation(),
                conditions,
                seen.pods().size(),
                (int) seen.readyPods(),
                evidence.ref().selectorText(),
                primary(),
                Math.max(kept.epoch(), seen.epoch()),
                clusterId(),
                evidence.plan().image().version(),
                evidence.plan().image().image(),
                permission(),
                endpoints(evidence.ref()),
                members());
    }

    /** Once true, always: a cluster that was founded is never founded again. */
    private boolean initialized() {
        return kept.condition(INITIALIZED).filter(Condition::holds).isPresent()
                || evidence.seen().formed()
                || evidence.founding()
                        .filter(FoundingAnswer.Founded.class::isInstance)
                        .isPresent();
    }

    private boolean awaited() {
        return kept.condition(AVAILABLE)
                .filter(c -> c.reason().equals("Bootstrapping"))
                .isPresent();
    }

    private Condition condition(String type, Judgement judgement) {
        String time = kept.condition(type)
                .filter(before -> before.status().equals(judgement.status()))
                .map(Condition::lastTransitionTime)
                .orElse(text(evidence.now()));
        // An empty text goes over the wire as null, and the server would refuse the whole status for it.
        String message = judgement.message().isBlank() ? judgement.reason() : judgement.message();
        return new Condition(
                type,
                judgement.status(),
                evidence.generation(),
                time,
                judgement.reason(),
                message.length() <= MESSAGE_CHARS_MAX ? message : message.substring(0, MESSAGE_CHARS_MAX - 3) + "...");
    }

    private static String text(Instant time) {
        return time.truncatedTo(ChronoUnit.SECONDS).toString();
    }

    /** Who serves; else whom the best informed node takes for primary; else, while nobody answers, nobody. */
    private @Nullable String primary() {
        ObservedCluster seen = evidence.seen();
        return seen.serving()
                .or(() -> seen.answers().values().stream()
                        .filter(a -> !a.primary().isEmpty() && a.epoch() == seen.epoch())
                        .map(ObservedCluster.NodeReport.Answered::primary)
                        .findFirst())
                .orElse(null);
    }

    /** From the nodes where the operator ended between the founding and the status that was to tell of it. */
    private @Nullable String clusterId() {
        String before = kept.clusterId();
        if (before != null) {
            return before;
        }
        Optional<String> founded = evidence.founding()
                .filter(FoundingAnswer.Founded.class::isInstance)
                .map(answer -> ((FoundingAnswer.Founded) answer).clusterId());
        return founded.or(() -> evidence.seen().clusterId()).orElse(null);
    }

    private @Nullable Permission permission() {
        Permission before = kept.permission();
        return before != null
                ? before
                : evidence.permissionRecorded()
                        .map(pod -> new Permission(pod, text(evidence.now())))
                        .orElse(null);
    }

    private static Endpoints endpoints(ClusterRef ref) {
        return new Endpoints(
                endpoint(ref, ref.name()), endpoint(ref, ref.readWriteService()), endpoint(ref, ref.readOnlyService()));
    }

    private static String endpoint(ClusterRef ref, String service) {
        return ref.serviceHost(service) + ":" + Ports.SQL.number();
    }

    /** What is not heard is kept as it was last known, but for its state. */
    private List<Member> members() {
        if (evidence.seen().members().isEmpty()) {
            return kept.members().stream()
                    .map(m -> new Member(m.name(), "Unknown", "Unknown", m.voter(), "Unknown"))
                    .toList();
        }
        return evidence.seen().members().stream()
                .map(m -> new Member(m.name(), word(m.role()), word(m.state()), m.voter(), word(m.health())))
                .toList();
    }

    /** {@code STREAMING} as Kubernetes writes words: {@code Streaming}. */
    private static String word(String said) {
        return said.isEmpty()
                ? "Unknown"
                : said.substring(0, 1).toUpperCase(Locale.ROOT)
                        + said.substring(1).toLowerCase(Locale.ROOT);
    }
}
