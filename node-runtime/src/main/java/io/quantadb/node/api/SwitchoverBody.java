package io.quantadb.node.api;

import com.fasterxml.jackson.core.JsonGenerator;
import io.quantadb.node.cluster.SwitchoverReport;
import java.io.IOException;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A switchover as {@code /cluster/switchover} tells it. {@code id} is a text, since not every reader of JSON keeps 64 bits
 * of a number. {@code write_gap_ms} is -1 while nothing was held back, or when nobody measured it.
 *
 * @param report null when this node has heard of none
 */
record SwitchoverBody(@Nullable SwitchoverReport report) implements Json.Body {
    @Override
    public void write(JsonGenerator json) throws IOException {
        SwitchoverReport r = report;
        json.writeStringField("id", r == null ? "" : Long.toUnsignedString(r.id()));
        json.writeStringField("phase", r == null ? "none" : r.phase().name().toLowerCase(Locale.ROOT));
        json.writeBooleanField("over", r == null || r.over());
        json.writeStringField("from", r == null ? "" : Json.name(r.from()));
        json.writeStringField("to", r == null ? "" : Json.name(r.to()));
        json.writeNumberField("epoch", r == null ? 0 : r.epoch());
        json.writeStringField("reason", r == null ? "" : r.words());
        json.writeNumberField("write_gap_ms", r == null ? -1 : r.gapMillis());
        json.writeNumberField("took_ms", r == null ? 0 : r.tookMillis());
        json.writeObjectFieldStart("steps_ms");
        if (r != null) {
            for (SwitchoverReport.Step step : r.steps()) {
                json.writeNumberField(step.name(), step.millis());
            }
        }
        json.writeEndObject();
    }
}
