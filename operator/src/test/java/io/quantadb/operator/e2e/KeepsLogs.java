package io.quantadb.operator.e2e;

import static io.quantadb.operator.e2e.TestCluster.say;

import java.time.Duration;
import java.util.Map;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.LifecycleMethodExecutionExceptionHandler;
import org.junit.jupiter.api.extension.TestExecutionExceptionHandler;
import org.opentest4j.TestAbortedException;

/** When a test fails, keeps what the cluster was like then, before the namespace goes: {@code target/e2e/}. */
final class KeepsLogs implements TestExecutionExceptionHandler, LifecycleMethodExecutionExceptionHandler {
    private static final Duration DEADLINE = Duration.ofSeconds(90);

    @Override
    public void handleTestExecutionException(ExtensionContext context, Throwable failure) throws Throwable {
        keep(context, failure);
    }

    @Override
    public void handleBeforeAllMethodExecutionException(ExtensionContext context, Throwable failure) throws Throwable {
        keep(context, failure);
    }

    @Override
    public void handleBeforeEachMethodExecutionException(ExtensionContext context, Throwable failure) throws Throwable {
        keep(context, failure);
    }

    private static void keep(ExtensionContext context, Throwable failure) throws Throwable {
        if (!(failure instanceof TestAbortedException)) {
            String folder = "target/e2e/" + context.getRequiredTestClass().getSimpleName()
                    + context.getTestMethod().map(m -> "." + m.getName()).orElse("");
            try {
                Commands.attempt(DEADLINE, Map.of(), "hack/e2e.d/keep-logs", folder);
                say("failed: " + folder + " has the logs");
            } catch (AssertionError | RuntimeException e) {
                // The test's own failure matters more than that its logs are missing.
                failure.addSuppressed(e);
            }
        }
        throw failure;
    }
}
