package io.quantadb.node.process;

import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import io.quantadb.node.cli.ExitCode;
import io.quantadb.node.testing.PostgresVersion;
import io.quantadb.node.testing.TestingPostgres;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** The page that tells how an existing server becomes a cluster and goes back, with a server that held data before. */
@Tag("process")
class AdoptPT {
    private static final Duration PATIENCE = Duration.ofMinutes(3);
    private static final Path PAGE = Path.of("..", "docs", "how-to", "adopt.md");
    private static final String OF_THE_PAGE = "/var/lib/postgresql/15/main";
    private static final String ROWS = "select count(*), sum(id) from goods";

    /** A server with a life behind it: a database, a role with a password, settings of both kinds, a second timeline. */
    private static TestingPostgres filled() throws Exception {
        TestingPostgres server = TestingPostgres.initdb(PostgresVersion.V15);
        Files.writeString(
                server.dataDirectory().resolve("postgresql.conf"),
                "include_if_exists = 'extra.conf'\nport = 5499\nwork_mem = 5MB\nrecovery_min_apply_delay = '1h'\n",
                java.nio.file.StandardOpenOption.APPEND);
        server.start();
        for (String sql : List.of(
                "CREATE ROLE keeper LOGIN PASSWORD 'secret'",
                "CREATE DATABASE store OWNER keeper",
                "ALTER SYSTEM SET maintenance_work_mem = '33MB'",
                "ALTER SYSTEM SET restore_command = 'false'",
                "ALTER ROLE postgres PASSWORD 'x'")) {
            var _ = server.query(sql);
        }
        var _ = server.tool(
                "psql",
                "-X",
                "-h",
                server.home().toString(),
                "-U",
                "keeper",
                "-d",
                "store",
                "-c",
                "create table goods as select generate_series(1, 1000) as id");
        return server;
    }

    private static String of(Howto page, String block, TestingPostgres server) {
        return String.join("\n", page.block(block))
                .replace(OF_THE_PAGE, server.dataDirectory().toString());
    }

    private static Howto.Outcome run(Howto page, String block, TestingPostgres server) throws Exception {
        return page.shell(of(page, block, server) + " --set postgres.bin_dir=%s".formatted(server.binDirectory()));
    }

    private static String status(Howto page) throws Exception {
        return page.shell("bin/quantadb status --api localhost:8432,localhost:8433,localhost:8434")
                .words();
    }

    private static String ask(Howto page, String database, String sql) throws Exception {
        return page.shell(
                        "PGPASSWORD=secret psql -X 'host=localhost,localhost port=9432,9433 user=keeper dbname=%s' -Atc \"%s\""
                                .formatted(database, sql))
                .words();
    }

    @Test
    void aServerThatCrashedBecomesAClusterWithAllThatItHadAndGoesBackWithAllThatCameAfter() throws Exception {
        try (TestingPostgres server = filled();
                Howto page = new Howto(AdoptPT.class, PAGE)) {
            // Given
            byte[] conf = Files.readAllBytes(server.dataDirectory().resolve("postgresql.conf"));
            byte[] auto = Files.readAllBytes(server.dataDirectory().resolve("postgresql.auto.conf"));
            Howto.Outcome running = run(page, "check", server);
            server.kill9();

            // When
            Howto.Outcome checked = run(page, "check", server);
            Howto.Outcome adopted = run(page, "adopt", server);
            page.start(of(page, "first", server));
            page.start(of(page, "second", server));

            // Then
            assertThat(running.status()).as(running.words()).isEqualTo(ExitCode.REFUSED.status());
            assertThat(running.words()).contains("STOP one runs on it, process " + server.pid());
            assertThat(checked.status()).as(checked.words()).isZero();
            assertThat(checked.words())
                    .contains("it crashed")
                    .contains("port=5499")
                    .contains("nothing stands in the way, and nothing was changed");
            assertThat(adopted.status()).as(adopted.words()).isZero();
            await("a cluster of two")
                    .atMost(PATIENCE)
                    .untilAsserted(() -> assertThat(status(page))
                            .contains("node1 PRIMARY ACTIVE")
                            .contains("node2 REPLICA STREAMING"));
            await("the rows of before, everywhere").atMost(PATIENCE).untilAsserted(() -> {
                assertThat(ask(page, "store", ROWS)).isEqualTo("1000|500500\n");
                assertThat(page.shell(
                                        "PGPASSWORD=secret psql -X 'host=localhost port=%d user=keeper dbname=store' -Atc '%s'"
                                                .formatted(Howto.moved(5433), ROWS))
                                .words())
                        .isEqualTo("1000|500500\n");
            });
            assertThat(ask(page, "store", "show work_mem; show maintenance_work_mem"))
                    .isEqualTo("5MB\n33MB\n");
            assertThat(ask(page, "store", "insert into goods values (1001)")).isEqualTo("INSERT 0 1\n");

            // And when
            Howto.Outcome out = page.shell(String.join("\n", page.block("out")));
            Howto.Outcome back = run(page, "undo", server);

            // Then
            assertThat(out.status()).as(out.words()).isZero();
            assertThat(back.status()).as(back.words()).isZero();
            assertThat(Files.readAllBytes(server.dataDirectory().resolve("postgresql.conf")))
                    .isEqualTo(conf);
            assertThat(Files.readAllBytes(server.dataDirectory().resolve("postgresql.auto.conf")))
                    .isEqualTo(auto);
            assertThat(page.folder().resolve("data").resolve("node1")).doesNotExist();
            assertThatItIsPlain(server, "1001|501501");
        }
    }

    /** Started as people start it, by its own files alone. */
    private static void assertThatItIsPlain(TestingPostgres server, String rows) {
        String data = server.dataDirectory().toString();
        String log = server.home().resolve("plain.log").toString();
        var _ = server.tool(
                "pg_ctl", "-D", data, "-w", "-t", "60", "-l", log, "-o", "-k " + server.home() + " -h ''", "start");
        try {
            List<String> psql = List.of("-X", "-h", server.home().toString(), "-p", "5499", "-U", "postgres", "-Atc");
            assertThat(server.tool("psql", with(psql, ROWS, "-d", "store"))).isEqualTo(rows + "\n");
            assertThat(server.tool(
                            "psql",
                            with(
                                    psql,
                                    "select pg_is_in_recovery(), current_setting('synchronous_standby_names')",
                                    "-d",
                                    "postgres")))
                    .isEqualTo("f|\n");
            assertThat(server.tool(
                            "psql",
                            with(
                                    psql,
                                    "select count(*) from pg_roles where rolname = 'quantadb' union all"
                                            + " select count(*) from pg_replication_slots",
                                    "-d",
                                    "postgres")))
                    .isEqualTo("0\n0\n");
            assertThat(server.tool(
                            "psql",
                            with(
                                    psql,
                                    "select has_function_privilege('public', 'pg_cancel_backend(int)', 'execute')",
                                    "-d",
                                    "store")))
                    .isEqualTo("t\n");
        } finally {
            var _ = server.tool("pg_ctl", "-D", data, "-w", "-m", "fast", "stop");
        }
    }

    private static String[] with(List<String> psql, String sql, String flag, String database) {
        List<String> all = new java.util.ArrayList<>(psql);
        all.addAll(List.of(sql, flag, database));
        return all.toArray(String[]::new);
    }

    @Test
    void itIsTakenBackBeforeTheClusterHasRunAndNothingElseIsDoneToItMeanwhile() throws Exception {
        try (TestingPostgres server = filled();
                Howto page = new Howto(AdoptPT.class, PAGE)) {
            // Given
            server.stop();
            byte[] auto = Files.readAllBytes(server.dataDirectory().resolve("postgresql.auto.conf"));

            // When
            Howto.Outcome adopted = run(page, "adopt", server);
            Howto.Outcome again = run(page, "adopt", server);
            Process joining = page.start(of(page, "first", server)
                    .replace("--cluster-mode primary", "--cluster-mode replica --primary localhost:1"));
            int joined = joining.waitFor();
            Path halfRewound = page.folder().resolve("data/node1/postgres.unfinished");
            Files.createFile(halfRewound);
            Howto.Outcome unfinished = run(page, "undo", server);
            Files.delete(halfRewound);
            Howto.Outcome back = run(page, "undo", server);
            Howto.Outcome twice = run(page, "undo", server);

            // Then
            assertThat(adopted.status()).as(adopted.words()).isZero();
            assertThat(again.status()).as(again.words()).isEqualTo(ExitCode.REFUSED.status());
            assertThat(again.words()).contains("it is adopted already");
            assertThat(joined).isEqualTo(ExitCode.CONFIG.status());
            assertThat(page.log(0)).contains("would join another cluster and lose its data");
            assertThat(unfinished.status()).as(unfinished.words()).isEqualTo(ExitCode.REFUSED.status());
            assertThat(unfinished.words()).contains("not whole, or data that were given up");
            assertThat(back.status()).as(back.words()).isZero();
            assertThat(twice.status()).isEqualTo(ExitCode.REFUSED.status());
            assertThat(Files.readAllBytes(server.dataDirectory().resolve("postgresql.auto.conf")))
                    .isEqualTo(auto);
            assertThatItIsPlain(server, "1000|500500");
        }
    }

    @Test
    void whatStandsInTheWayIsToldAndTheDirectoryStaysAsItWas() throws Exception {
        try (TestingPostgres server = filled();
                Howto page = new Howto(AdoptPT.class, PAGE)) {
            // Given a role that only the WAL knows of
            var _ = server.query("CHECKPOINT");
            var _ = server.query("CREATE ROLE quantadb");
            server.kill9();

            // When
            Howto.Outcome adopted = run(page, "adopt", server);

            // Then
            assertThat(adopted.status()).as(adopted.words()).isEqualTo(ExitCode.REFUSED.status());
            assertThat(adopted.words()).contains("ALTER ROLE quantadb RENAME TO");
            assertThat(page.folder().resolve("data").resolve("node1").resolve("adopted"))
                    .doesNotExist();
            assertThat(page.folder().resolve("data").resolve("node1").resolve("postgres"))
                    .doesNotExist();
        }
    }
}
