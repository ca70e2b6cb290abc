package io.quantadb.operator.reconciler.cluster;

import io.fabric8.kubernetes.client.KubernetesClientException;
import io.quantadb.crd.v1alpha1.QuantaCluster;
import io.quantadb.crd.v1alpha1.QuantaClusterSpec;
import io.quantadb.crd.v1alpha1.QuantaClusterStatus;
import io.quantadb.operator.model.ClusterRef;
import io.quantadb.operator.model.Finding;
import io.quantadb.operator.model.ImageChoice;
import io.quantadb.operator.model.Note;
import io.quantadb.operator.model.ObservedCluster;
import io.quantadb.operator.model.Plan;
import io.quantadb.operator.model.Planner;
import io.quantadb.operator.model.Ports;
import io.quantadb.operator.nodeapi.FoundingAnswer;
import io.quantadb.operator.nodeapi.NodeAddress;
import io.quantadb.operator.observer.ClusterObserver;
import io.quantadb.operator.observer.ClusterObserver.Observation;
import io.quantadb.operator.resource.KubernetesApi;
import io.quantadb.operator.resource.KubernetesReads;
import io.quantadb.operator.resource.StepRunner;
import io.quantadb.operator.resource.StepRunner.Outcome;
import io.quantadb.operator.resource.Watched;
import io.quantadb.operator.resource.WatchedReads;
import io.quantadb.operator.status.Evidence;
import io.quantadb.operator.status.Notes;
import io.quantadb.operator.status.StatusMaker;
import io.quantadb.operator.validation.ClusterValidator;
import java.io.IOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.Marker;
import org.slf4j.MarkerFactory;

/**
 * One reconcile, without the framework around it.
 *
 * <ol>
 *   <li>Observe: Kubernetes first, then all nodes at once.
 *   <li>Validate: what needs a person.
 *   <li>Plan: the steps, in order.
 *   <li>Act: step by step; a failure ends the acting, not the telling.
 *   <li>Tell: the new status.
 * </ol>
 *
 * <p>It looks by the watches first. When by them nothing is wrong and nothing to be done, that was it; else everything is
 * observed, judged and planned once more from what the server has now, and acted upon. Between two calls it keeps only what spares work, so it
 * can be killed anywhere and started again.
 */
public final class ClusterPass {
    private static final Logger LOGGER = LoggerFactory.getLogger(ClusterPass.class);
    private static final Marker RECONCILE = MarkerFactory.getMarker("reconcile");
    private static final int FAILURE_CHARS_MAX = 300;

    private final KubernetesApi server;
    private final ClusterObserver observer;
    private final StepRunner runner;
    private final InstantSource clock;
    private final String repository;
    private final String release;

    /**
     * @param server what is there now
     * @param repository of the nodes' image when a spec names none
     * @param release the same for its tag
     */
    public ClusterPass(
            KubernetesApi server,
            ClusterObserver observer,
            StepRunner runner,
            InstantSource clock,
            String repository,
            String release) {
        this.server = server;
        this.observer = observer;
        this.runner = runner;
        this.clock = clock;
        this.repository = repository;
        this.release = release;
    }

    /** Does one pass and returns the status to write; {@code kept} is the one that stands now. */
    public QuantaClusterStatus once(QuantaCluster cluster, QuantaClusterStatus kept, Watched watched) {
        ClusterRef ref = ClusterRef.of(cluster);
        QuantaClusterSpec spec = cluster.getSpec();
        Instant now = clock.instant();
        Look look = look(new WatchedReads(server, watched), ref, spec, kept, now);
        if (!look.findings().isEmpty() || !runner.isDone(look.plan().steps(), watched)) {
            look = look(server, ref, spec, kept, now);
        }
        Acted acted = act(ref, look, watched);
        QuantaClusterStatus after = new StatusMaker(
                        kept,
                        new Evidence(
                                ref,
                                Optional.ofNullable(cluster.getMetadata().getGeneration())
                                        .orElse(0L),
                                spec == null ? 0 : spec.instances(),
                                look.observation().cluster(),
                                look.plan(),
                                look.findings(),
                                acted.outcome().permissionRecorded(),
                                acted.outcome().founding(),
                                acted.failure(),
                                now))
                .make();
        report(ref, acted, kept, after);
        tell(cluster, acted.outcome().notes(), now);
        tell(cluster, Notes.of(kept, after), now);
        return after;
    }

    /** Events are for people who look; no pass fails for want of one. */
    private void tell(QuantaCluster cluster, List<Note> notes, Instant when) {
        for (Note note : notes) {
            try {
                server.tell(cluster, note, when);
            } catch (KubernetesClientException e) {
                LOGGER.atDebug().addMarker(RECONCILE).setCause(e).log("an event could not be written");
                return;
            }
        }
    }

    /** What was seen, and what is to come of it. */
    private record Look(Observation observation, List<Finding> findings, Plan plan) {}

    private Look look(
            KubernetesReads kubernetes,
            ClusterRef ref,
            @Nullable QuantaClusterSpec spec,
            QuantaClusterStatus kept,
            Instant now) {
        Observation observation = observer.observe(kubernetes, ref, spec);
        ObservedCluster seen = observation.cluster();
        List<Finding> findings = ClusterValidator.findings(ref, spec, kept, seen);
        return new Look(observation, findings, plan(ref, spec, kept, seen, findings, now));
    }

    private Plan plan(
            ClusterRef ref,
            @Nullable QuantaClusterSpec spec,
            QuantaClusterStatus kept,
            ObservedCluster seen,
            List<Finding> findings,
            Instant now) {
        if (spec == null) {
            return new Plan(List.of(), seen.pods().size(), new ImageChoice("", ""));
        }
        return new Planner(ref, spec, kept, seen, now).plan(findings, ImageChoice.of(spec, kept, repository, release));
    }

    /** @param failure why not every step was done */
    private record Acted(Outcome outcome, Optional<String> failure) {}

    private Acted act(ClusterRef ref, Look look, Watched watched) {
        try {
            return new Acted(
                    runner.run(ref, look.plan().steps(), watched, pod -> permit(ref, pod, look.observation())),
                    Optional.empty());
        } catch (RuntimeException e) {
            // Told in status and tried again; an object in the text would be one of ours, Secrets are never applied by
            // value.
            LOGGER.atWarn()
                    .addMarker(RECONCILE)
                    .addKeyValue("cluster", ref)
                    .setCause(e)
                    .log("a step failed");
            String words = String.valueOf(e.getMessage()).replaceAll("\\p{Cntrl}", " ");
            return new Acted(
                    Outcome.none(), Optional.of(words.substring(0, Math.min(words.length(), FAILURE_CHARS_MAX))));
        }
    }

    private static FoundingAnswer permit(ClusterRef ref, String pod, Observation observation) throws IOException {
        String host = observation.cluster().pods().stream()
                .filter(p -> p.name().equals(pod))
                .map(ObservedCluster.PodFacts::address)
                .findFirst()
                .orElseThrow(() -> new IOException("there is no pod '%s'".formatted(pod)));
        return observation
                .api()
                .orElseThrow(() -> new IOException("there is no cluster CA yet"))
                .found(new NodeAddress(pod, host, Ports.API.number()), ref.uid());
    }

    private static void report(ClusterRef ref, Acted acted, QuantaClusterStatus before, QuantaClusterStatus after) {
        for (String done : acted.outcome().done()) {
            LOGGER.atInfo().addMarker(RECONCILE).addKeyValue("cluster", ref).log(done);
        }
        after.conditions().forEach(condition -> {
            boolean same = before.condition(condition.type())
                    .filter(c ->
                            c.status().equals(condition.status()) && c.reason().equals(condition.reason()))
                    .isPresent();
            if (!same) {
                LOGGER.atInfo()
                        .addMarker(RECONCILE)
                        .addKeyValue("cluster", ref)
                        .addKeyValue("condition", condition.type())
                        .addKeyValue("status", condition.status())
                        .addKeyValue("reason", condition.reason())
                        .log(condition.message());
            }
        });
    }
}
