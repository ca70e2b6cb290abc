package io.quantadb.node.testing;

import java.time.Duration;
import org.awaitility.Awaitility;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Gives every wait that names no limit of its own a minute instead of ten seconds: a machine that has four tests for each
 * core is slow, and no test says how fast something is. JUnit finds this by {@code META-INF/services}.
 */
public final class Patience implements BeforeAllCallback {
    private static final Duration USUAL = Duration.ofMinutes(1);

    @Override
    public void beforeAll(ExtensionContext context) {
        Awaitility.setDefaultTimeout(USUAL);
    }
}
