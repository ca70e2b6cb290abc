package io.quantadb.operator.model;

import java.util.List;

/**
 * What one reconcile does.
 *
 * @param steps in order
 * @param instances how many nodes the cluster has to have now; more than the spec says while a removal is refused
 * @param image what they run
 */
public record Plan(List<Step> steps, int instances, ImageChoice image) {
    public Plan {
        steps = List.copyOf(steps);
    }
}
