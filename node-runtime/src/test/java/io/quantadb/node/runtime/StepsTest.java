package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.cli.Failure;
import io.quantadb.node.common.NodeException.LocalFault;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

final class StepsTest {
    @ParameterizedTest
    @CsvSource({
        "initdb failed: the disk is full (No space left on device), DATA_DIRECTORY",
        "initdb failed: invalid locale name, POSTGRES"
    })
    void tellsAFullDiskFromAPostgresqlThatCannotMakeItsCluster(String words, ExitCode code) {
        // When
        Failure failure = catchThrowableOfType(
                Failure.class,
                () -> Steps.creating(() -> {
                    throw new LocalFault(words);
                }));

        // Then
        assertThat(failure.code()).isEqualTo(code);
        assertThat(failure.line()).contains(words);
    }
}
