package io.quantadb.node.pgwire;

import com.ongres.scram.client.ScramClient;
import com.ongres.scram.common.exception.ScramException;
import java.io.IOException;
import java.util.List;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * The client's half of one SCRAM-SHA-256 exchange without channel binding (RFC 5802, RFC 7677). The library computes;
 * this bounds the work that a server may ask for and tells every failure as an {@link IOException}. PostgreSQL takes the
 * user from the start-up message and ignores the one in the exchange.
 */
public final class ScramExchange {
    /** A server names the number of hash rounds, each of which costs the client time; PostgreSQL's default is 4096. */
    private static final int ITERATIONS_MAX = 1_000_000;

    /** The library presumes all three fields: one that is missing fails an assertion of its own, or is a null there. */
    private static final Pattern SERVER_FIRST = Pattern.compile("r=[^,]+,s=[^,]+,i=[0-9]{1,9}(,.*)?");

    private static final Pattern SERVER_FINAL = Pattern.compile("[ve]=[^,]+(,.*)?");

    private final ScramClient client;

    /** @param nonce null for a random one */
    public ScramExchange(String user, String password, @Nullable Supplier<String> nonce) {
        var builder = ScramClient.builder()
                .advertisedMechanisms(List.of("SCRAM-SHA-256"))
                .username(user)
                .password(password.toCharArray());
        client = (nonce == null ? builder : builder.nonceSupplier(nonce)).build();
    }

    public String first() {
        return client.clientFirstMessage().toString();
    }

    /** The answer to the server's first message. */
    public String last(String serverFirst) throws IOException {
        if (!SERVER_FIRST.matcher(serverFirst).matches()) {
            throw new IOException("the server's SCRAM message is malformed");
        }
        try {
            int iterations = client.serverFirstMessage(serverFirst).getIterationCount();
            if (iterations > ITERATIONS_MAX) {
                throw new IOException(
                        "the server asks for %d rounds of SCRAM, more than %d".formatted(iterations, ITERATIONS_MAX));
            }
            return client.clientFinalMessage().toString();
        } catch (ScramException | IllegalArgumentException | IllegalStateException e) {
            throw new IOException("the server's SCRAM message is not an answer to ours", e);
        }
    }

    /** Fails unless the server's last message proves that it knows the password too. */
    public void requireProof(String serverFinal) throws IOException {
        if (!SERVER_FINAL.matcher(serverFinal).matches()) {
            throw new IOException("the server's last SCRAM message is malformed");
        }
        try {
            client.serverFinalMessage(serverFinal);
        } catch (ScramException | IllegalArgumentException | IllegalStateException e) {
            throw new IOException("the server does not know the password it asks for", e);
        }
    }
}
