package io.quantadb.node.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.BufferedReader;
import java.io.PrintWriter;
import java.io.StringReader;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConfirmationTest {
    private final StringWriter shown = new StringWriter();

    private String typed(String text) {
        return new Confirmation(new BufferedReader(new StringReader(text)))
                .typed(new PrintWriter(shown, true), "shop.1");
    }

    @Test
    void goesOnOnceTheNameWasTyped() {
        assertThat(typed(" shop.1 \n")).isEqualTo("shop.1");
        assertThat(shown.toString()).isEqualTo("Type shop.1 to go on: ");
    }

    @ParameterizedTest(name = "[{0}]")
    @ValueSource(strings = {"", "\n", "yes\n", "shop\n", "SHOP.1\n"})
    void stopsForAnythingElse(String text) {
        assertThatThrownBy(() -> typed(text))
                .isInstanceOf(Failure.class)
                .hasMessageContaining("shop.1 was not typed; nothing was changed")
                .satisfies(e -> assertThat(((Failure) e).code()).isEqualTo(ExitCode.REFUSED));
    }
}
