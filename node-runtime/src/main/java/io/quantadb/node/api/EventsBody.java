package io.quantadb.node.api;

import com.fasterxml.jackson.core.JsonGenerator;
import io.quantadb.node.common.EventBook;
import java.io.IOException;
import java.util.List;

/**
 * {@code GET /cluster/events}: the last events of this node's agent, the oldest first. Each node tells of its own.
 * {@code start_time} is the agent's: with another one the numbers begin again at 1.
 */
record EventsBody(ClusterView view, List<EventBook.Event> events) implements Json.Body {
    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeStringField("node_id", view.node().value());
        json.writeStringField("start_time", view.startTime().toString());
        json.writeArrayFieldStart("events");
        for (EventBook.Event event : events) {
            json.writeStartObject();
            json.writeNumberField("number", event.number());
            json.writeStringField("at", event.at().toString());
            json.writeStringField("level", event.level());
            json.writeStringField("story", event.story());
            json.writeStringField("message", event.words());
            json.writeEndObject();
        }
        json.writeEndArray();
    }
}
