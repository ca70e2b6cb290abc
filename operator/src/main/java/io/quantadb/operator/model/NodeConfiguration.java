package io.quantadb.operator.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quantadb.crd.v1alpha1.QuantaClusterSpec;
import io.quantadb.crd.v1alpha1.Replication;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The nodes' {@code node.json}: one file for all of them, what differs comes through the environment.
 *
 * <pre>
 * cluster.mode                     auto: join through any peer, found only when permitted
 * cluster.peers                    the replication address of every instance, the own one included
 * cluster.replication.commit_mode  the rule to found the cluster with
 * postgres.parameters              the user's settings
 * bootstrap                        database and owner, made once by the founder
 * </pre>
 */
public final class NodeConfiguration {
    /** The file's name in the ConfigMap. */
    public static final String FILE = "node.json";

    static final String CONFIG_DIRECTORY = "/etc/quantadb/config";
    static final String TLS_DIRECTORY = "/etc/quantadb/tls";
    static final String SUPERUSER_DIRECTORY = "/etc/quantadb/superuser";
    static final String APP_DIRECTORY = "/etc/quantadb/app";

    private static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

    private NodeConfiguration() {}

    /** The file for this many instances. */
    public static String text(ClusterRef ref, QuantaClusterSpec spec, int instances) {
        ObjectNode root = settings(spec);
        var peers = ((ObjectNode) root.get("cluster")).putArray("peers");
        ref.pods(instances).forEach(pod -> peers.add(ref.nodeHost(pod) + ":" + Ports.REPLICATION.number()));
        ObjectNode bootstrap = root.putObject("bootstrap");
        bootstrap.put("database", spec.bootstrap().database());
        bootstrap.put("owner", spec.bootstrap().owner());
        bootstrap.put("owner_password_file", APP_DIRECTORY + "/password");
        return write(root) + "\n";
    }

    /**
     * Changes when a node must be restarted to obey: with the settings, but not with the peers, which running nodes
     * learn from each other, nor with what is used once.
     */
    static String hash(QuantaClusterSpec spec) {
        try {
            byte[] digest = MessageDigest.getInstance("SHA-256")
                    .digest(write(settings(spec)).getBytes(StandardCharsets.UTF_8));
            return HexFormat.of().formatHex(digest, 0, 8);
        } catch (NoSuchAlgorithmException e) {
            throw new IllegalStateException("this Java has no SHA-256", e);
        }
    }

    private static ObjectNode settings(QuantaClusterSpec spec) {
        ObjectNode root = JSON.createObjectNode();
        ObjectNode cluster = root.putObject("cluster");
        cluster.put("mode", "auto");
        cluster.putObject("replication")
                .put("commit_mode", spec.replication().mode().name().toLowerCase(Locale.ROOT));
        ObjectNode postgres = root.putObject("postgres");
        postgres.put("superuser_password_file", SUPERUSER_DIRECTORY + "/password");
        ObjectNode parameters = postgres.putObject("parameters");
        new TreeMap<>(spec.postgresql().parameters()).forEach(parameters::put);
        root.putObject("tls").put("dir", TLS_DIRECTORY);
        return root;
    }

    /** What a running configuration says of founding; empty when it is not one of ours. */
    public static Optional<ObservedCluster.Founding> founding(String text) {
        try {
            JsonNode root = JSON.readTree(text);
            String mode = root.at("/cluster/replication/commit_mode").asText();
            for (Replication.Mode known : Replication.Mode.values()) {
                if (known.name().equalsIgnoreCase(mode)) {
                    return Optional.of(new ObservedCluster.Founding(
                            root.at("/bootstrap/database").asText(),
                            root.at("/bootstrap/owner").asText(),
                            known));
                }
            }
            return Optional.empty();
        } catch (JsonProcessingException e) {
            return Optional.empty();
        }
    }

    private static String write(ObjectNode root) {
        try {
            return JSON.writeValueAsString(root);
        } catch (JsonProcessingException e) {
            throw new IllegalStateException("a tree of texts cannot be written", e);
        }
    }
}
