package io.quantadb.node.bench;

import io.quantadb.node.cli.CertificateAuthority;
import io.quantadb.node.cli.QuantaDb;
import io.quantadb.node.cli.Services;
import io.quantadb.node.cluster.VoicePermit;
import io.quantadb.node.cluster.VoiceRule.Report;
import io.quantadb.node.cluster.VoiceRule.Seen;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.relay.VoicePolicy;
import io.quantadb.node.runtime.AgentRunner;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;
import java.util.ServiceLoader;

/**
 * The program with a bug put back, to show that benches and tests would notice it. {@code BROKEN} in the environment
 * says which: {@code ungated-voice} acknowledges every commit as soon as the primary itself has flushed it.
 */
public final class BrokenNode {
    /** The only bug so far. */
    public static final String UNGATED_VOICE = "ungated-voice";

    private static final VoicePolicy UNGATED = new VoicePolicy() {
        @Override
        public Report next(
                VoicePermit permit,
                long promise,
                boolean leaseValid,
                Collection<Seen> seen,
                Lsn ownFlush,
                Report before) {
            return new Report(Lsn.max(before.flushed(), ownFlush), Lsn.max(before.applied(), ownFlush));
        }

        @Override
        public boolean needsOwnFlush(VoicePermit permit) {
            return true;
        }
    };

    private BrokenNode() {}

    public static void main(String[] args) {
        String broken = System.getenv().getOrDefault("BROKEN", "");
        if (!broken.equals(UNGATED_VOICE)) {
            System.err.printf("BROKEN=%s is not a bug of this build; choose %s%n", broken, UNGATED_VOICE);
            System.exit(2);
        }
        PrintWriter out = new PrintWriter(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        PrintWriter err = new PrintWriter(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8);
        Services services = new Services(
                () -> new AgentRunner(UNGATED),
                () -> ServiceLoader.load(CertificateAuthority.class).findFirst().orElseThrow());
        System.exit(QuantaDb.execute(services, Map.of(), Path.of(""), out, err, args));
    }
}
