package io.quantadb.node.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UnitsTest {
    @ParameterizedTest
    @CsvSource({"500us,500", "100ms,100000", "10s,10000000", "5m,300000000", "2h,7200000000", "0ms,0"})
    void durationsReadBackAsTheyAreWritten(String text, long micros) {
        // When
        Duration duration = Durations.parse(text);

        // Then
        assertThat(duration).isEqualTo(Duration.ofNanos(micros * 1_000));
        assertThat(Durations.format(duration)).isEqualTo(text);
    }

    @ParameterizedTest
    @CsvSource({
        "0B,0",
        "100B,100",
        "512kB,524288",
        "1MB,1048576",
        "16MB,16777216",
        "3GB,3221225472",
        "1TB,1099511627776"
    })
    void sizesReadBackAsTheyAreWritten(String text, long bytes) {
        // When
        DataSize size = DataSize.parse(text);

        // Then
        assertThat(size.bytes()).isEqualTo(bytes);
        assertThat(size).hasToString(text);
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "10", "ms", "-1s", "1.5s", "10 minutes", "1e3ms", "99999999999999999s"})
    void durationsNeedANumberAndAUnit(String text) {
        // When / Then
        assertThatThrownBy(() -> Durations.parse(text)).hasMessage("is not a duration such as 100ms, 10s or 5m");
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "10", "MB", "-1MB", "1.5GB", "10mb", "999999999999999TB"})
    void sizesNeedANumberAndAUnit(String text) {
        // When / Then
        assertThatThrownBy(() -> DataSize.parse(text)).isInstanceOf(IllegalArgumentException.class);
    }
}
