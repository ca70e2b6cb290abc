package io.quantadb.node.process;

import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.TestInstance;

/** Scenarios that share one cluster of three, formed before the first of them and whole before each. */
@Tag("process")
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class OnOneCluster {
    TestingThree cluster;

    abstract TestingThree formed();

    @BeforeAll
    void form() {
        cluster = formed();
    }

    @AfterAll
    void end() {
        if (cluster != null) {
            cluster.close();
        }
    }

    @BeforeEach
    void beginWhole() {
        // A test that failed half-way says so itself; those after it are not to fail for it.
        cluster.startMissing();
        cluster.awaitConverged();
    }
}
