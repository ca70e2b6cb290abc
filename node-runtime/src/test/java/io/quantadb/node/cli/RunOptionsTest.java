package io.quantadb.node.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;
import picocli.CommandLine.Option;

class RunOptionsTest {
    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                "--config node.json",
                "--config=node.json",
                "--port 5432 --host=::1",
                "--set a.b=c --set d=e=f --set=g=h",
                "--set log_level=debug --log-level info",
                "--cluster-mode replica --node-id node2 --data ./data/replica --port 5433 --primary localhost:6432",
                "--peers a:1,b:2 --tls-dir /etc/tls --advertised-host node1.example",
            })
    void takesPlainFlagsAsPicocliWould(String line) {
        // Given
        String[] args = words(line);
        // When
        RunOptions plain = RunOptions.plain(args);
        // Then
        RunOptions byPicocli = CommandLine.populateCommand(new RunOptions(), args);
        assertThat(plain).usingRecursiveComparison().isEqualTo(byPicocli);
        assertThat(plain.flags()).isEqualTo(byPicocli.flags());
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--help",
                "demo up",
                "--port",
                "--port=",
                "--port --data",
                "--port 1 --port 2",
                "--data -x",
                "--data @file",
                "--data 'quoted'",
                "--data \"quoted\"",
                "@arguments",
                "--nodeid x",
                "-p 5432",
                "--port 1 -- --data",
            })
    void leavesAllElseToPicocli(String line) {
        assertThat(RunOptions.plain(words(line))).isNull();
    }

    @Test
    void takesEveryFlagThatPicocliKnows() {
        // Given
        List<String> args = new ArrayList<>();
        Arrays.stream(RunOptions.class.getDeclaredFields())
                .filter(field -> field.isAnnotationPresent(Option.class))
                .forEach(field ->
                        args.addAll(List.of(field.getAnnotation(Option.class).names()[0], "k=v")));
        // When
        RunOptions plain = RunOptions.plain(args.toArray(String[]::new));
        // Then
        assertThat(args).hasSizeGreaterThan(2);
        assertThat(plain)
                .usingRecursiveComparison()
                .isEqualTo(CommandLine.populateCommand(new RunOptions(), args.toArray(String[]::new)));
    }

    private static String[] words(String line) {
        return line.isEmpty() ? new String[0] : line.split(" ");
    }
}
