package io.quantadb.node.cli;

import java.util.ServiceLoader;
import java.util.function.Supplier;

/** What the commands need from packages that they must not know. Suppliers, so that each is loaded only when used. */
public record Services(
        Supplier<NodeRunner> runner, Supplier<CertificateAuthority> authority, Supplier<QuorumRecovery> recovery) {
    /** With the program's own way to recover a lost majority. */
    public Services(Supplier<NodeRunner> runner, Supplier<CertificateAuthority> authority) {
        this(runner, authority, () -> only(QuorumRecovery.class));
    }

    static Services fromClassPath() {
        return new Services(() -> only(NodeRunner.class), () -> only(CertificateAuthority.class));
    }

    private static <T> T only(Class<T> type) {
        return ServiceLoader.load(type)
                .findFirst()
                .orElseThrow(() -> new Failure(
                        ExitCode.INTERNAL,
                        "this build has no " + type.getSimpleName() + " on its class path",
                        "build it with `make build`"));
    }
}
