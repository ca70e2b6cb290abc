package io.quantadb.node.cli;

import io.quantadb.node.common.HostPort;
import io.quantadb.node.pgwire.ScramExchange;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A client session over TCP with a password, plain, for the demonstration only: simple queries, first column as text.
 * An {@link IOException} after a statement was sent leaves its outcome unknown. Blocking; one thread.
 */
final class SqlSession implements AutoCloseable {
    private static final int MESSAGE_BYTES_MAX = 1 << 20;
    private static final int PROTOCOL_3_0 = 196_608;

    /** The server said no; {@code sqlState} says why. */
    static final class Refused extends IOException {
        private final String sqlState;

        Refused(String sqlState, String words) {
            super(words);
            this.sqlState = sqlState;
        }

        String sqlState() {
            return sqlState;
        }
    }

    private record Message(char tag, byte[] body) {}

    private final Socket socket;
    private final DataInputStream in;
    private final DataOutputStream out;

    private SqlSession(Socket socket) throws IOException {
        this.socket = socket;
        this.in = new DataInputStream(new java.io.BufferedInputStream(socket.getInputStream()));
        this.out = new DataOutputStream(new java.io.BufferedOutputStream(socket.getOutputStream()));
    }

    /** @param wait deadline of connecting, and of every single wait for the server afterwards */
    static SqlSession open(HostPort at, String user, String password, Duration wait) throws IOException {
        Socket socket = new Socket();
        try {
            socket.setTcpNoDelay(true);
            socket.setSoTimeout((int) wait.toMillis());
            socket.connect(new InetSocketAddress(at.host(), at.port()), (int) wait.toMillis());
            SqlSession session = new SqlSession(socket);
            session.startUp(user, password);
            return session;
        } catch (IOException e) {
            socket.close();
            throw e;
        }
    }

    /** Runs statements; the first column of every row. After any exception the session is to be closed. */
    List<String> query(String sql) throws IOException {
        send('Q', text(sql));
        List<String> rows = new ArrayList<>();
        for (Message message = receive(); message.tag() != 'Z'; message = receive()) {
            if (message.tag() == 'D') {
                rows.add(firstColumn(message.body()));
            }
        }
        return rows;
    }

    private void startUp(String user, String password) throws IOException {
        ByteArrayOutputStream body = new ByteArrayOutputStream();
        for (String part : List.of("user", user, "database", "postgres", "application_name", "quantadb demo")) {
            body.write(text(part));
        }
        body.write(0);
        out.writeInt(8 + body.size());
        out.writeInt(PROTOCOL_3_0);
        out.write(body.toByteArray());
        out.flush();
        ScramExchange scram = new ScramExchange(user, password, null);
        for (Message message = receive(); message.tag() != 'Z'; message = receive()) {
            if (message.tag() == 'R') {
                authenticate(scram, message.body());
            }
        }
    }

    private void authenticate(ScramExchange scram, byte[] body) throws IOException {
        int method = new DataInputStream(new java.io.ByteArrayInputStream(body)).readInt();
        String rest = new String(body, 4, body.length - 4, StandardCharsets.UTF_8);
        switch (method) {
            case 0 -> {
                // Let in.
            }
            case 10 -> {
                ByteArrayOutputStream first = new ByteArrayOutputStream();
                first.write(text("SCRAM-SHA-256"));
                byte[] words = scram.first().getBytes(StandardCharsets.UTF_8);
                new DataOutputStream(first).writeInt(words.length);
                first.write(words);
                send('p', first.toByteArray());
            }
            case 11 -> send('p', scram.last(rest).getBytes(StandardCharsets.UTF_8));
            case 12 -> scram.requireProof(rest);
            default -> throw new IOException("the server asks for authentication method " + method);
        }
    }

    private Message receive() throws IOException {
        char tag = (char) in.readUnsignedByte();
        int length = in.readInt();
        if (length < 4 || length > MESSAGE_BYTES_MAX) {
            throw new IOException("the server sent a message of %d bytes".formatted(length));
        }
        byte[] body = in.readNBytes(length - 4);
        if (body.length < length - 4) {
            throw new IOException("the server closed the connection");
        }
        if (tag == 'E') {
            throw new Refused(field(body, 'C'), field(body, 'M'));
        }
        return new Message(tag, body);
    }

    private void send(char tag, byte[] body) throws IOException {
        out.writeByte(tag);
        out.writeInt(4 + body.length);
        out.write(body);
        out.flush();
    }

    private static byte[] text(String value) {
        return (value + "\0").getBytes(StandardCharsets.UTF_8);
    }

    private static String firstColumn(byte[] body) throws IOException {
        DataInputStream row = new DataInputStream(new java.io.ByteArrayInputStream(body));
        if (row.readUnsignedShort() == 0) {
            return "";
        }
        int length = row.readInt();
        return length < 0 ? "" : new String(row.readNBytes(length), StandardCharsets.UTF_8);
    }

    /** One field of an ErrorResponse: a letter, then text up to a zero byte, again and again. */
    private static String field(byte[] body, char wanted) {
        int at = 0;
        while (at < body.length && body[at] != 0) {
            int end = at + 1;
            while (end < body.length && body[end] != 0) {
                end++;
            }
            if (body[at] == wanted) {
                return new String(body, at + 1, end - at - 1, StandardCharsets.UTF_8);
            }
            at = end + 1;
        }
        return "";
    }

    @Override
    public void close() {
        closeQuietly(socket);
    }

    private static void closeQuietly(@Nullable Socket socket) {
        try {
            if (socket != null) {
                socket.close();
            }
        } catch (IOException e) {
            // Nothing more is wanted of it.
        }
    }
}
