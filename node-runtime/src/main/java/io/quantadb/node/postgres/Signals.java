package io.quantadb.node.postgres;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * kill(2) without a child process: a promotion and a fence cannot wait for one to be started. The process needs
 * {@code --enable-native-access=ALL-UNNAMED}.
 */
final class Signals {
    static final int INT = 2;
    static final int QUIT = 3;
    static final int KILL = 9;
    /** 10 on Linux, 30 on macOS. */
    static final int USR1 = Files.isDirectory(Path.of("/proc/self")) ? 10 : 30;

    private static final MethodHandle KILL_CALL = link();

    private Signals() {}

    /** Sends the signal; false when there is no such process or it may not be signalled. Signal 0 only asks. */
    static boolean send(long pid, int signal) {
        if (pid <= 1) {
            throw new IllegalArgumentException("process id " + pid + " is not a server's");
        }
        try {
            return (int) KILL_CALL.invokeExact((int) pid, signal) == 0;
        } catch (Throwable e) {
            throw new IllegalStateException("kill(2) cannot be called", e);
        }
    }

    /** Links the call, so that the first signal that matters costs nothing. */
    static void warmUp() {
        var _ = send(Math.max(2, ProcessHandle.current().pid()), 0);
    }

    @SuppressWarnings("restricted") // the launcher enables native access
    private static MethodHandle link() {
        Linker linker = Linker.nativeLinker();
        SymbolLookup lookup = linker.defaultLookup();
        return linker.downcallHandle(
                lookup.find("kill").orElseThrow(),
                FunctionDescriptor.of(ValueLayout.JAVA_INT, ValueLayout.JAVA_INT, ValueLayout.JAVA_INT));
    }
}
