package io.quantadb.node.sim.invariants;

import io.quantadb.node.cluster.ClusterState;
import io.quantadb.node.cluster.Rule;

/** Leave of protocol.md: who acknowledges and who is primary is a member; nobody is removed before that. */
public final class RulesNameMembers {
    public void onApplied(ClusterState state) {
        check(state, state.rule());
        Rule next = state.nextRule();
        if (next != null) {
            check(state, next);
        }
        if (state.primary() != null && state.member(state.primary()) == null) {
            throw new AssertionError(
                    "the primary %s of epoch %d is no member".formatted(state.primary(), state.epoch()));
        }
    }

    private static void check(ClusterState state, Rule rule) {
        rule.set().forEach(ref -> {
            if (state.member(ref.node()) == null) {
                throw new AssertionError("the rule %s names %s, which is no member".formatted(rule, ref.node()));
            }
        });
    }
}
