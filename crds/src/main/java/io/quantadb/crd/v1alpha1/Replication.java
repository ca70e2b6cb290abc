package io.quantadb.crd.v1alpha1;

import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonPropertyDescription;
import io.fabric8.generator.annotation.Default;

/**
 * Who must have flushed a commit before it is acknowledged.
 *
 * @param mode the rule that the cluster is founded with
 */
@JsonIgnoreProperties(ignoreUnknown = true)
public record Replication(
        @Default("Quorum")
        @JsonPropertyDescription(
                "Who must have flushed a commit before it is acknowledged: enough for a majority with the primary (Quorum), every data node (All), or the primary alone (Async, which can lose commits)")
        Mode mode) {

    /** The rules that a cluster can be founded with. */
    public enum Mode {
        Quorum,
        All,
        Async
    }

    static final Replication DEFAULT = new Replication(Mode.Quorum);

    public Replication {
        mode = Defaults.or(mode, Mode.Quorum);
    }
}
