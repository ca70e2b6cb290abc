package io.quantadb.node.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Properties;

/** Connections to the primary through any node: a URL with all primary listeners. */
public final class ClusterSql {
    private final List<String> listeners;
    private final String password;

    /** @param listeners host:port of every node's listener that follows the primary */
    public ClusterSql(List<String> listeners, String password) {
        this.listeners = List.copyOf(listeners);
        this.password = password;
    }

    /** Takes the password from the last field of the first line of a libpq password file. */
    public static String passwordFrom(Path passfile) throws IOException {
        String line = Files.readAllLines(passfile).getFirst();
        return line.substring(line.lastIndexOf(':') + 1);
    }

    /** A quick connection: it gives up within a second or two, whatever became of the nodes; {@code from} rotates. */
    public Connection quick(int from) throws SQLException {
        Properties properties = properties();
        properties.setProperty("socketFactory", QuickSockets.class.getName());
        return DriverManager.getConnection(url(from), properties);
    }

    /** A patient connection, for set-up and audits. */
    public Connection patient() throws SQLException {
        Properties properties = properties();
        properties.setProperty("connectTimeout", "5");
        properties.setProperty("socketTimeout", "60");
        return DriverManager.getConnection(url(0), properties);
    }

    /** A patient connection to one listener, whatever that node's role is. */
    Connection local(String listener) throws SQLException {
        Properties properties = properties();
        properties.setProperty("targetServerType", "any");
        properties.setProperty("socketTimeout", "60");
        return DriverManager.getConnection("jdbc:postgresql://" + listener + "/postgres", properties);
    }

    private String url(int from) {
        List<String> rotated = new ArrayList<>(listeners);
        Collections.rotate(rotated, from);
        return "jdbc:postgresql://" + String.join(",", rotated) + "/postgres";
    }

    private Properties properties() {
        Properties properties = new Properties();
        properties.setProperty("user", "postgres");
        properties.setProperty("password", password);
        properties.setProperty("sslmode", "disable");
        properties.setProperty("gssEncMode", "disable");
        properties.setProperty("targetServerType", "primary");
        // What a host was a moment ago says nothing during a failover.
        properties.setProperty("hostRecheckSeconds", "0");
        properties.setProperty("preferQueryMode", "simple");
        properties.setProperty("ApplicationName", "bench");
        return properties;
    }
}
