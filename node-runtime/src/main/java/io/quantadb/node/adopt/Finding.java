package io.quantadb.node.adopt;

/**
 * One line of a check.
 *
 * @param subject what was looked at
 * @param found what is so
 * @param todo what to do about it; empty when nothing has to be
 */
public record Finding(String subject, Level level, String found, String todo) {
    /** What it means for an adoption. */
    public enum Level {
        /** As it should be. */
        OK,
        /** It goes on, and this becomes different. */
        NOTE,
        /** It does not go on before something was done. */
        STOP
    }

    static Finding ok(String subject, String found) {
        return new Finding(subject, Level.OK, found, "");
    }

    static Finding note(String subject, String found, String todo) {
        return new Finding(subject, Level.NOTE, found, todo);
    }

    static Finding stop(String subject, String found, String todo) {
        return new Finding(subject, Level.STOP, found, todo);
    }
}
