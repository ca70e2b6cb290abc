package io.quantadb.operator.model;

/**
 * One thing that is worth an event on the cluster's resource, where {@code kubectl describe} shows it.
 *
 * @param warning whether a person may want to look
 * @param reason one CamelCase word
 * @param message a sentence
 */
public record Note(boolean warning, String reason, String message) {
    public static Note of(String reason, String message) {
        return new Note(false, reason, message);
    }
}
