package io.quantadb.node.api;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;

/**
 * {@code GET /cluster/diverged-wal}: WAL of this node that the cluster left behind, kept for people when the node came
 * back, the newest first. Each node tells of its own.
 */
record DivergedWalBody(ClusterView view, List<KeptSegments> kept) implements Json.Body {
    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeStringField("node_id", view.node().value());
        json.writeArrayFieldStart("kept");
        for (KeptSegments one : kept) {
            json.writeStartObject();
            json.writeStringField("at", one.at().toString());
            json.writeNumberField("timeline", one.timeline());
            json.writeStringField("from", one.from().toString());
            json.writeStringField("to", one.to().toString());
            json.writeNumberField("segments", one.segments());
            json.writeNumberField("of_segments", one.ofSegments());
            json.writeNumberField("bytes", one.bytes());
            json.writeStringField("folder", one.folder().toString());
            json.writeEndObject();
        }
        json.writeEndArray();
    }
}
