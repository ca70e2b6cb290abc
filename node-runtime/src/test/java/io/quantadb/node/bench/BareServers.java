package io.quantadb.node.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;
import java.util.concurrent.TimeUnit;

/**
 * A primary and two standbys, one of which acknowledges, as PostgreSQL itself makes them, without any agent: what ours is
 * compared with.
 * Runs as the user {@code postgres} when the bench is root, since PostgreSQL refuses root.
 */
final class BareServers implements AutoCloseable {
    static final int STANDBYS = 2;
    private static final boolean ROOT = System.getProperty("user.name").equals("root");

    private final Path bin;
    private final Path folder;
    private final int port;

    BareServers(Path bin, Path folder, int port) {
        this.bin = bin;
        this.folder = folder;
        this.port = port;
    }

    void start() throws IOException, InterruptedException {
        Files.createDirectories(folder);
        Path password = folder.resolve("password");
        Files.writeString(password, "bench\n");
        if (ROOT) {
            Files.setPosixFilePermissions(folder, PosixFilePermissions.fromString("rwxr-xr-x"));
            run(List.of("chown", "-R", "postgres", folder.toString()));
        }
        asServer("initdb", "-D", data(0), "-U", "postgres", "-A", "scram-sha-256", "--pwfile", password.toString());
        Files.writeString(
                Path.of(data(0), "postgresql.conf"), """
                listen_addresses = '127.0.0.1'
                unix_socket_directories = '%s'
                wal_log_hints = on
                wal_retrieve_retry_interval = '20ms'
                """.formatted(folder), java.nio.file.StandardOpenOption.APPEND);
        Files.writeString(
                Path.of(data(0), "pg_hba.conf"),
                "local all all trust\nlocal replication all trust\nhost all all 127.0.0.1/32 scram-sha-256\n");
        asServer("pg_ctl", "-D", data(0), "-o", "-p " + port, "-l", data(0) + "/log", "-w", "start");
        for (int standby = 1; standby <= STANDBYS; standby++) {
            asServer(
                    "pg_basebackup",
                    "-h",
                    folder.toString(),
                    "-p",
                    Integer.toString(port),
                    "-U",
                    "postgres",
                    "-D",
                    data(standby),
                    "-R",
                    "-X",
                    "stream",
                    "-c",
                    "fast");
            asServer(
                    "pg_ctl",
                    "-D",
                    data(standby),
                    "-o",
                    "-p " + (port + standby),
                    "-l",
                    data(standby) + "/log",
                    "-w",
                    "start");
        }
        asServer(
                "psql",
                "-h",
                folder.toString(),
                "-p",
                Integer.toString(port),
                "-U",
                "postgres",
                "-qc",
                "ALTER SYSTEM SET synchronous_standby_names = 'ANY 1 (*)'",
                "-c",
                "SELECT pg_reload_conf()");
    }

    /** @param which 0 for the primary, else the number of a standby */
    Connection connect(int which) throws SQLException {
        Properties properties = new Properties();
        properties.setProperty("user", "postgres");
        properties.setProperty("password", "bench");
        properties.setProperty("sslmode", "disable");
        properties.setProperty("gssEncMode", "disable");
        properties.setProperty("preferQueryMode", "simple");
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + (port + which) + "/postgres", properties);
    }

    Path dataDirectory(int which) {
        return folder.resolve("data" + which);
    }

    private String data(int which) {
        return dataDirectory(which).toString();
    }

    private void asServer(String tool, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>();
        if (ROOT) {
            command.addAll(List.of("setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"));
        }
        Path own = bin.resolve(tool);
        command.add(Files.isExecutable(own) ? own.toString() : tool);
        command.addAll(List.of(arguments));
        run(command);
    }

    private void run(List<String> command) throws IOException, InterruptedException {
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.appendTo(new java.io.File(folder + ".log")))
                .start();
        if (!process.waitFor(2, TimeUnit.MINUTES) || process.exitValue() != 0) {
            process.destroyForcibly();
            throw new IOException("%s failed; see %s.log".formatted(String.join(" ", command), folder));
        }
    }

    @Override
    public void close() throws IOException, InterruptedException {
        for (int which = STANDBYS; which >= 0; which--) {
            if (Files.exists(Path.of(data(which), "postmaster.pid"))) {
                asServer("pg_ctl", "-D", data(which), "-m", "immediate", "-w", "stop");
            }
        }
    }
}
