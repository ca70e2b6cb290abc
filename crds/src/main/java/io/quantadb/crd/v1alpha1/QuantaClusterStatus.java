package io.quantadb.crd.v1alpha1;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Required;
import io.fabric8.kubernetes.model.annotation.LabelSelector;
import io.fabric8.kubernetes.model.annotation.StatusReplicas;
import io.quantadb.crd.common.Condition;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What the operator last saw. Nothing here is needed for a failover; positions and lag change too fast to stand here,
 * the nodes' own API tells them.
 *
 * @param observedGeneration the generation of the spec that everything here was judged by
 * @param conditions {@code Available}, {@code Ready}, {@code Progressing}, {@code Degraded}, {@code Initialized},
 *     {@code Stalled}
 * @param instances how many pods there are
 * @param readyInstances how many of them are ready
 * @param selector labels of the pods, for the scale subresource
 * @param currentPrimary who is primary; null before the first, or while no node answers
 * @param epoch counts the primaries; it never goes back
 * @param clusterId the founded cluster's identity
 * @param version the release that the nodes' image carries
 * @param image the nodes' image; resolved once, so that another operator does not change it
 * @param permission the one-time permission to found the cluster, once it was given
 * @param endpoints where clients connect
 * @param members the nodes as the cluster sees them
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
public record QuantaClusterStatus(
        @JsonPropertyDescription("The generation of the spec that this status was judged by")
        long observedGeneration,

        @JsonPropertyDescription(
                "What is so: Available (writes are served), Ready (all of this generation is in place), Progressing, Degraded, Initialized, Stalled")
        List<Condition> conditions,

        @StatusReplicas @JsonPropertyDescription("How many pods there are")
        int instances,

        @JsonPropertyDescription("How many of them are ready")
        int readyInstances,

        @LabelSelector @JsonPropertyDescription("Labels of the pods")
        String selector,

        @JsonPropertyDescription("Who is primary") @Nullable String currentPrimary,

        @JsonPropertyDescription("Counts the primaries; never goes back")
        long epoch,

        @JsonPropertyDescription("Identity of the founded cluster") @Nullable
        String clusterId,

        @JsonPropertyDescription("The release that the nodes run") @Nullable
        String version,

        @JsonPropertyDescription("The nodes' image, resolved once") @Nullable
        String image,

        @JsonPropertyDescription("The one-time permission to found the cluster") @Nullable
        Permission permission,

        @JsonPropertyDescription("Where clients connect") @Nullable
        Endpoints endpoints,

        @JsonPropertyDescription("The nodes as the cluster sees them")
        List<Member> members) {

    public QuantaClusterStatus {
        conditions = List.copyOf(Defaults.or(conditions, List.of()));
        selector = Defaults.or(selector, "");
        members = List.copyOf(Defaults.or(members, List.of()));
    }

    /** What stands before the first reconcile. */
    public static QuantaClusterStatus none() {
        return new QuantaClusterStatus(0, List.of(), 0, 0, "", null, 0, null, null, null, null, null, List.of());
    }

    /** The condition of this type, if it was ever set. */
    public Optional<Condition> condition(String type) {
        return conditions.stream().filter(c -> c.type().equals(type)).findFirst();
    }

    /**
     * That the permission to found the cluster was given, recorded before it is used.
     *
     * @param instance the pod that it was given to
     * @param time when, RFC 3339
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Permission(
            @JsonPropertyDescription("The pod that it was given to")
            String instance,

            @JsonPropertyDescription("When, RFC 3339") String time) {}

    /**
     * Where clients connect, as host:port of Services.
     *
     * @param sql any node, follows the primary
     * @param readWrite follows the primary
     * @param readOnly a replica
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Endpoints(
            @JsonPropertyDescription("Any node, follows the primary")
            String sql,

            @JsonPropertyDescription("Follows the primary") String readWrite,

            @JsonPropertyDescription("A replica") String readOnly) {}

    /**
     * One node.
     *
     * @param name its pod
     * @param role Primary, Replica, Standby, Witness or Unknown
     * @param state what its PostgreSQL is doing, as Streaming or Cloning
     * @param voter whether it votes
     * @param health Healthy, Lagging, Desynced or Unknown
     */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public record Member(
            @Required @JsonPropertyDescription("Its pod") String name,

            @JsonPropertyDescription("Primary, Replica, Standby, Witness or Unknown")
            String role,

            @JsonPropertyDescription("What its PostgreSQL is doing, as Streaming or Cloning")
            String state,

            @JsonPropertyDescription("Whether it votes") boolean voter,

            @JsonPropertyDescription("Healthy, Lagging, Desynced or Unknown")
            String health) {}
}
