package io.quantadb.node.pgwire;

import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Proves a password by SCRAM-SHA-256 without channel binding, for one session. Other methods are refused: they would hand
 * the password, or a hash that is as good, to whoever answers.
 */
public final class PasswordLogin {
    private static final String MECHANISM = "SCRAM-SHA-256";

    private final ScramExchange scram;
    private boolean asked;

    public PasswordLogin(String user, String password) {
        this.scram = new ScramExchange(user, password, null);
    }

    /**
     * The answer to one request of the server's; null when it wants none.
     *
     * @param method what {@link Messages#parseAuthentication} has read
     * @param rest the body behind it
     * @throws PgUnreachable when the server asks for another method, or cannot prove that it knows the password
     */
    @Nullable
    ByteBuf answer(int method, ByteBuf rest) {
        String words = rest.toString(StandardCharsets.UTF_8);
        try {
            return switch (method) {
                case 0 -> letIn();
                case 10 -> first(words);
                case 11 -> {
                    byte[] last = scram.last(words).getBytes(StandardCharsets.UTF_8);
                    yield Messages.message(Tag.PASSWORD, out -> out.writeBytes(last));
                }
                case 12 -> {
                    scram.requireProof(words);
                    asked = false;
                    yield null;
                }
                default ->
                    throw new PgUnreachable(
                            "PostgreSQL asks for authentication method %d; only SCRAM-SHA-256 is answered"
                                    .formatted(method));
            };
        } catch (IOException e) {
            throw new PgUnreachable("the password exchange failed: " + e.getMessage(), e);
        }
    }

    private @Nullable ByteBuf letIn() {
        if (asked) {
            throw new PgUnreachable("PostgreSQL let us in without proving that it knows the password");
        }
        return null;
    }

    private ByteBuf first(String mechanisms) {
        if (!Arrays.asList(mechanisms.split("\0")).contains(MECHANISM)) {
            throw new PgUnreachable("PostgreSQL offers no %s but %s".formatted(MECHANISM, printable(mechanisms)));
        }
        asked = true;
        byte[] first = scram.first().getBytes(StandardCharsets.UTF_8);
        return Messages.message(Tag.PASSWORD, out -> {
            WireText.writeCString(out, MECHANISM);
            out.writeInt(first.length).writeBytes(first);
        });
    }

    private static String printable(String words) {
        return words.replace('\0', ' ').replaceAll("\\p{Cntrl}", "?").strip();
    }
}
