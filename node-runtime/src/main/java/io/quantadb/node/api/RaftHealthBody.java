package io.quantadb.node.api;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;

/**
 * {@code GET /_raft/health}: this node's place in Raft, and on the leader how well each of the others follows, by the
 * address of its API. {@code state} is {@code Leader}, {@code Follower}, {@code Candidate}, {@code Learner} or {@code
 * None} (a single node). Status 503 where no leader is known.
 */
record RaftHealthBody(ClusterView view) implements Json.Body {
    @Override
    public void write(JsonGenerator json) throws IOException {
        ClusterView.Raft raft = view.raft();
        String state = raft.state().name();
        json.writeStringField("node_id", view.node().value());
        json.writeStringField("state", state.charAt(0) + state.substring(1).toLowerCase(java.util.Locale.ROOT));
        json.writeNumberField("term", raft.term());
        json.writeNumberField("commit_index", raft.commitIndex());
        json.writeNumberField("last_applied", raft.lastApplied());
        Json.object(json, "followers", followers -> {
            for (ClusterView.Member m : view.followers()) {
                followers.writeStringField(m.addresses().api().toString(), Json.lower(m.health()));
            }
        });
        json.writeStringField("leader", Json.name(raft.leader()));
    }
}
