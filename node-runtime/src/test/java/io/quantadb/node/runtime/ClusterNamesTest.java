package io.quantadb.node.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ClusterNamesTest {
    @Test
    void countsRecoveriesAndKeepsTheNameThatItBeganWith() {
        // When
        String second = ClusterNames.next("shop-1.00c0ffee00c0ffee", 0xbeef);
        String third = ClusterNames.next(second, -1);

        // Then
        assertThat(second).isEqualTo("shop-1.00c0ffee00c0ffee~2.0000beef");
        assertThat(third).isEqualTo("shop-1.00c0ffee00c0ffee~3.ffffffff");
    }

    @ParameterizedTest(name = "{0} in place of {1}: {2}")
    @CsvSource({
        "a~2.00000001, a,            true",
        "a~3.00000001, a,            true",
        "a~3.00000001, a~2.0000beef, true",
        "a,            a~2.00000001, false",
        "a,            a,            false",
        "a~2.00000001, a~2.00000002, false",
        "a~2.00000001, b,            false",
        "a~2.00000001, '',           false",
        "a~2,          a,            false"
    })
    void knowsWhichTookTheOthersPlace(String id, String other, boolean supersedes) {
        assertThat(ClusterNames.supersedes(id, other)).isEqualTo(supersedes);
    }
}
