package io.quantadb.node.api;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;

/** The answer to a change that was accepted: begun, or so already. {@code detail} is for people. */
record AdminBody(String detail) implements Json.Body {
    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeBooleanField("accepted", true);
        json.writeStringField("detail", detail);
    }
}
