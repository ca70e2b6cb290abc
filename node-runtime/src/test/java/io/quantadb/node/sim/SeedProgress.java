package io.quantadb.node.sim;

import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.TestWatcher;

/** Says every few seconds how far a long search is, when the system property {@code sim.progress} is set. */
public final class SeedProgress implements TestWatcher {
    private static final long EVERY_NANOS = 5_000_000_000L;

    private final String what;
    private final long all;
    private final long began = System.nanoTime();
    private long told = began;
    private long done;
    private long failed;

    /** @param all how many seeds will be run, of all kinds */
    public SeedProgress(String what, long all) {
        this.what = what;
        this.all = all;
    }

    @Override
    public void testSuccessful(ExtensionContext context) {
        done++;
        tell();
    }

    @Override
    public void testFailed(ExtensionContext context, Throwable cause) {
        done++;
        failed++;
        tell();
    }

    private void tell() {
        long now = System.nanoTime();
        if (Boolean.getBoolean("sim.progress") && (now - told >= EVERY_NANOS || done == all)) {
            told = now;
            long left = Math.max(0, all - done) * (now - began) / done / 1_000_000_000L;
            System.out.printf("%s: %d of %d seeds, %d failed, %d s left%n", what, done, all, failed, left);
        }
    }
}
