package io.quantadb.operator.resource;

import static org.assertj.core.api.Assertions.assertThat;

import io.fabric8.kubernetes.api.model.ConfigMapBuilder;
import io.fabric8.kubernetes.api.model.HasMetadata;
import io.fabric8.kubernetes.api.model.Service;
import io.fabric8.kubernetes.api.model.ServiceBuilder;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;

class SettledTest {
    private Instant now = Instant.parse("2026-03-01T12:00:00Z");
    private final Settled settled = new Settled(() -> now);

    /** What the operator wants. */
    private static final Service WANTED = new ServiceBuilder()
            .withNewMetadata()
            .withNamespace("shop")
            .withName("orders-rw")
            .addToLabels("a", "1")
            .addToLabels("b", "2")
            .endMetadata()
            .withNewSpec()
            .addToSelector("app", "orders")
            .endSpec()
            .build();

    /** What the server made of it: with an address, and what it counts. */
    private static final Service MADE = new ServiceBuilder(WANTED)
            .editMetadata()
            .withUid("uid-1")
            .withResourceVersion("7")
            .withGeneration(1L)
            .addNewManagedField()
            .withManager("quantadb-operator")
            .endManagedField()
            .endMetadata()
            .editSpec()
            .withClusterIP("10.96.0.9")
            .endSpec()
            .build();

    private boolean standsWith(HasMetadata... there) {
        return settled.stands(
                WANTED, type -> List.of(there).stream().filter(type::isInstance).toList());
    }

    private static Service changed(UnaryOperator<ServiceBuilder> how) {
        return how.apply(new ServiceBuilder(MADE)).build();
    }

    @Test
    void whatWasNeverAppliedDoesNotStand() {
        assertThat(standsWith(MADE)).isFalse();
    }

    @Test
    void whatWasAppliedStandsWhileItIsThereAsItWasLeft() {
        settled.made(WANTED, MADE);

        assertThat(standsWith(MADE)).isTrue();
        assertThat(standsWith()).as("gone").isFalse();
        assertThat(standsWith(
                        new ConfigMapBuilder().withMetadata(MADE.getMetadata()).build()))
                .as("another kind of that name")
                .isFalse();
    }

    @Test
    void whatTheServerCountsAndControllersTellMakesNoDifference() {
        settled.made(WANTED, MADE);

        assertThat(standsWith(changed(service -> service.withApiVersion(null)
                        .withKind(null)
                        .editMetadata()
                        .withResourceVersion("8")
                        .withGeneration(2L)
                        .withManagedFields()
                        .endMetadata()
                        .withNewStatus()
                        .endStatus())))
                .isTrue();
    }

    @Test
    void whateverAnybodyChangesMakesADifference() {
        settled.made(WANTED, MADE);

        assertThat(standsWith(changed(service ->
                        service.editSpec().addToSelector("role", "primary").endSpec())))
                .isFalse();
        assertThat(standsWith(changed(
                        service -> service.editMetadata().addToLabels("c", "3").endMetadata())))
                .isFalse();
        assertThat(standsWith(changed(
                        service -> service.editMetadata().removeFromLabels("a").endMetadata())))
                .isFalse();
        assertThat(standsWith(changed(service -> service.editMetadata()
                        .withDeletionTimestamp("2026-03-01T12:00:00Z")
                        .endMetadata())))
                .isFalse();
        assertThat(standsWith(changed(
                        service -> service.editMetadata().withUid("uid-2").endMetadata())))
                .as("another object of that name")
                .isFalse();
    }

    @Test
    void theOrderOfLabelsMakesNoDifference() {
        settled.made(WANTED, MADE);

        assertThat(standsWith(changed(service -> service.editMetadata()
                        .withLabels(null)
                        .addToLabels("b", "2")
                        .addToLabels("a", "1")
                        .endMetadata())))
                .isTrue();
    }

    @Test
    void somethingElseThatIsWantedDoesNotStand() {
        settled.made(
                changed(service ->
                        service.editSpec().addToSelector("app", "other").endSpec()),
                MADE);

        assertThat(standsWith(MADE)).isFalse();
    }

    @Test
    void isNotBelievedForEver() {
        settled.made(WANTED, MADE);

        now = now.plus(Duration.ofMinutes(10)).minusMillis(1);
        assertThat(standsWith(MADE)).isTrue();
        now = now.plusMillis(1);
        assertThat(standsWith(MADE)).isFalse();
    }
}
