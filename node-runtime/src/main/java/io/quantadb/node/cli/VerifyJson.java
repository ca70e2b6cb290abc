package io.quantadb.node.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quantadb.node.common.NodeId;
import io.quantadb.node.verify.Finding;
import io.quantadb.node.verify.NodeResult;
import io.quantadb.node.verify.Report;
import io.quantadb.node.verify.RowDifference.Kind;
import io.quantadb.node.verify.TableResult;
import java.util.Locale;

/** A comparison's report as JSON; the fields are in docs/how-to/compare-nodes.md. */
final class VerifyJson {
    private static final ObjectMapper MAPPER = new ObjectMapper();

    private VerifyJson() {}

    static ObjectNode of(Report report) {
        ObjectNode root = MAPPER.createObjectNode()
                .put("verdict", lower(report.verdict()))
                .put("primary", report.nodes().getFirst().value())
                .put("from_lsn", report.from().toString())
                .put("to_lsn", report.to().toString())
                .put("seconds", report.took().toMillis() / 1000.0);
        ArrayNode nodes = root.putArray("nodes");
        report.nodes().forEach(node -> nodes.add(node.value()));
        ArrayNode absent = root.putArray("absent");
        report.absent()
                .forEach((node, why) ->
                        absent.addObject().put("node", node.value()).put("reason", why));
        ArrayNode tables = root.putArray("tables");
        report.tables().forEach(table -> table(tables.addObject(), table));
        return root;
    }

    private static void table(ObjectNode out, TableResult table) {
        out.put("database", table.database())
                .put("schema", table.table().schema())
                .put("table", table.table().name())
                .put("compared", table.compared());
        if (!table.compared()) {
            out.put("reason", table.whyNot());
            return;
        }
        out.put("rows", table.rows()).put("checksum", table.checksum());
        ArrayNode nodes = out.putArray("nodes");
        table.nodes().forEach((node, result) -> node(nodes.addObject(), node, result));
    }

    private static void node(ObjectNode out, NodeId node, NodeResult result) {
        out.put("node", node.value()).put("same", result.same());
        for (Kind kind : Kind.values()) {
            out.put(lower(kind), result.rows(kind));
        }
        out.put("unreadable", result.unreadable());
        ArrayNode findings = out.putArray("findings");
        for (Finding finding : result.findings()) {
            ObjectNode one = findings.addObject().put("blocks", finding.range().toString());
            switch (finding) {
                case Finding.Unreadable unreadable -> one.put("error", unreadable.words());
                case Finding.Rows found -> {
                    one.put("lsn", found.at().toString());
                    ArrayNode rows = one.putArray("rows");
                    found.rows()
                            .forEach(row -> rows.addObject()
                                    .put("ctid", row.place().toString())
                                    .put("difference", lower(row.kind())));
                }
            }
        }
        result.open().forEach(out.putArray("not_settled")::add);
    }

    private static String lower(Enum<?> value) {
        return value.name().toLowerCase(Locale.ROOT);
    }
}
