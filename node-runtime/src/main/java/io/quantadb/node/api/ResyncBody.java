package io.quantadb.node.api;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;

/**
 * The answer to {@code POST /_raft/force-resync}. {@code success} means that it begins (status 202), since a copy may
 * take hours and an answer does not; {@code error} is there where it does not, with the same words.
 */
record ResyncBody(String target, boolean success, String message, String hint) implements Json.Body {
    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeStringField("target", target);
        json.writeBooleanField("success", success);
        json.writeStringField("message", message);
        if (!success) {
            json.writeStringField("error", message);
            json.writeStringField("hint", hint);
        }
    }
}
