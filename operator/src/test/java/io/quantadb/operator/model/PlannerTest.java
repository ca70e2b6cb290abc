package io.quantadb.operator.model;

import static io.quantadb.operator.testing.Clusters.NOW;
import static io.quantadb.operator.testing.Clusters.ORDERS;
import static io.quantadb.operator.testing.Clusters.REVISION;
import static io.quantadb.operator.testing.Clusters.ordersOf;
import static io.quantadb.operator.testing.Clusters.with;
import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.apps.StatefulSet;
import io.quantadb.crd.v1alpha1.QuantaCluster;
import io.quantadb.crd.v1alpha1.QuantaClusterStatus;
import io.quantadb.operator.testing.Clusters.Seen;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Test;

class PlannerTest {
    private static final ImageChoice IMAGE = new ImageChoice("quantadb.io/node:1.0", "1.0");
    private static final QuantaClusterStatus NEW = QuantaClusterStatus.none();
    private static final QuantaClusterStatus FOUNDED = with("Initialized", "True");

    private static List<Step> steps(QuantaCluster cluster, QuantaClusterStatus kept, Seen seen, Finding... findings) {
        return plan(cluster, kept, seen, findings).steps();
    }

    private static Plan plan(QuantaCluster cluster, QuantaClusterStatus kept, Seen seen, Finding... findings) {
        return new Planner(ORDERS, cluster.getSpec(), kept, seen.done(), NOW).plan(List.of(findings), IMAGE);
    }

    private static List<Step> withoutApplies(List<Step> steps) {
        return steps.stream().filter(s -> !(s instanceof Step.Apply)).toList();
    }

    private static QuantaClusterStatus permitted() {
        return new QuantaClusterStatus(
                1,
                List.of(),
                0,
                0,
                "",
                null,
                0,
                null,
                null,
                null,
                new QuantaClusterStatus.Permission("orders-0", "2026-03-01T11:59:00Z"),
                null,
                List.of());
    }

    @Test
    void makesWhatPodsNeedBeforeItMakesPods() {
        // When
        List<Step> steps = steps(ordersOf(3), NEW, Seen.nothing());

        // Then
        assertThat(steps.subList(0, 4))
                .containsExactly(
                        new Step.CreateAuthority(),
                        new Step.CreateSuperuserSecret(),
                        new Step.CreateAppSecret("app", "app"),
                        new Step.IssueCertificates(List.of("orders-0", "orders-1", "orders-2")));
        assertThat(steps.getLast())
                .isInstanceOfSatisfying(
                        Step.Apply.class, apply -> assertThat(apply.object()).isInstanceOf(StatefulSet.class));
    }

    @Test
    void makesNoSecretThatIsThere() {
        assertThat(withoutApplies(steps(ordersOf(3), FOUNDED, Seen.serving(3))))
                .containsExactly(
                        new Step.LabelRole("orders-0", "uid-orders-0", "primary"),
                        new Step.LabelRole("orders-1", "uid-orders-1", "replica"),
                        new Step.LabelRole("orders-2", "uid-orders-2", "replica"));
    }

    @Test
    void hasNothingButAppliesLeftOnceAllIsInPlace() {
        Seen seen = Seen.serving(3)
                .labelled("orders-0", "primary")
                .labelled("orders-1", "replica")
                .labelled("orders-2", "replica");
        assertThat(withoutApplies(steps(ordersOf(3), FOUNDED, seen))).isEmpty();
    }

    @Test
    void recordsThePermissionBeforeItGivesIt() {
        Seen seen = Seen.objects(3).formless("orders-0", "orders-1", "orders-2");
        assertThat(withoutApplies(steps(ordersOf(3), NEW, seen)))
                .containsExactly(new Step.RecordPermission("orders-0"));
        assertThat(withoutApplies(steps(ordersOf(3), permitted(), seen)))
                .containsExactly(new Step.GivePermission("orders-0"));
    }

    @Test
    void givesNoPermissionWhileANodeIsSilent() {
        Seen seen = Seen.objects(3).formless("orders-0", "orders-1").silent("orders-2");
        assertThat(withoutApplies(steps(ordersOf(3), NEW, seen))).isEmpty();
    }

    /** Its disk may belong to a cluster: it knows no members before it has found the others. */
    @Test
    void givesNoPermissionWhileANodeJustStarts() {
        Seen seen = Seen.objects(3)
                .formless("orders-0", "orders-1")
                .starting("orders-2")
                .labelled("orders-2", "standby");
        assertThat(withoutApplies(steps(ordersOf(3), NEW, seen))).isEmpty();
        assertThat(withoutApplies(steps(ordersOf(3), permitted(), seen))).isEmpty();
    }

    @Test
    void givesNoPermissionOnceAnyNodeKnowsACluster() {
        Seen seen = Seen.objects(3).formless("orders-0", "orders-1").says("orders-2", "UNKNOWN", false, 4);
        assertThat(withoutApplies(steps(ordersOf(3), permitted(), seen))).isEmpty();
    }

    @Test
    void neverFoundsAnInitializedClusterAgainThoughAllItsVolumesAreEmpty() {
        Seen seen = Seen.objects(3).formless("orders-0", "orders-1", "orders-2");
        assertThat(withoutApplies(steps(ordersOf(3), FOUNDED, seen))).isEmpty();
    }

    @Test
    void renewsACertificateWithAThirdOfItsTimeLeft() {
        Seen seen = Seen.serving(3)
                .certificate("orders-1", NOW.minus(Duration.ofDays(244)), NOW.plus(Duration.ofDays(121)), true)
                .certificate("orders-2", NOW.minus(Duration.ofDays(242)), NOW.plus(Duration.ofDays(123)), true);
        assertThat(steps(ordersOf(3), FOUNDED, seen))
                .first()
                .isEqualTo(new Step.IssueCertificates(List.of("orders-1")));
    }

    @Test
    void reissuesCertificatesOfAnotherAuthority() {
        Seen seen = Seen.serving(1).certificate("orders-0", NOW, NOW.plus(Duration.ofDays(365)), false);
        assertThat(steps(ordersOf(1), FOUNDED, seen))
                .first()
                .isEqualTo(new Step.IssueCertificates(List.of("orders-0")));
    }

    @Test
    void growsWithCertificatesForTheNewNodesOnly() {
        Plan plan = plan(ordersOf(5), FOUNDED, Seen.serving(3));
        assertThat(plan.instances()).isEqualTo(5);
        assertThat(plan.steps()).first().isEqualTo(new Step.IssueCertificates(List.of("orders-3", "orders-4")));
    }

    @Test
    void keepsRemovedInstancesRunning() {
        Plan plan = plan(ordersOf(1), FOUNDED, Seen.serving(3), new Finding("ScaleDownRefused", "", false));
        assertThat(plan.instances()).isEqualTo(3);
        assertThat(plan.steps())
                .anySatisfy(step -> assertThat(step)
                        .isInstanceOfSatisfying(
                                Step.Apply.class,
                                apply -> assertThat(apply.object())
                                        .isInstanceOfSatisfying(
                                                StatefulSet.class,
                                                set -> assertThat(set.getSpec().getReplicas())
                                                        .isEqualTo(3))));
    }

    @Test
    void appliesNothingWithABlockingFindingButGoesOnWithRolesAndCertificates() {
        Seen seen = Seen.serving(3)
                .certificate("orders-1", NOW.minus(Duration.ofDays(300)), NOW.plus(Duration.ofDays(65)), true);
        assertThat(steps(ordersOf(3), FOUNDED, seen, new Finding("InvalidSpec", "", true)))
                .containsExactly(
                        new Step.IssueCertificates(List.of("orders-1")),
                        new Step.LabelRole("orders-0", "uid-orders-0", "primary"),
                        new Step.LabelRole("orders-1", "uid-orders-1", "replica"),
                        new Step.LabelRole("orders-2", "uid-orders-2", "replica"));
    }

    @Test
    void replacesAPodWhoseClaimIsGone() {
        Seen seen = Seen.serving(3).pod("orders-1", false, REVISION, false, true);
        assertThat(steps(ordersOf(3), FOUNDED, seen))
                .contains(new Step.ReplacePod("orders-1", "uid-orders-1", "its volume claim is gone"));
    }

    @Test
    void replacesAnOutdatedPodInWhichNothingRuns() {
        Seen stuck = Seen.serving(3).pod("orders-1", false, "orders-old").troubled("orders-1", "ImagePullBackOff");
        for (QuantaClusterStatus kept : List.of(NEW, permitted(), FOUNDED)) {
            assertThat(steps(ordersOf(3), kept, stuck))
                    .filteredOn(Step.ReplacePod.class::isInstance)
                    .containsExactly(new Step.ReplacePod(
                            "orders-1",
                            "uid-orders-1",
                            "its settings changed, and nothing runs in it: ImagePullBackOff"));
        }
        Seen current = Seen.serving(3).troubled("orders-1", "CrashLoopBackOff");
        assertThat(steps(ordersOf(3), FOUNDED, current)).noneMatch(Step.ReplacePod.class::isInstance);
    }

    @Test
    void restartsOutdatedPodsThatRunOnlyWhileThereIsNoClusterToDisturb() {
        Seen blank = Seen.objects(1).pod("orders-0", true, "orders-old").formless("orders-0");
        assertThat(withoutApplies(steps(ordersOf(1), NEW, blank)))
                .contains(new Step.ReplacePod(
                        "orders-0", "uid-orders-0", "its settings changed, and there is no cluster yet to disturb"));
        assertThat(withoutApplies(steps(ordersOf(1), permitted(), blank))).noneMatch(Step.ReplacePod.class::isInstance);
        assertThat(withoutApplies(steps(ordersOf(1), FOUNDED, blank))).noneMatch(Step.ReplacePod.class::isInstance);
    }

    /** A status that tells of no cluster may have been lost. */
    @Test
    void restartsNoPodInWhichAMemberMayRunThoughStatusTellsOfNoCluster() {
        assertThat(withoutApplies(steps(
                        ordersOf(2),
                        NEW,
                        Seen.objects(2)
                                .pod("orders-0", true, "orders-old")
                                .pod("orders-1", true, "orders-old")
                                .silent("orders-0")
                                .starting("orders-1")
                                .labelled("orders-1", "standby"))))
                .isEmpty();
    }

    @Test
    void remembersByItsPodsHowManyNodesThereWereWhenTheStatefulSetIsGone() {
        Seen seen = Seen.serving(3).noWorkload().noPods().pod("orders-2", true, REVISION);
        assertThat(plan(ordersOf(1), FOUNDED, seen).instances()).isEqualTo(3);
    }

    @Test
    void leavesTheLabelOfASilentNodeAlone() {
        Seen seen = Seen.serving(3)
                .silent("orders-0")
                .labelled("orders-0", "primary")
                .labelled("orders-1", "replica")
                .labelled("orders-2", "replica");
        assertThat(withoutApplies(steps(ordersOf(3), FOUNDED, seen))).isEmpty();
    }

    @Test
    void theConfigurationHashFollowsSettingsAndNotPeers() {
        assertThat(NodeConfiguration.hash(ordersOf(3).getSpec()))
                .isEqualTo(NodeConfiguration.hash(ordersOf(5).getSpec()))
                .isNotEqualTo(NodeConfiguration.hash(io.quantadb.operator.testing.Clusters.orders(
                                "storage: {size: 1Gi}\npostgresql: {parameters: {work_mem: 8MB}}")
                        .getSpec()));
    }
}
