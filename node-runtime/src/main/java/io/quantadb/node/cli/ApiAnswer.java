package io.quantadb.node.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.SocketTimeoutException;
import java.net.UnknownHostException;
import java.security.cert.CertPathBuilderException;
import java.security.cert.CertificateExpiredException;
import java.util.Locale;
import javax.net.ssl.SSLException;

/** What came of asking a node's API once. */
sealed interface ApiAnswer {
    /** It answered in JSON. */
    record Told(int status, JsonNode body) implements ApiAnswer {}

    /**
     * There was no answer that can be used.
     *
     * @param why for people, what happened there
     * @param forTrust the two would not trust each other, so asking again as before is in vain
     */
    record Silent(String why, boolean forTrust) implements ApiAnswer {}

    /** Why this ended an attempt, in words. */
    static Silent silent(IOException cause) {
        if (cause instanceof SSLException) {
            return new Silent(tls(cause), true);
        }
        String text = String.valueOf(cause.getMessage());
        return new Silent(
                switch (cause) {
                    case UnknownHostException _ -> "there is no such name";
                    case SocketTimeoutException _ ->
                        text.toLowerCase(Locale.ROOT).contains("connect")
                                ? "it cannot be reached"
                                : "it does not answer";
                    case ConnectException _ -> "nobody listens there";
                    case NoRouteToHostException _ -> "there is no way to it";
                    case JsonProcessingException _ -> "what answers there is no QuantaDB node";
                    default -> text.contains("end of file") ? "it hung up: it speaks HTTPS alone, or is ending" : text;
                },
                text.contains("end of file"));
    }

    private static String tls(IOException cause) {
        for (Throwable t = cause; t != null; t = t.getCause()) {
            if (t instanceof CertificateExpiredException) {
                return "its certificate has expired: issue a new one for that node";
            }
            if (t instanceof CertPathBuilderException) {
                return "its certificate was not signed by the CA given";
            }
        }
        String text = String.valueOf(cause.getMessage());
        if (text.contains("subject alternative") || text.contains("No name matching")) {
            return "its certificate is not issued for this name or address";
        }
        String folded = text.toLowerCase(Locale.ROOT);
        return folded.contains("alert") && folded.contains("certificate")
                ? "it refused the certificate shown"
                : "the TLS handshake failed: " + text;
    }
}
