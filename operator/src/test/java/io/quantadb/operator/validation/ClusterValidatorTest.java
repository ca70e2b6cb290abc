package io.quantadb.operator.validation;

import static io.quantadb.operator.testing.Clusters.ORDERS;
import static io.quantadb.operator.testing.Clusters.UID;
import static io.quantadb.operator.testing.Clusters.orders;
import static io.quantadb.operator.testing.Clusters.ordersOf;
import static io.quantadb.operator.testing.Clusters.with;
import static org.assertj.core.api.Assertions.assertThat;

import io.quantadb.crd.v1alpha1.QuantaClusterStatus;
import io.quantadb.crd.v1alpha1.Replication;
import io.quantadb.operator.model.ClusterRef;
import io.quantadb.operator.model.Finding;
import io.quantadb.operator.model.ObservedCluster;
import io.quantadb.operator.testing.Clusters.Seen;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ClusterValidatorTest {
    private static final QuantaClusterStatus NEW = QuantaClusterStatus.none();
    private static final QuantaClusterStatus FOUNDED = with("Initialized", "True");

    private static List<Finding> findings(String spec, QuantaClusterStatus kept, Seen seen) {
        return ClusterValidator.findings(ORDERS, orders(spec).getSpec(), kept, seen.done());
    }

    @Test
    void findsNothingWrongWithTheSmallestSpec() {
        assertThat(findings("storage: {size: 1Gi}", NEW, Seen.nothing())).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "instances: 0\nstorage: {size: 1Gi}",
                "instances: 8\nstorage: {size: 1Gi}",
                "instances: 3",
                "storage: {size: 0}",
                "storage: {size: 1Gi}\npostgresql: {parameters: {fsync: 'off'}}",
                "storage: {size: 1Gi}\npostgresql: {parameters: {'bad name': x}}",
                "storage: {size: 1Gi}\npostgresql: {parameters: {max_wal_senders: '2'}}",
                "storage: {size: 1Gi}\npostgresql: {parameters: {work_mem: \"1\\n2\"}}",
                "storage: {size: 1Gi}\nbootstrap: {database: postgres}",
                "storage: {size: 1Gi}\nbootstrap: {owner: pg_me}",
                "storage: {size: 1Gi}\nbootstrap: {owner: Upper}"
            })
    void refusesWhatASchemaWouldOrCouldNot(String spec) {
        assertThat(findings(spec, NEW, Seen.nothing())).singleElement().satisfies(finding -> {
            assertThat(finding.reason()).isEqualTo("InvalidSpec");
            assertThat(finding.blocking()).isTrue();
        });
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "a-name-of-forty-seven-characters-is-one-too-many-xx",
                "1st",
                "quantadb-operator",
                "has.dot",
                "a-rw",
                "a-ro",
                "a-nodes"
            })
    void refusesNamesThatPodsAndServicesCannotBear(String name) {
        var ref = new ClusterRef("shop", name, UID);
        assertThat(ClusterValidator.findings(
                        ref, ordersOf(3).getSpec(), NEW, Seen.nothing().done()))
                .singleElement()
                .extracting(Finding::reason)
                .isEqualTo("InvalidSpec");
    }

    @Test
    void saysThatThereIsNoSpec() {
        assertThat(ClusterValidator.findings(ORDERS, null, NEW, Seen.nothing().done()))
                .singleElement()
                .extracting(Finding::message)
                .asString()
                .contains("no spec");
    }

    @Test
    void refusesToRemoveMembersAndSaysWhy() {
        assertThat(findings("instances: 1\nstorage: {size: 1Gi}", FOUNDED, Seen.serving(3)))
                .singleElement()
                .satisfies(finding -> {
                    assertThat(finding.reason()).isEqualTo("ScaleDownRefused");
                    assertThat(finding.blocking()).isFalse();
                    assertThat(finding.message()).contains("spec.instances is 1 and 3 nodes run");
                });
    }

    @Test
    void refusesAnotherStorageThanThereIs() {
        assertThat(findings("storage: {size: 2Gi}", FOUNDED, Seen.serving(3)))
                .singleElement()
                .extracting(Finding::message)
                .asString()
                .startsWith("spec.storage differs");
        assertThat(findings("storage: {size: 1Gi, storageClassName: fast}", FOUNDED, Seen.serving(3)))
                .hasSize(1);
        assertThat(findings("storage: {size: 1024Mi}", FOUNDED, Seen.serving(3)))
                .isEmpty();
    }

    @Test
    void refusesToChangeWhatTheClusterWasFoundedWith() {
        Seen seen = Seen.serving(3).founding(new ObservedCluster.Founding("app", "app", Replication.Mode.Quorum));
        assertThat(findings("storage: {size: 1Gi}", FOUNDED, seen)).isEmpty();
        assertThat(findings("storage: {size: 1Gi}\nreplication: {mode: Async}", FOUNDED, seen))
                .singleElement()
                .extracting(Finding::message)
                .asString()
                .startsWith("spec.replication.mode");
        assertThat(findings("storage: {size: 1Gi}\nbootstrap: {database: other}", FOUNDED, seen))
                .singleElement()
                .extracting(Finding::message)
                .asString()
                .startsWith("spec.bootstrap");
    }

    @Test
    void waitsForTheSecretThatTheSpecNames() {
        assertThat(findings("storage: {size: 1Gi}\nbootstrap: {secret: mine}", NEW, Seen.nothing()))
                .singleElement()
                .extracting(Finding::reason)
                .isEqualTo("SecretMissing");
    }

    @Test
    void doesNotMakeLostKeysAndPasswordsOfARunningClusterAnew() {
        assertThat(findings("storage: {size: 1Gi}", FOUNDED, Seen.serving(3).secrets(false, true, true)))
                .extracting(Finding::reason)
                .containsExactly("SecretMissing");
        assertThat(findings("storage: {size: 1Gi}", FOUNDED, Seen.serving(3).secrets(true, false, false)))
                .extracting(Finding::reason)
                .containsExactly("SecretMissing", "SecretMissing");
        assertThat(findings("storage: {size: 1Gi}", FOUNDED, Seen.serving(3).unreadableAuthority()))
                .extracting(Finding::reason)
                .containsExactly("SecretUnreadable");
    }

    @Test
    void saysThatTheDataIsLostWhenEveryVolumeOfAFoundedClusterIsEmpty() {
        Seen seen = Seen.objects(3).formless("orders-0", "orders-1", "orders-2");
        assertThat(findings("storage: {size: 1Gi}", FOUNDED, seen))
                .extracting(Finding::reason)
                .containsExactly("DataLost");
        assertThat(findings("storage: {size: 1Gi}", NEW, seen)).isEmpty();
    }

    @Test
    void doesNotMistakeAClusterThatIsJustBeingFoundedForOneThatLostItsData() {
        QuantaClusterStatus founding = new QuantaClusterStatus(
                1, FOUNDED.conditions(), 3, 0, "", null, 0, "uid.1", "1.0", "i", null, null, List.of());
        Seen seen = Seen.objects(3).formless("orders-0", "orders-1", "orders-2");
        assertThat(findings("storage: {size: 1Gi}", founding, seen)).isEmpty();
    }

    @Test
    void refusesToLeaveVolumesOfAnEarlierClusterAside() {
        Seen kept = Seen.nothing().secrets(true, true, true).claims("orders-0", "orders-1", "orders-4");
        assertThat(findings("instances: 3\nstorage: {size: 1Gi}", NEW, kept))
                .singleElement()
                .satisfies(finding -> {
                    assertThat(finding.reason()).isEqualTo("VolumesLeft");
                    assertThat(finding.blocking()).isTrue();
                    assertThat(finding.message())
                            .contains("3 instances would not use (data-orders-4)", "set spec.instances to 5");
                });
        assertThat(findings("instances: 5\nstorage: {size: 1Gi}", NEW, kept)).isEmpty();
    }

    /** The operator makes Secrets before volumes, so volumes without them are what an earlier cluster left. */
    @Test
    void makesNoNewPasswordsOverVolumesThatMayHoldOldOnes() {
        Seen kept = Seen.nothing().claims("orders-0", "orders-1", "orders-2");
        assertThat(findings("storage: {size: 1Gi}", NEW, kept)).hasSize(3).allSatisfy(finding -> {
            assertThat(finding.reason()).isEqualTo("SecretMissing");
            assertThat(finding.blocking()).isTrue();
        });
    }

    @Test
    void makesALostSecretAnewWhileEveryNodeSaysThatItIsEmpty() {
        Seen young = Seen.objects(3).secrets(true, false, true).formless("orders-0", "orders-1", "orders-2");
        assertThat(findings("storage: {size: 1Gi}", NEW, young)).isEmpty();
    }

    @Test
    void takesNodesThatJustStartForNoLoss() {
        Seen restarted = Seen.objects(3).starting("orders-0", "orders-1", "orders-2");
        assertThat(findings("storage: {size: 1Gi}", FOUNDED, restarted)).isEmpty();
        Seen emptied = Seen.objects(3).formless("orders-0", "orders-1", "orders-2");
        assertThat(findings("storage: {size: 1Gi}", FOUNDED, emptied))
                .extracting(Finding::reason)
                .containsExactly("DataLost");
    }
}
