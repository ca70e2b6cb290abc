package io.quantadb.node.api;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.regex.Pattern;

/**
 * The body of {@code POST /cluster/bootstrap}: {@code {"cluster": "<uid>"}}. Fields that are not known are refused, since
 * who sends one expects it to have an effect.
 *
 * @param cluster 1 to 64 letters, digits and {@code -}
 */
record BootstrapRequest(String cluster) {
    private static final JsonFactory FACTORY = new JsonFactory();
    private static final Pattern UID = Pattern.compile("[A-Za-z0-9-]{1,64}");

    /** Why a body was refused, in words for its sender. */
    static final class Malformed extends Exception {
        Malformed(String why) {
            super(why);
        }
    }

    static BootstrapRequest parse(byte[] body) throws Malformed {
        try (JsonParser json = FACTORY.createParser(body)) {
            if (json.nextToken() != JsonToken.START_OBJECT) {
                throw new Malformed("the body is no JSON object");
            }
            String cluster = null;
            while (json.nextToken() == JsonToken.FIELD_NAME) {
                String field = json.currentName();
                if (!field.equals("cluster") || json.nextToken() != JsonToken.VALUE_STRING) {
                    throw new Malformed("the body may have the text 'cluster' and nothing else");
                }
                cluster = json.getText();
            }
            if (json.currentToken() != JsonToken.END_OBJECT || json.nextToken() != null) {
                throw new Malformed("the body is not one JSON object");
            }
            if (cluster == null || !UID.matcher(cluster).matches()) {
                throw new Malformed("'cluster' must be 1 to 64 letters, digits and '-'");
            }
            return new BootstrapRequest(cluster);
        } catch (IOException e) {
            throw new Malformed("the body is no JSON");
        }
    }
}
