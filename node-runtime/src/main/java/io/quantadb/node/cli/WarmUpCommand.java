package io.quantadb.node.cli;

import io.quantadb.node.config.ConfigLoader;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;

/** {@code quantadb warm-up}: touches what a node needs and ends, for the build to record a cache of loaded classes. */
@Command(
        name = WarmUpCommand.NAME,
        hidden = true,
        mixinStandardHelpOptions = true,
        description = "Load what a node needs, and end.")
final class WarmUpCommand implements Callable<Integer> {
    static final String NAME = "warm-up";

    private final Services services;

    WarmUpCommand(Services services) {
        this.services = services;
    }

    @Override
    public Integer call() {
        Logs.level(new ConfigLoader(Path.of(""), Map.of()).load(null, List.of()).logLevel());
        services.runner().get().warmUp();
        return ExitCode.OK.status();
    }
}
