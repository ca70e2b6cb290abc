package io.quantadb.node.api;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;

/**
 * The answer of {@code POST /cluster/bootstrap}. {@code system_identifier} is a text, since not every reader of JSON keeps
 * 64 bits of a number; both are empty while founding goes on.
 */
record BootstrapBody(String clusterId, String systemIdentifier, boolean founded) implements Json.Body {
    @Override
    public void write(JsonGenerator json) throws IOException {
        json.writeStringField("cluster_id", clusterId);
        json.writeStringField("system_identifier", systemIdentifier);
        json.writeBooleanField("founded", founded);
    }
}
