package io.quantadb.node.testing;

/** The servers that tests run against. */
public enum PostgresVersion {
    /** The distribution's. */
    V15(15),
    /** From Maven Central. */
    V18(18);

    private final int major;

    PostgresVersion(int major) {
        this.major = major;
    }

    public int major() {
        return major;
    }
}
