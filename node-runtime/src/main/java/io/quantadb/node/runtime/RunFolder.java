package io.quantadb.node.runtime;

import io.quantadb.node.cli.AgentPidFile;
import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.Failure;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Base64;
import java.util.random.RandomGenerator;

/**
 * What a running agent leaves for its own user to find: {@code agent.pid}, by which {@code quantadb stop} finds it, and
 * {@code api.token}, which opens the API to changes on loopback addresses. Both are of no use once it has ended.
 */
final class RunFolder implements AutoCloseable {
    private static final int TOKEN_BYTES = 32;

    private final Path folder;

    RunFolder(Path folder) {
        this.folder = folder;
    }

    /** Says which process this is. */
    void open() {
        try {
            Files.createDirectories(folder);
            AgentPidFile.in(folder).write(ProcessHandle.current().pid());
        } catch (IOException e) {
            throw failure(e);
        }
    }

    /** A new token, written where nobody but this user (and root) can read it. */
    String token(RandomGenerator random) {
        byte[] secret = new byte[TOKEN_BYTES];
        random.nextBytes(secret);
        String token = Base64.getUrlEncoder().withoutPadding().encodeToString(secret);
        Path file = folder.resolve("api.token");
        try {
            Path fresh = Files.createTempFile(
                    folder,
                    ".api",
                    ".token",
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
            Files.writeString(fresh, token + "\n");
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } catch (IOException e) {
            throw failure(e);
        }
        return token;
    }

    private Failure failure(IOException e) {
        return new Failure(
                ExitCode.DATA_DIRECTORY,
                "%s cannot be written by user '%s': %s".formatted(folder, System.getProperty("user.name", "?"), e),
                "give that user the right to write, or set another run_dir",
                e);
    }

    @Override
    public void close() throws IOException {
        Files.deleteIfExists(folder.resolve("api.token"));
        AgentPidFile.in(folder).remove();
    }
}
