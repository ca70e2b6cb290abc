package io.quantadb.node.cluster;

/**
 * Why the primary is to be replaced.
 *
 * @param words for people, and recorded with the move that it leads to
 */
record Cause(Kind kind, String words) {
    private static final String BARRED = "the epoch cannot be released";
    private static final String UNFIT = "the primary is unfit: ";

    /** What follows from it. */
    enum Kind {
        /** Node, server or data are gone, or it serves nobody: it is replaced at once, however often that happens. */
        GONE,
        /** Its server does not run yet, and ran never since the agent began. */
        NOT_STARTED,
        /** It lives and serves, badly: moves away from it are spaced, see {@link MoveBackoff}. */
        UNFIT,
        /** A member has promised a later epoch, so that one must come. */
        PROMISED,
        /** The epoch cannot be released. */
        BARRED
    }

    static Cause gone(String words) {
        return new Cause(Kind.GONE, words);
    }

    static Cause unfit(String why) {
        return new Cause(Kind.UNFIT, UNFIT + why);
    }

    static Cause barred() {
        return new Cause(Kind.BARRED, BARRED);
    }

    /** Whether a move was recorded with this cause. */
    static boolean barred(FailoverRecord move) {
        return move.reason().equals(BARRED);
    }

    boolean living() {
        return kind == Kind.UNFIT;
    }

    /** The same for causes of the same sort, whatever numbers stand in their words. */
    String sort() {
        return sort(words);
    }

    /** Of the reason that a move was recorded with. */
    static String sort(String words) {
        for (int i = 0; i < words.length(); i++) {
            if (Character.isDigit(words.charAt(i))) {
                return words.substring(0, i);
            }
        }
        return words;
    }
}
