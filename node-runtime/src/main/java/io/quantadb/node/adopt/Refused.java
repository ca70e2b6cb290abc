package io.quantadb.node.adopt;

/** What was asked is not done, and nothing was changed. */
public final class Refused extends RuntimeException {
    private final String advice;

    Refused(String words, String advice) {
        super(words);
        this.advice = advice;
    }

    /** What to do. */
    public String advice() {
        return advice;
    }
}
