package io.quantadb.node.runtime;

import static io.quantadb.node.common.LogKeys.CLUSTER;

import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.Failure;
import io.quantadb.node.config.NodeConfig;
import io.quantadb.node.config.TlsConfig;
import io.quantadb.node.pki.DevelopmentCa;
import io.quantadb.node.pki.TlsFiles;
import java.nio.file.Path;
import java.time.InstantSource;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Which certificate a node shows: the one it was given, or, on loopback alone, one of a development CA. */
final class Certificates {
    private static final Logger LOGGER = LoggerFactory.getLogger(Certificates.class);

    private Certificates() {}

    static TlsFiles of(NodeConfig config, InstantSource clock) {
        TlsConfig tls = config.tls();
        if (tls.caFile() != null && tls.certFile() != null && tls.keyFile() != null) {
            return new TlsFiles(tls.caFile(), tls.certFile(), tls.keyFile());
        }
        if (!config.loopbackOnly()) {
            throw new Failure(
                    ExitCode.CERTIFICATE,
                    "node %s listens on %s and was given no certificate"
                            .formatted(config.cluster().nodeId(), config.host()),
                    "make one with `quantadb init` and name its folder with tls.dir; only on loopback addresses a node may use a development CA");
        }
        Path folder = developmentFolder();
        DevelopmentCa ca = DevelopmentCa.openOrCreate(folder, clock);
        LOGGER.atWarn()
                .addMarker(CLUSTER)
                .addKeyValue("folder", ca.folder())
                .log("no certificate given: using a development CA, good for loopback addresses on this machine only");
        return ca.issueNode(config.cluster().nodeId());
    }

    /** The user's own configuration folder, after the XDG rule. */
    static Path developmentFolder() {
        String xdg = System.getenv("XDG_CONFIG_HOME");
        Path base =
                xdg == null || xdg.isBlank() ? Path.of(System.getProperty("user.home", "/"), ".config") : Path.of(xdg);
        return base.resolve("quantadb").resolve("development-ca");
    }
}
