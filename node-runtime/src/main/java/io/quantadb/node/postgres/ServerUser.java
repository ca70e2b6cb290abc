package io.quantadb.node.postgres;

import io.quantadb.node.common.IoReason;
import io.quantadb.node.common.NodeException.LocalFault;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * The operating system's user that PostgreSQL runs as: the agent's own, or, when the agent is root (as which
 * PostgreSQL refuses to run), an unprivileged one.
 *
 * @param agentName the agent's own user, whom peer authentication maps to the cluster's role
 * @param switched whether the agent is root and changes to this user for PostgreSQL
 * @param setpriv the program that changes user and sets the parent-death signal, both by exec, so that the server stays
 *     a direct child; empty when the agent runs as an ordinary user on a system without it, and then the next agent
 *     ends what a killed one left
 * @param setsid takes the server out of the terminal's process group, so that Ctrl-C reaches the agent alone
 */
public record ServerUser(
        String name,
        long uid,
        long gid,
        Set<Long> groups,
        String agentName,
        boolean switched,
        Optional<Path> setpriv,
        Optional<Path> setsid) {
    /** The user that is made when the agent is root and neither a setting nor a {@code postgres} user exists. */
    public static final String CREATED_NAME = "quantadb";

    private static final Duration DEADLINE = Duration.ofSeconds(10);
    private static final Pattern ID =
            Pattern.compile("uid=(\\d+)(?:\\(([^)]*)\\))? gid=(\\d+)\\S*(?:.*groups=(\\S+))?.*");

    record Identity(long uid, String name, long gid, Set<Long> groups) {}

    /**
     * Finds or makes the user. {@code configured} is the setting; naming root, or another user while the agent is not
     * root, is refused.
     */
    public static ServerUser resolve(@Nullable String configured) {
        Identity agent = identity(null)
                .orElseThrow(
                        () -> new LocalFault("cannot tell which user the agent runs as: `id` printed nothing usable"));
        if (agent.name().isEmpty()) {
            throw new LocalFault(
                    ("user id %d has no name on this machine, and PostgreSQL refuses to start without one: add it to"
                                    + " /etc/passwd or run the agent as a named user")
                            .formatted(agent.uid()));
        }
        Optional<Path> setpriv = OsTools.find("setpriv").filter(ServerUser::canDoAll);
        Optional<Path> setsid = OsTools.find("setsid");
        if (agent.uid() != 0) {
            if (configured != null && !configured.equals(agent.name())) {
                throw new LocalFault(
                        "PostgreSQL's user is set to '%s', but the agent runs as '%s' and only root may change user: remove the setting or start the agent as that user"
                                .formatted(configured, agent.name()));
            }
            return new ServerUser(
                    agent.name(), agent.uid(), agent.gid(), agent.groups(), agent.name(), false, setpriv, setsid);
        }
        if (setpriv.isEmpty()) {
            throw new LocalFault(
                    "the agent runs as root and needs util-linux's setpriv (with --reuid and --pdeathsig) to"
                            + " run PostgreSQL as another user: install util-linux, or start the agent as an ordinary user");
        }
        Identity server = unprivileged(configured);
        return new ServerUser(
                server.name(), server.uid(), server.gid(), server.groups(), agent.name(), true, setpriv, setsid);
    }

    /**
     * The command line that runs {@code command} as this user, as a direct child that is sent {@code deathSignal}
     * (QUIT stops a postmaster at once) when the agent dies.
     */
    public List<String> command(String deathSignal, List<String> command) {
        var whole = new ArrayList<String>();
        setsid.ifPresent(p -> whole.add(p.toString()));
        if (setpriv.isPresent()) {
            whole.add(setpriv.get().toString());
            if (switched) {
                whole.addAll(List.of("--reuid", name, "--regid", Long.toString(gid), "--init-groups"));
            }
            whole.addAll(List.of("--pdeathsig", deathSignal));
        }
        whole.addAll(command);
        return whole;
    }

    /** Gives a file or directory that the agent made to PostgreSQL's user; nothing to do when that is the agent's. */
    public void own(Path path) {
        if (!switched) {
            return;
        }
        try {
            Files.setAttribute(path, "unix:uid", (int) uid, LinkOption.NOFOLLOW_LINKS);
            Files.setAttribute(path, "unix:gid", (int) gid, LinkOption.NOFOLLOW_LINKS);
        } catch (IOException e) {
            throw new LocalFault("cannot give %s to user %s: %s".formatted(path, name, e.getMessage()), e);
        }
    }

    /**
     * Makes a directory that only this user (and root) can enter, or takes an existing one over. Directories that are
     * missing above it are made so that the user can pass through them, whatever the umask.
     */
    public Path privateDirectory(Path path) {
        Path absolute = path.toAbsolutePath().normalize();
        Path parent = absolute.getParent();
        if (parent != null) {
            passableDirectory(parent);
        }
        try {
            if (!Files.isDirectory(absolute)) {
                Files.createDirectory(
                        absolute, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
            }
            Files.setPosixFilePermissions(absolute, PosixFilePermissions.fromString("rwx------"));
        } catch (IOException e) {
            throw new LocalFault(
                    "cannot make directory %s: %s; choose another place, or let user '%s' write there"
                            .formatted(absolute, IoReason.of(e), System.getProperty("user.name", "?")),
                    e);
        }
        own(absolute);
        return absolute;
    }

    /**
     * Makes the directory and those above it, as far as they are missing: the agent's own, which PostgreSQL's user may
     * pass through but not list. Existing ones are left as they are.
     */
    public Path passableDirectory(Path path) {
        Path absolute = path.toAbsolutePath().normalize();
        Path parent = absolute.getParent();
        if (parent == null || Files.isDirectory(absolute)) {
            return absolute;
        }
        passableDirectory(parent);
        try {
            Files.createDirectory(absolute);
            Files.setPosixFilePermissions(
                    absolute, PosixFilePermissions.fromString(switched ? "rwx--x--x" : "rwx------"));
        } catch (FileAlreadyExistsException e) {
            // Made by another agent meanwhile.
        } catch (IOException e) {
            throw new LocalFault(
                    "cannot make directory %s: %s; choose another place, or let user '%s' write there"
                            .formatted(absolute, IoReason.of(e), System.getProperty("user.name", "?")),
                    e);
        }
        return absolute;
    }

    private static Identity unprivileged(@Nullable String configured) {
        if (configured != null) {
            Identity named = identity(configured)
                    .orElseThrow(() -> new LocalFault(
                            "PostgreSQL's user is set to '%s', and there is no such user: create it or change the setting"
                                    .formatted(configured)));
            if (named.uid() == 0) {
                throw new LocalFault("PostgreSQL's user is set to root, and PostgreSQL refuses to run as root");
            }
            return named;
        }
        return identity("postgres").or(() -> identity(CREATED_NAME)).orElseGet(ServerUser::create);
    }

    private static Identity create() {
        Path useradd = OsTools.find("useradd")
                .orElseThrow(
                        () -> new LocalFault(
                                "PostgreSQL cannot run as root, there is no user 'postgres' or '"
                                        + CREATED_NAME
                                        + "', and useradd is not installed to make one: create a user and name it with postgres.os_user"));
        ToolRun run = ToolRun.of(creation(useradd), DEADLINE);
        return identity(CREATED_NAME)
                .orElseThrow(() -> new LocalFault("cannot create user '%s' for PostgreSQL: %s"
                        .formatted(CREATED_NAME, run.output().strip())));
    }

    static List<String> creation(Path useradd) {
        return List.of(
                useradd.toString(),
                "--system",
                "--user-group",
                "--no-create-home",
                "--home-dir",
                "/var/lib/quantadb",
                "--shell",
                "/usr/sbin/nologin",
                CREATED_NAME);
    }

    private static Optional<Identity> identity(@Nullable String user) {
        ToolRun run = ToolRun.of(user == null ? List.of("id") : List.of("id", user), DEADLINE);
        return run.succeeded() ? parseIdentity(run.output()) : Optional.empty();
    }

    /** Reads {@code uid=101(postgres) gid=104(postgres) groups=104(postgres),103(ssl-cert)}. */
    static Optional<Identity> parseIdentity(String line) {
        Matcher m = ID.matcher(line.strip());
        if (!m.matches()) {
            return Optional.empty();
        }
        @Nullable String name = m.group(2);
        @Nullable String listed = m.group(4);
        Set<Long> groups = listed == null
                ? Set.of()
                : List.of(listed.split(",")).stream()
                        .map(g -> Long.valueOf(g.replaceFirst("\\(.*", "")))
                        .collect(Collectors.toUnmodifiableSet());
        return Optional.of(
                new Identity(Long.parseLong(m.group(1)), name == null ? "" : name, Long.parseLong(m.group(3)), groups));
    }

    /** BusyBox has a setpriv that can do neither. */
    private static boolean canDoAll(Path setpriv) {
        String help =
                ToolRun.of(List.of(setpriv.toString(), "--help"), DEADLINE).output();
        return help.contains("--pdeathsig") && help.contains("--reuid");
    }
}
