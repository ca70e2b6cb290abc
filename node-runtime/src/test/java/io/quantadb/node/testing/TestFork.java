package io.quantadb.node.testing;

/** Process tests run in several JVMs at once: what they name or number on the machine is told apart by the JVM's number. */
public final class TestFork {
    /** More than the ports that one cluster takes of each kind, and less than what lies between two kinds. */
    private static final int PORTS = 150;

    private TestFork() {}

    /** 1 and up; 1 too where no test runner says. */
    public static int number() {
        String number = System.getProperty("quantadb.test.fork", "1");
        if (!number.matches("[1-9]")) {
            throw new AssertionError("quantadb.test.fork is '%s', and no number of a test JVM".formatted(number));
        }
        return Integer.parseInt(number);
    }

    /** The port here for one that a test wants. */
    public static int port(int wanted) {
        return wanted + PORTS * (number() - 1);
    }
}
