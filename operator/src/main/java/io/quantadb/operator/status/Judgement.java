package io.quantadb.operator.status;

/**
 * What a condition is to say.
 *
 * @param status {@code True}, {@code False} or {@code Unknown}
 * @param reason one CamelCase word
 * @param message a sentence
 */
record Judgement(String status, String reason, String message) {
    static Judgement yes(String reason, String message) {
        return new Judgement("True", reason, message);
    }

    static Judgement no(String reason, String message) {
        return new Judgement("False", reason, message);
    }

    static Judgement unknown(String reason, String message) {
        return new Judgement("Unknown", reason, message);
    }

    boolean isTrue() {
        return status.equals("True");
    }
}
