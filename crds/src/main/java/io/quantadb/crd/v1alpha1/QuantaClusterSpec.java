package io.quantadb.crd.v1alpha1;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;
import io.fabric8.generator.annotation.Max;
import io.fabric8.generator.annotation.Min;
import io.fabric8.generator.annotation.Pattern;
import io.fabric8.generator.annotation.Required;
import io.fabric8.kubernetes.model.annotation.SpecReplicas;
import org.jspecify.annotations.Nullable;

/**
 * What a cluster is to be. Every field has an effect; what was left out has its default, also when the API server did
 * not fill it in.
 *
 * <p>There are no CEL rules: a Kubernetes before 1.25 does not know them, and its kubectl refuses a schema that has
 * them. What they would say, the operator checks and says in condition {@code Stalled}.
 *
 * @param instances how many nodes hold the data and vote
 * @param version the release of QuantaDB that the nodes run; null means the one chosen when the cluster was first seen
 * @param images where the nodes' image comes from
 * @param storage each node's volume
 * @param resources what each node asks of its machine
 * @param postgresql settings of the servers
 * @param replication who must have flushed a commit
 * @param bootstrap what is made when the cluster is founded
 */
@JsonIgnoreProperties(ignoreUnknown = true)
@JsonInclude(JsonInclude.Include.NON_NULL)
public record QuantaClusterSpec(
        @SpecReplicas
        @Min(1)
        @Max(7)
        @Default("3")
        @JsonPropertyDescription(
                "How many nodes hold the data and vote, 1 to 7; a majority of them must live for writes")
        Integer instances,

        @Pattern("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$")
        @JsonPropertyDescription(
                "The release of QuantaDB that the nodes run. Default: the operator's own when it first saw the cluster, kept in status.version from then on")
        @Nullable
        String version,

        Images images,

        @Required Storage storage,

        Resources resources,

        Postgresql postgresql,
        Replication replication,
        Bootstrap bootstrap) {

    /** How many instances there are when nothing else is said. */
    public static final int DEFAULT_INSTANCES = 3;

    public QuantaClusterSpec {
        instances = Defaults.or(instances, DEFAULT_INSTANCES);
        images = Defaults.or(images, Images.DEFAULT);
        resources = Defaults.or(resources, Resources.DEFAULT);
        postgresql = Defaults.or(postgresql, Postgresql.DEFAULT);
        replication = Defaults.or(replication, Replication.DEFAULT);
        bootstrap = Defaults.or(bootstrap, Bootstrap.DEFAULT);
    }
}
