package io.quantadb.operator.model;

import io.fabric8.kubernetes.api.model.Container;
import io.fabric8.kubernetes.api.model.ContainerBuilder;
import io.fabric8.kubernetes.api.model.ContainerPortBuilder;
import io.fabric8.kubernetes.api.model.EnvVar;
import io.fabric8.kubernetes.api.model.EnvVarBuilder;
import io.fabric8.kubernetes.api.model.LocalObjectReference;
import io.fabric8.kubernetes.api.model.PodTemplateSpec;
import io.fabric8.kubernetes.api.model.PodTemplateSpecBuilder;
import io.fabric8.kubernetes.api.model.Probe;
import io.fabric8.kubernetes.api.model.ProbeBuilder;
import io.fabric8.kubernetes.api.model.ResourceRequirementsBuilder;
import io.fabric8.kubernetes.api.model.Volume;
import io.fabric8.kubernetes.api.model.VolumeBuilder;
import io.fabric8.kubernetes.api.model.VolumeMount;
import io.fabric8.kubernetes.api.model.VolumeMountBuilder;
import io.quantadb.crd.v1alpha1.QuantaClusterSpec;
import java.util.List;
import java.util.Optional;

/**
 * The template of a node's pod: one container, the agent its main process behind a small init, PostgreSQL its child. No
 * token of the API, no root, no writable root file system, no capabilities.
 *
 * <p>Liveness asks the agent alone, readiness whether the node can serve its part; start-up allows a clone that takes
 * hours, because a node that clones says so.
 */
final class NodePod {
    static final String CONTAINER = "node";
    static final String DATA_VOLUME = "data";
    static final String HASH_ANNOTATION = "quantadb.io/config-hash";

    /** The agent's own bound for a stop is 25 s; this leaves room and is the longest that a drain waits for a node. */
    private static final long GRACE_SECONDS = 60;

    private static final long USER = 10001;

    /** Secrets are read by the group that the pod's volumes belong to. */
    private static final int SECRET_MODE = 0440;

    private NodePod() {}

    static PodTemplateSpec template(ClusterRef ref, QuantaClusterSpec spec, ImageChoice image) {
        var labels = ref.labels();
        List<LocalObjectReference> pullSecrets = spec.images().pullSecrets().stream()
                .map(LocalObjectReference::new)
                .toList();
        return new PodTemplateSpecBuilder()
                .withNewMetadata()
                .withLabels(labels)
                .addToAnnotations(HASH_ANNOTATION, NodeConfiguration.hash(spec))
                .endMetadata()
                .withNewSpec()
                .withServiceAccountName(ref.name())
                .withAutomountServiceAccountToken(false)
                .withEnableServiceLinks(false)
                .withTerminationGracePeriodSeconds(GRACE_SECONDS)
                .withImagePullSecrets(pullSecrets)
                .withNewSecurityContext()
                .withRunAsNonRoot(true)
                .withRunAsUser(USER)
                .withRunAsGroup(USER)
                .withFsGroup(USER)
                .withFsGroupChangePolicy("OnRootMismatch")
                .withNewSeccompProfile()
                .withType("RuntimeDefault")
                .endSeccompProfile()
                .endSecurityContext()
                .withNewAffinity()
                .withNewPodAntiAffinity()
                .addNewPreferredDuringSchedulingIgnoredDuringExecution()
                .withWeight(100)
                .withNewPodAffinityTerm()
                .withTopologyKey("kubernetes.io/hostname")
                .withNewLabelSelector()
                .withMatchLabels(ref.podSelector())
                .endLabelSelector()
                .endPodAffinityTerm()
                .endPreferredDuringSchedulingIgnoredDuringExecution()
                .endPodAntiAffinity()
                .endAffinity()
                .withContainers(container(ref, spec, image))
                .withVolumes(volumes(ref, spec))
                .endSpec()
                .build();
    }

    private static Container container(ClusterRef ref, QuantaClusterSpec spec, ImageChoice image) {
        return new ContainerBuilder()
                .withName(CONTAINER)
                .withImage(image.image())
                .withImagePullPolicy(spec.images().pullPolicy().name())
                .withArgs("--config", NodeConfiguration.CONFIG_DIRECTORY + "/" + NodeConfiguration.FILE)
                .withEnv(environment(ref))
                .withPorts(Ports.all().stream()
                        .map(p -> new ContainerPortBuilder()
                                .withName(p.word())
                                .withContainerPort(p.number())
                                .withProtocol("TCP")
                                .build())
                        .toList())
                .withResources(new ResourceRequirementsBuilder()
                        .withRequests(spec.resources().requests())
                        .withLimits(spec.resources().limits())
                        .build())
                .withStartupProbe(probe("/startupz", 2, 5, 60))
                .withLivenessProbe(probe("/livez", 10, 5, 3))
                .withReadinessProbe(probe("/readyz", 2, 2, 2))
                .withNewSecurityContext()
                .withAllowPrivilegeEscalation(false)
                .withReadOnlyRootFilesystem(true)
                .withNewCapabilities()
                .withDrop("ALL")
                .endCapabilities()
                .endSecurityContext()
                .withVolumeMounts(mounts())
                .build();
    }

    private static List<EnvVar> environment(ClusterRef ref) {
        return List.of(
                field("POD_NAME", "metadata.name"),
                field("POD_NAMESPACE", "metadata.namespace"),
                field("QUANTADB_CLUSTER_NODE_ID", "metadata.name"),
                value("QUANTADB_HOST", "0.0.0.0"),
                value("QUANTADB_ADVERTISED_HOST", "$(POD_NAME)." + ref.nodesService() + ".$(POD_NAMESPACE).svc"),
                value("QUANTADB_DATA_DIR", "/var/lib/quantadb/node"),
                value("QUANTADB_RUN_DIR", "/run/quantadb"));
    }

    private static EnvVar field(String name, String path) {
        return new EnvVarBuilder()
                .withName(name)
                .withNewValueFrom()
                .withNewFieldRef()
                .withApiVersion("v1")
                .withFieldPath(path)
                .endFieldRef()
                .endValueFrom()
                .build();
    }

    private static EnvVar value(String name, String value) {
        return new EnvVarBuilder().withName(name).withValue(value).build();
    }

    private static Probe probe(String path, int periodSeconds, int timeoutSeconds, int failures) {
        return new ProbeBuilder()
                .withNewHttpGet()
                .withPath(path)
                .withNewPort(Ports.API.number())
                .withScheme("HTTPS")
                .endHttpGet()
                .withPeriodSeconds(periodSeconds)
                .withTimeoutSeconds(timeoutSeconds)
                .withFailureThreshold(failures)
                .withSuccessThreshold(1)
                .build();
    }

    private static List<VolumeMount> mounts() {
        return List.of(
                mount(DATA_VOLUME, "/var/lib/quantadb", false),
                mount("run", "/run/quantadb", false),
                mount("tmp", "/tmp", false),
                mount("config", NodeConfiguration.CONFIG_DIRECTORY, true),
                mount("tls", NodeConfiguration.TLS_DIRECTORY, true),
                mount("superuser", NodeConfiguration.SUPERUSER_DIRECTORY, true),
                mount("app", NodeConfiguration.APP_DIRECTORY, true));
    }

    private static VolumeMount mount(String name, String path, boolean readOnly) {
        var mount = new VolumeMountBuilder().withName(name).withMountPath(path);
        return readOnly ? mount.withReadOnly(true).build() : mount.build();
    }

    private static List<Volume> volumes(ClusterRef ref, QuantaClusterSpec spec) {
        String app = Optional.ofNullable(spec.bootstrap().secret()).orElse(ref.appSecret());
        return List.of(
                new VolumeBuilder()
                        .withName("run")
                        .withNewEmptyDir()
                        .endEmptyDir()
                        .build(),
                new VolumeBuilder()
                        .withName("tmp")
                        .withNewEmptyDir()
                        .endEmptyDir()
                        .build(),
                new VolumeBuilder()
                        .withName("config")
                        .withNewConfigMap()
                        .withName(ref.configMap())
                        .endConfigMap()
                        .build(),
                secret("tls", ref.tlsSecret()),
                secret("superuser", ref.superuserSecret()),
                secret("app", app));
    }

    private static Volume secret(String volume, String name) {
        return new VolumeBuilder()
                .withName(volume)
                .withNewSecret()
                .withSecretName(name)
                .withDefaultMode(SECRET_MODE)
                .endSecret()
                .build();
    }
}
