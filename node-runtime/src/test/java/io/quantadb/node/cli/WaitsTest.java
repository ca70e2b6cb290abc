package io.quantadb.node.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

class WaitsTest {
    private final AtomicInteger asked = new AtomicInteger();

    private String grantedAtTheThirdTime() {
        if (asked.incrementAndGet() < 3) {
            throw new Failure(ExitCode.REFUSED, "commits would wait", "nothing was changed");
        }
        return "begun";
    }

    @Test
    void asksAgainWhatIsRefusedForAMoment() {
        assertThat(Waits.granted(Duration.ofMinutes(5), this::grantedAtTheThirdTime, "the rest was left alone"))
                .isEqualTo("begun");
        assertThat(asked).hasValue(3);
    }

    @Test
    void tellsTheRefusalAndWhatItMeansByThenOnceThePatienceIsOver() {
        assertThatThrownBy(() -> Waits.granted(Duration.ZERO, this::grantedAtTheThirdTime, "the rest was left alone"))
                .isInstanceOfSatisfying(
                        Failure.class,
                        failure -> assertThat(failure.line())
                                .isEqualTo("quantadb: commits would wait; the rest was left alone"));
        assertThat(asked).hasValue(1);
    }

    @Test
    void asksNobodyAgainWhoDoesNotAnswer() {
        assertThatThrownBy(() -> Waits.granted(
                        Duration.ofMinutes(5),
                        () -> {
                            asked.incrementAndGet();
                            throw new Failure(ExitCode.NOT_RUNNING, "no node answers", "");
                        },
                        ""))
                .hasMessage("no node answers");
        assertThat(asked).hasValue(1);
    }
}
