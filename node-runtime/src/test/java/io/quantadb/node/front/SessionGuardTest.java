package io.quantadb.node.front;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.UnpooledByteBufAllocator;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class SessionGuardTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "SET synchronous_commit TO off",
                "set synchronous_commit=off;",
                "  Set Session synchronous_commit = 'local'",
                "SET LOCAL synchronous_commit TO remote_write; INSERT INTO t VALUES (1)",
                "set \"synchronous_commit\" to \"off\""
            })
    void replacesAStatementThatLowersSynchronousCommit(String sql) {
        // When
        String text = after(Wire.query(sql));
        // Then
        assertThat(text)
                .startsWith("Q")
                .contains("lowered_value_refused_by_quantadb")
                .doesNotContain("INSERT");
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "SET synchronous_commit TO on",
                "SET synchronous_commit = remote_apply",
                "SET synchronous_commit TO DEFAULT",
                "SET search_path TO synchronous_commit",
                "SELECT 'set synchronous_commit to off'",
                "set",
                ""
            })
    void leavesOtherStatementsAlone(String sql) {
        assertThat(after(Wire.query(sql))).endsWith(sql + "\0").doesNotContain("refused");
    }

    @Test
    void replacesItInAParseMessageAndKeepsItsOtherParts() {
        // Given
        ByteBuf parse = Wire.message('P', "s1\0SET synchronous_commit TO off\0\0\0".getBytes(StandardCharsets.UTF_8));
        // When
        ByteBuf changed = SessionGuard.withoutLoweredCommit(parse, UnpooledByteBufAllocator.DEFAULT);
        // Then
        assertThat(changed.getInt(1)).isEqualTo(changed.readableBytes() - 1);
        assertThat(new String(Wire.bytes(changed), StandardCharsets.ISO_8859_1))
                .contains("s1\0SET synchronous_commit TO 'lowered_value_refused_by_quantadb'\0\0\0");
    }

    @Test
    void putsPostgresqlsErrorInTheRightWords() {
        Report error = Wire.reportOf(Wire.bytes(Wire.report(
                'E',
                "ERROR",
                "22023",
                "invalid value for parameter \"synchronous_commit\": \"lowered_value_refused_by_quantadb\"",
                "x")));
        assertThat(SessionGuard.isLoweredCommitError(error)).isTrue();
        assertThat(SessionGuard.loweredCommit(error).get(Report.CODE)).isEqualTo("42501");
    }

    @Test
    void seesTheVoicesNameInAnyCase() {
        assertThat(SessionGuard.claimsVoice(Wire.setting("application_name", "QuantaDB_voice")))
                .isTrue();
        assertThat(SessionGuard.claimsVoice(Wire.setting("application_name", "quantadb_voice2")))
                .isFalse();
        assertThat(SessionGuard.claimsVoice(Wire.setting("TimeZone", "quantadb_voice")))
                .isFalse();
    }

    private static String after(ByteBuf query) {
        ByteBuf changed = SessionGuard.withoutLoweredCommit(query, UnpooledByteBufAllocator.DEFAULT);
        assertThat(changed.getInt(changed.readerIndex() + 1)).isEqualTo(changed.readableBytes() - 1);
        return new String(Wire.bytes(changed), StandardCharsets.ISO_8859_1);
    }
}
