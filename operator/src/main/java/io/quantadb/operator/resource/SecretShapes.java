package io.quantadb.operator.resource;

import io.fabric8.kubernetes.api.model.ObjectMeta;
import io.fabric8.kubernetes.api.model.ObjectMetaBuilder;
import io.fabric8.kubernetes.api.model.OwnerReference;
import io.fabric8.kubernetes.api.model.Secret;
import io.fabric8.kubernetes.api.model.SecretBuilder;
import io.quantadb.operator.model.ClusterRef;
import io.quantadb.operator.pki.Credential;
import io.quantadb.operator.pki.Pem;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/**
 * The Secrets of a cluster and how they are read.
 *
 * <pre>
 * NAME-ca         tls.crt, tls.key             the cluster CA; not mounted anywhere
 * NAME-superuser  username, password           kept as long as the volumes are
 * NAME-app        username, password, database, host, port, uri
 * NAME-node-tls   ca.crt, POD.crt, POD.key     mounted by every node; owned by the cluster's resource
 * </pre>
 *
 * The first three have no owner: what opens the data must not go before the data does.
 */
public final class SecretShapes {
    /** Key of a password in every Secret that has one. */
    public static final String PASSWORD = "password";

    static final String AUTHORITY_CERTIFICATE = "ca.crt";

    private static final String CERTIFICATE = "tls.crt";
    private static final String KEY = "tls.key";
    private static final String LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789";
    private static final int PASSWORD_CHARS = 32;

    private SecretShapes() {}

    static Secret authority(ClusterRef ref, Credential authority) {
        return secret(
                kept(ref, ref.authoritySecret()),
                "kubernetes.io/tls",
                Map.of(CERTIFICATE, Pem.of(authority.certificate()), KEY, Pem.of(authority.key())));
    }

    /** The cluster CA in its Secret; empty when it cannot be read. */
    public static Optional<Credential> authority(Secret secret) {
        return text(secret, CERTIFICATE)
                .flatMap(certificate -> text(secret, KEY).flatMap(key -> Credential.ofPem(certificate, key)));
    }

    static Secret superuser(ClusterRef ref, String password) {
        return secret(
                kept(ref, ref.superuserSecret()),
                "kubernetes.io/basic-auth",
                Map.of("username", "postgres", PASSWORD, password));
    }

    static Secret app(ClusterRef ref, String database, String owner, String password) {
        String host = ref.serviceHost(ref.readWriteService());
        return secret(
                kept(ref, ref.appSecret()),
                "kubernetes.io/basic-auth",
                Map.of(
                        "username",
                        owner,
                        PASSWORD,
                        password,
                        "database",
                        database,
                        "host",
                        host,
                        "port",
                        "5432",
                        "uri",
                        "postgresql://%s:%s@%s:5432/%s".formatted(owner, password, host, database)));
    }

    /** Whether a Secret has a password to give. */
    public static boolean hasPassword(Secret secret) {
        return text(secret, PASSWORD).filter(p -> !p.isBlank()).isPresent();
    }

    static Secret nodes(ClusterRef ref, OwnerReference owner, Map<String, String> files) {
        ObjectMeta meta = kept(ref, ref.tlsSecret());
        meta.getOwnerReferences().add(owner);
        return secret(meta, "Opaque", files);
    }

    /** The file of a node's certificate within the Secret. */
    public static String certificateFile(String node) {
        return node + ".crt";
    }

    static String keyFile(String node) {
        return node + ".key";
    }

    /** One entry of a Secret as text. */
    public static Optional<String> text(Secret secret, String key) {
        return Optional.ofNullable(secret.getData())
                .map(data -> data.get(key))
                .map(value -> new String(Base64.getDecoder().decode(value), StandardCharsets.UTF_8));
    }

    /** Letters and digits that nobody confuses; about 187 bits. */
    static String newPassword(SecureRandom random) {
        var password = new StringBuilder(PASSWORD_CHARS);
        for (int i = 0; i < PASSWORD_CHARS; i++) {
            password.append(LETTERS.charAt(random.nextInt(LETTERS.length())));
        }
        return password.toString();
    }

    private static ObjectMeta kept(ClusterRef ref, String name) {
        return new ObjectMetaBuilder()
                .withNamespace(ref.namespace())
                .withName(name)
                .withLabels(ref.labels())
                .build();
    }

    private static Secret secret(ObjectMeta meta, String type, Map<String, String> texts) {
        var data = new TreeMap<String, String>();
        texts.forEach((key, text) ->
                data.put(key, Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8))));
        return new SecretBuilder()
                .withMetadata(meta)
                .withType(type)
                .withData(data)
                .build();
    }
}
