package io.quantadb.operator.testing;

import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.NamespaceBuilder;
import io.fabric8.kubernetes.api.model.PersistentVolumeClaimBuilder;
import io.fabric8.kubernetes.api.model.PodBuilder;
import io.fabric8.kubernetes.api.model.apiextensions.v1.CustomResourceDefinition;
import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.quantadb.operator.pki.Pem;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Assumptions;

/** A real API server that a test was given, with the schema applied and a namespace of the test's own. */
public final class TestingServer implements AutoCloseable {
    private static final String SCHEMA = "../crds/generated/quantaclusters.quantadb.io-v1.yml";

    private final Config config;
    private final KubernetesClient client;
    private final String namespace;

    private TestingServer(Config config, KubernetesClient client, String namespace) {
        this.config = config;
        this.client = client;
        this.namespace = namespace;
    }

    /** Skips the test, and says how to run it, when no server was given, or others there would play the test's parts. */
    public static TestingServer orSkip() throws IOException {
        String path = Optional.ofNullable(System.getProperty("kube.it")).orElseGet(() -> System.getenv("KUBECONFIG"));
        Assumptions.assumeTrue(
                path != null,
                "no API server was given: 'make e2e' brings one; or 'hack/kube up --api', then -Dkube.it=/var/lib/quantadb-kube/kubeconfig");
        Config config = keyed(Config.fromKubeconfig(Files.readString(Path.of(path))));
        KubernetesClient client =
                new KubernetesClientBuilder().withConfig(config).build();
        if (!client.nodes().list().getItems().isEmpty()) {
            client.close();
            Assumptions.abort(
                    "the API server that was given has nodes and controllers, whose part the test plays: 'hack/kube up --api' makes one without, as 'make e2e' does");
        }
        try (InputStream schema = new FileInputStream(SCHEMA)) {
            client.load(schema)
                    .items()
                    .forEach(crd -> client.resource(crd)
                            .fieldManager("quantadb-it")
                            .forceConflicts()
                            .serverSideApply());
        }
        client.apiextensions()
                .v1()
                .customResourceDefinitions()
                .withName("quantaclusters.quantadb.io")
                .waitUntilCondition(TestingServer::isServed, 20, TimeUnit.SECONDS);
        String namespace = "quantadb-it-" + Long.toString(System.nanoTime(), 36);
        client.resource(new NamespaceBuilder()
                        .withNewMetadata()
                        .withName(namespace)
                        .endMetadata()
                        .build())
                .create();
        return new TestingServer(config, client, namespace);
    }

    private static boolean isServed(@Nullable CustomResourceDefinition crd) {
        return crd != null
                && crd.getStatus() != null
                && crd.getStatus().getConditions() != null
                && crd.getStatus().getConditions().stream()
                        .anyMatch(c -> c.getType().equals("Established")
                                && c.getStatus().equals("True"));
    }

    /** Fabric8 takes every key in PKCS#8 for RSA unless it is told better. */
    public static Config keyed(Config config) {
        String data = config.getClientKeyData();
        if (data != null
                && Pem.key(new String(Base64.getMimeDecoder().decode(data), StandardCharsets.US_ASCII))
                        .isPresent()) {
            config.setClientKeyAlgo("EC");
        }
        return config;
    }

    public KubernetesClient client() {
        return client;
    }

    /** A client of the caller's own, whose requests are counted. */
    public KubernetesClient counted(CountedRequests requests) {
        return new KubernetesClientBuilder()
                .withConfig(config)
                .withHttpClientBuilderConsumer(http -> http.addOrReplaceInterceptor("counted", requests))
                .build();
    }

    public String namespace() {
        return namespace;
    }

    /** Does for one pod of a StatefulSet what its controller and a kubelet would, as far as an operator can see. */
    public void run(StatefulSet set, int index) {
        String name = set.getMetadata().getName() + "-" + index;
        var template = set.getSpec().getTemplate();
        Map<String, String> labels = new TreeMap<>(template.getMetadata().getLabels());
        labels.put("controller-revision-hash", "1");
        // First the claim: a pod that waits for one that is not there is replaced.
        client.resource(new PersistentVolumeClaimBuilder()
                        .withNewMetadata()
                        .withNamespace(namespace)
                        .withName("data-" + name)
                        .endMetadata()
                        .withSpec(set.getSpec()
                                .getVolumeClaimTemplates()
                                .getFirst()
                                .getSpec())
                        .build())
                .create();
        client.resource(new PodBuilder()
                        .withNewMetadata()
                        .withNamespace(namespace)
                        .withName(name)
                        .withLabels(labels)
                        .endMetadata()
                        .withNewSpecLike(template.getSpec())
                        .addNewVolume()
                        .withName("data")
                        .withNewPersistentVolumeClaim("data-" + name, false)
                        .endVolume()
                        .endSpec()
                        .build())
                .create();
        client.pods()
                .inNamespace(namespace)
                .withName(name)
                .editStatus(pod -> new PodBuilder(pod)
                        .editOrNewStatus()
                        .withPhase("Running")
                        .withPodIP("10.244.0." + (10 + index))
                        .endStatus()
                        .build());
    }

    /**
     * What the server holds of these kinds in the namespace: kind and name to version. Of a StatefulSet it is the
     * generation: an apply sets its list of volume claim templates as one value, without what the server has added to
     * them, so that the object is written, and the second of it noted, though nothing of it changes (seen on 1.20.2).
     */
    @SafeVarargs
    public final Map<String, String> versions(Class<? extends HasMetadata>... kinds) {
        var versions = new TreeMap<String, String>();
        for (Class<? extends HasMetadata> kind : kinds) {
            client.resources(kind)
                    .inNamespace(namespace)
                    .list()
                    .getItems()
                    .forEach(object -> versions.put(
                            object.getKind() + " " + object.getMetadata().getName(),
                            object instanceof StatefulSet
                                    ? "generation " + object.getMetadata().getGeneration()
                                    : object.getMetadata().getResourceVersion()));
        }
        return versions;
    }

    /** The namespace goes when the server has controllers; one that has none is thrown away whole. */
    @Override
    public void close() {
        client.namespaces().withName(namespace).delete();
        client.close();
    }
}
