package io.quantadb.node.common;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class IoReasonTest {
    static Stream<Arguments> failures() {
        return Stream.of(
                Arguments.of(new IOException("No space left on device"), "the disk is full"),
                Arguments.of(new FileSystemException("/a", null, "No space left on device"), "the disk is full"),
                Arguments.of(
                        new FileSystemException("/a", null, "Read-only file system"), "the file system is read-only"),
                Arguments.of(new AccessDeniedException("/a"), "permission denied"),
                Arguments.of(new NoSuchFileException("/a"), "no such file or directory"),
                Arguments.of(new FileSystemException("/a", null, "Too many levels"), "Too many levels"),
                Arguments.of(new IOException("Input/output error"), "IOException: Input/output error"),
                Arguments.of(new IOException(), "IOException"));
    }

    @ParameterizedTest
    @MethodSource("failures")
    void saysWhatAPersonCanActOn(IOException failure, String words) {
        assertThat(IoReason.of(failure)).isEqualTo(words);
    }
}
