package io.quantadb.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import io.quantadb.node.common.Lsn;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.verify.BlockRange;
import io.quantadb.node.verify.Finding;
import io.quantadb.node.verify.NodeResult;
import io.quantadb.node.verify.Report;
import io.quantadb.node.verify.Report.Verdict;
import io.quantadb.node.verify.RowDifference;
import io.quantadb.node.verify.RowDifference.Kind;
import io.quantadb.node.verify.RowPlace;
import io.quantadb.node.verify.TableRef;
import io.quantadb.node.verify.TableResult;
import java.time.Duration;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class VerifyTableTest {
    private static final NodeId ONE = new NodeId("node1");
    private static final NodeId TWO = new NodeId("node2");
    private static final NodeId THREE = new NodeId("node3");
    private static final NodeResult SAME = new NodeResult(List.of(), List.of());

    @Test
    void laysOutWhatIsAlikeInOneLineATable() {
        // Given
        Report report = report(Map.of(), table("orders", 1234, 0xabcL, SAME, SAME), table("log", 0, 0, SAME, SAME));

        // When / Then
        assertThat(new VerifyTable().render(report)).isEqualTo("""
                        DATABASE TABLE         ROWS CHECKSUM         node2 node3
                        shop     public.orders 1234 0000000000000abc same  same
                        shop     public.log       0 0000000000000000 same  same
                        2 tables, 1234 rows of node1 (primary) and node2, node3, between LSN 0/10 and 0/20, in 1.5 s: all alike
                        """);
        assertThat(report.verdict()).isEqualTo(Verdict.SAME);
    }

    @Test
    void tellsWhatDiffersBelowTheTable() {
        // Given
        NodeResult rows = new NodeResult(
                List.of(
                        new Finding.Rows(
                                new BlockRange(0, 16, false),
                                List.of(
                                        new RowDifference(new RowPlace(3, 5), Kind.CHANGED),
                                        new RowDifference(new RowPlace(4, 1), Kind.MISSING)),
                                new Lsn(0x18)),
                        new Finding.Unreadable(new BlockRange(7, 8, false), "invalid page in block 7")),
                List.of());
        NodeResult unsettled = new NodeResult(List.of(), List.of("blocks 0 to 15: lock timeout"));
        Report report = report(
                Map.of(),
                table("orders", 10, 1, rows, unsettled),
                new TableResult("shop", ref("cache"), 0, 0, Map.of(), "it is unlogged"));

        // When / Then
        assertThat(new VerifyTable().render(report)).isEqualTo("""
                        DATABASE TABLE         ROWS CHECKSUM         node2                       node3
                        shop     public.orders   10 0000000000000001 2 rows differ, 1 unreadable not settled
                        shop     public.cache     - -                -                           -
                        node2 shop public.orders (3,5) is not what the primary has
                        node2 shop public.orders (4,1) is missing
                        node2 shop public.orders block 7 cannot be read: invalid page in block 7
                        node3 shop public.orders blocks 0 to 15: lock timeout
                        shop public.cache was not compared: it is unlogged
                        1 table, 10 rows of node1 (primary) and node2, node3, between LSN 0/10 and 0/20, in 1.5 s: NOT ALIKE: node2
                        """);
        assertThat(report.verdict()).isEqualTo(Verdict.DIFFERENT);
    }

    @Test
    void listsTwentyRowsOfARangeAndCountsTheOthers() {
        // Given
        List<RowDifference> many = IntStream.rangeClosed(1, 25)
                .mapToObj(i -> new RowDifference(new RowPlace(0, i), Kind.EXTRA))
                .toList();
        NodeResult rows =
                new NodeResult(List.of(new Finding.Rows(new BlockRange(0, 1, true), many, new Lsn(1))), List.of());

        // When
        String text = new VerifyTable().render(report(Map.of(), table("orders", 10, 1, rows, SAME)));

        // Then
        assertThat(text.lines().filter(line -> line.endsWith("is not on the primary")))
                .hasSize(20);
        assertThat(text).contains("node2 shop public.orders and 5 more rows in blocks 0 and after");
    }

    @Test
    void anAbsentNodeMakesTheResultIncomplete() {
        // Given
        Report report = new Report(
                List.of(ONE, TWO),
                Map.of(THREE, "its state is DOWN"),
                List.of(),
                new Lsn(0x10),
                new Lsn(0x20),
                Duration.ZERO);

        // When / Then
        assertThat(new VerifyTable().render(report))
                .contains("node3 was not compared: its state is DOWN")
                .endsWith("nothing differs, but not everything could be compared" + System.lineSeparator());
        assertThat(report.verdict()).isEqualTo(Verdict.INCOMPLETE);
    }

    @Test
    void theSameAsJson() {
        // Given
        NodeResult rows = new NodeResult(
                List.of(new Finding.Rows(
                        new BlockRange(0, 16, false),
                        List.of(new RowDifference(new RowPlace(3, 5), Kind.CHANGED)),
                        new Lsn(0x18))),
                List.of());

        // When
        JsonNode json = VerifyJson.of(report(Map.of(), table("orders", 10, 1, rows, SAME)));

        // Then
        assertThat(json.path("verdict").asText()).isEqualTo("different");
        assertThat(json.path("primary").asText()).isEqualTo("node1");
        JsonNode table = json.at("/tables/0");
        assertThat(table.path("rows").asLong()).isEqualTo(10);
        assertThat(table.path("checksum").asText()).isEqualTo("0000000000000001");
        assertThat(table.at("/nodes/1/node").asText()).isEqualTo("node2");
        assertThat(table.at("/nodes/1/same").asBoolean()).isFalse();
        assertThat(table.at("/nodes/1/changed").asLong()).isEqualTo(1);
        assertThat(table.at("/nodes/1/missing").asLong()).isZero();
        assertThat(table.at("/nodes/1/findings/0/rows/0/ctid").asText()).isEqualTo("(3,5)");
        assertThat(table.at("/nodes/2/same").asBoolean()).isTrue();
    }

    private static Report report(Map<NodeId, String> absent, TableResult... tables) {
        return new Report(
                List.of(ONE, TWO, THREE),
                absent,
                List.of(tables),
                new Lsn(0x10),
                new Lsn(0x20),
                Duration.ofMillis(1500));
    }

    private static TableRef ref(String name) {
        return new TableRef("public", name, 8192, 8192, "");
    }

    private static TableResult table(String name, long rows, long sum, NodeResult second, NodeResult third) {
        Map<NodeId, NodeResult> nodes = new LinkedHashMap<>();
        nodes.put(ONE, SAME);
        nodes.put(TWO, second);
        nodes.put(THREE, third);
        return new TableResult("shop", ref(name), rows, sum, nodes, "");
    }
}
