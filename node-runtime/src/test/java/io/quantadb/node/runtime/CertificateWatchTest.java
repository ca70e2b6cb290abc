package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.quantadb.node.pki.Validity;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class CertificateWatchTest {
    private static final Instant ISSUED = Instant.parse("2026-05-01T12:00:00Z");
    private static final Path FILE = Path.of("/etc/quantadb/node1.crt");

    private final ListAppender<ILoggingEvent> said = new ListAppender<>();
    private final List<Validity> inUse = new ArrayList<>();
    private final CertificateWatch watch = new CertificateWatch(() -> List.copyOf(inUse), this::now);
    private Instant now = ISSUED;

    @BeforeEach
    void listen() {
        said.start();
        logger().addAppender(said);
    }

    @AfterEach
    void stopListening() {
        logger().detachAppender(said);
    }

    @Test
    void warnsOnceADayInTheLastThirtyDaysOfAYear() {
        // Given
        inUse.add(goodFor(Duration.ofDays(365)));

        // Then
        assertThat(heardAt(Duration.ofDays(335))).isEmpty();
        assertThat(heardAt(Duration.ofDays(335).plusMinutes(1)))
                .singleElement()
                .asString()
                .startsWith("WARN a certificate of this node expires soon")
                .contains("no restart is needed", FILE.toString(), "2027-05-01T12:00:00Z");
        assertThat(heardAt(Duration.ofDays(335).plusHours(23))).isEmpty();
        assertThat(heardAt(Duration.ofDays(336).plusMinutes(1))).hasSize(1);
    }

    @Test
    void warnsInTheLastFifthOfAShorterLife() {
        // Given
        inUse.add(goodFor(Duration.ofDays(90)));

        // Then
        assertThat(heardAt(Duration.ofDays(72))).isEmpty();
        assertThat(heardAt(Duration.ofDays(72).plusMinutes(1))).hasSize(1);
    }

    @Test
    void saysAtOnceAndEveryHourThatItIsOver() {
        // Given
        inUse.add(goodFor(Duration.ofMinutes(10)));
        assertThat(heardAt(Duration.ofMinutes(9))).hasSize(1);

        // Then
        assertThat(heardAt(Duration.ofMinutes(10)))
                .singleElement()
                .asString()
                .startsWith("ERROR a certificate of this node has expired")
                .contains("new ones are refused", FILE.toString());
        assertThat(heardAt(Duration.ofMinutes(69))).isEmpty();
        assertThat(heardAt(Duration.ofMinutes(70))).hasSize(1);
    }

    @Test
    void isSilentWhenTheCertificateWasRenewed() {
        // Given
        inUse.add(goodFor(Duration.ofMinutes(10)));
        assertThat(heardAt(Duration.ofMinutes(11))).hasSize(1);

        // When
        inUse.set(0, goodFor(Duration.ofDays(365)));

        // Then
        assertThat(heardAt(Duration.ofMinutes(100))).isEmpty();
    }

    @Test
    void judgesTwoAuthoritiesOfOneFileApart() {
        // Given an old and a new one, while the authority is being changed
        inUse.add(goodFor(Duration.ofMinutes(10)));
        inUse.add(goodFor(Duration.ofDays(365)));
        assertThat(heardAt(Duration.ofMinutes(11))).hasSize(1);

        // Then
        assertThat(heardAt(Duration.ofMinutes(12))).isEmpty();
    }

    private List<String> heardAt(Duration age) {
        said.list.clear();
        now = ISSUED.plus(age);
        watch.look();
        return said.list.stream()
                .map(e -> e.getLevel() + " " + e.getFormattedMessage() + " " + e.getKeyValuePairs())
                .toList();
    }

    private Instant now() {
        return now;
    }

    private static Validity goodFor(Duration life) {
        return new Validity("the node's certificate", FILE, ISSUED, ISSUED.plus(life));
    }

    private static Logger logger() {
        return (Logger) LoggerFactory.getLogger(CertificateWatch.class);
    }
}
