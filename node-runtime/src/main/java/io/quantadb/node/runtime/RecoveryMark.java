package io.quantadb.node.runtime;

import io.quantadb.node.cluster.Addresses;
import io.quantadb.node.common.HostPort;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * Where the members of the cluster are reached that this disk's cluster was made in place of, one replication address in a
 * line: they are to hear of it. Kept for ever, since a lost disk may come back after years.
 */
final class RecoveryMark {
    private final Path file;

    RecoveryMark(Path metadata) {
        this.file = metadata.resolve("recovered");
    }

    List<HostPort> read() {
        try {
            return Files.exists(file)
                    ? Files.readAllLines(file).stream()
                            .filter(line -> !line.isBlank())
                            .map(HostPort::parse)
                            .toList()
                    : List.of();
        } catch (IOException | IllegalArgumentException e) {
            throw new LocalFault("%s cannot be read: %s".formatted(file, e), e);
        }
    }

    /** Adds these to what is there; durable when it returns. */
    void add(Collection<Addresses> members) {
        Set<HostPort> all = new LinkedHashSet<>(read());
        members.forEach(a -> all.add(a.replication()));
        String text = all.stream().map(HostPort::toString).collect(Collectors.joining("\n", "", "\n"));
        Path fresh = file.resolveSibling(file.getFileName() + ".new");
        try {
            Files.deleteIfExists(fresh);
            try (FileChannel channel = FileChannel.open(
                    fresh,
                    Set.of(StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE),
                    PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")))) {
                var _ = channel.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.UTF_8)));
                channel.force(true);
            }
            Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE);
        } catch (IOException e) {
            throw new LocalFault("%s cannot be written: %s".formatted(file, e), e);
        }
    }
}
