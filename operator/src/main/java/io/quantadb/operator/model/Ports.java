package io.quantadb.operator.model;

import java.util.List;

/** The ports of a node. */
public enum Ports {
    /** This node's PostgreSQL. */
    SQL("sql", 5432),
    /** WAL, base backups and forwarded SQL between nodes. */
    REPLICATION("replication", 6432),
    /** Consensus between nodes. */
    RAFT("raft", 7432),
    /** The HTTP cluster API and the probes. */
    API("api", 8432),
    /** SQL that follows the primary. */
    PRIMARY("primary", 9432);

    private final String word;
    private final int number;

    Ports(String word, int number) {
        this.word = word;
        this.number = number;
    }

    public String word() {
        return word;
    }

    public int number() {
        return number;
    }

    static List<Ports> all() {
        return List.of(values());
    }
}
