package io.quantadb.node.runtime;

import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.common.MonotonicClock;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.config.NodeKind;
import io.quantadb.node.coordinator.FactStore;
import io.quantadb.node.postgres.BinaryFinder;
import io.quantadb.node.postgres.Bootstrap;
import io.quantadb.node.postgres.DataDirectory;
import io.quantadb.node.postgres.PostgresBinaries;
import io.quantadb.node.postgres.ServerConfig;
import io.quantadb.node.postgres.ServerUser;
import io.quantadb.node.postgres.SocketDirectory;
import io.quantadb.node.postgres.WalBound;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import java.util.random.RandomGenerator;

/** Which PostgreSQL this node runs, as whom, and where. */
record NodePostgres(
        ServerUser user, PostgresBinaries binaries, DataDirectory directory, Path sockets, Path relaySockets) {
    /** The port in the names of the two private sockets; nothing listens on it over the network. */
    static final int SOCKET_PORT = 5432;

    /** The programs and their user; nothing was made for them yet. */
    record Found(ServerUser user, PostgresBinaries binaries) {
        /** Makes the folders of the sockets. */
        NodePostgres prepare(NodeFiles files) {
            String name = ".s.PGSQL." + SOCKET_PORT;
            return Steps.at(
                    ExitCode.DATA_DIRECTORY,
                    () -> new NodePostgres(
                            user,
                            binaries,
                            new DataDirectory(files.data(), user),
                            SocketDirectory.prepare(files.sockets().resolve("pg"), name, user),
                            SocketDirectory.prepare(files.sockets().resolve("wal"), name, user)));
        }
    }

    static Found find(NodeConfig config) {
        return Steps.at(ExitCode.POSTGRES, () -> {
            ServerUser user = ServerUser.resolve(config.postgres().osUser());
            PostgresBinaries binaries = config.cluster().kind() == NodeKind.WITNESS
                    ? PostgresBinaries.NONE
                    : BinaryFinder.usual(user).find(wanted(config, user), user);
            return new Found(user, binaries);
        });
    }

    /** What was named; else, of several versions, the one that the data are of. */
    private static BinaryFinder.Wanted wanted(NodeConfig config, ServerUser user) {
        Path named = config.postgres().binDir();
        OptionalInt major = new DataDirectory(config.postgresDataDir(), user).majorOnDisk();
        return new BinaryFinder.Wanted(named, null, named == null && major.isPresent() ? major.getAsInt() : null);
    }

    NodeIdentity identity(
            NodeConfig config,
            NodeFiles files,
            FactStore store,
            Formation formation,
            BootstrapDesk desk,
            Rejoin rejoin,
            MonotonicClock clock,
            RandomGenerator random) {
        return new NodeIdentity(
                config,
                files,
                store,
                directory,
                new Bootstrap(binaries, user, files.postgresPrivate()),
                binaries.major(),
                formation,
                desk,
                rejoin,
                clock,
                random);
    }

    ServerConfig serverConfig(NodeConfig config, NodeFiles files, boolean clustered) {
        return Steps.at(
                ExitCode.CONFIG,
                () -> new ServerConfig(
                        binaries,
                        user,
                        files.data(),
                        files.postgresPrivate(),
                        sockets,
                        SOCKET_PORT,
                        clustered,
                        clustered ? new ServerConfig.Upstream(relaySockets, SOCKET_PORT) : null,
                        WalBound.addTo(config.postgres().parameters(), files.data()),
                        config.postgres().hba(),
                        List.of()));
    }
}
