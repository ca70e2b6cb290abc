package io.quantadb.node.api;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;

/** The body of every refusal: what is wrong and what to do. */
record ErrorBody(String error, String hint) implements Json.Body {
    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeStringField("error", error);
        json.writeStringField("hint", hint);
    }
}
