package io.quantadb.node.coordinator;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.common.NodeId;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FactStoreTest {
    private static final NodeFacts FACTS = new NodeFacts(new NodeId("n1"), 7, "c", 1, 1, 0, "", null);

    @TempDir
    Path folder;

    @Test
    void aPromiseIsFoundByAnotherStartOnceItIsSaidToBeKept() throws Exception {
        // Given
        Path file = folder.resolve("facts");
        try (FactStore store = new FactStore(file, _ -> {})) {
            store.put(FACTS);
            var done = new CompletableFuture<Void>();

            // When
            store.promise(9, () -> done.complete(null));
            done.get();
        }

        // Then
        try (FactStore again = new FactStore(file, _ -> {})) {
            assertThat(again.facts()).isEqualTo(FACTS.withPromise(9));
        }
    }

    @Test
    void aPromiseNeverGoesBackAndWhatWasAskedFirstIsAnsweredFirst() {
        // Given
        List<String> answered = new CopyOnWriteArrayList<>();
        try (FactStore store = new FactStore(folder.resolve("facts"), _ -> {})) {
            store.put(FACTS);

            // When
            store.generation(4, () -> answered.add("generation"));
            store.promise(9, () -> answered.add("promise 9"));
            store.promise(5, () -> answered.add("promise 5"));

            // Then
            await().atMost(Duration.ofSeconds(5)).until(() -> answered.size() == 3);
            assertThat(answered).containsExactly("generation", "promise 9", "promise 5");
            assertThat(store.facts()).isEqualTo(FACTS.withGeneration(4).withPromise(9));
        }
    }

    @Test
    void aPromiseThatCannotBeKeptIsNeverAnsweredNorIsAnyLaterOne() {
        // Given: nothing was ever put, so there is nothing to change
        List<String> answered = new CopyOnWriteArrayList<>();
        var fault = new AtomicReference<Throwable>();
        try (FactStore store = new FactStore(folder.resolve("facts"), fault::set)) {
            // When
            store.promise(9, () -> answered.add("9"));
            store.promise(10, () -> answered.add("10"));
        }

        // Then
        assertThat(fault.get()).isNotNull();
        assertThat(answered).isEmpty();
    }

    @Test
    void thereIsNoFileBeforeSomethingIsRememberedNorAfterItIsForgotten() {
        // Given
        Path file = folder.resolve("facts");
        try (FactStore store = new FactStore(file, _ -> {})) {
            assertThat(file).doesNotExist();
            store.put(FACTS);
            assertThat(file).exists();

            // When
            store.forget();

            // Then
            assertThat(file).doesNotExist();
            assertThat(store.facts()).isNull();
        }
        try (FactStore again = new FactStore(file, _ -> {})) {
            assertThat(again.facts()).isNull();
            assertThat(file).doesNotExist();
        }
    }
}
