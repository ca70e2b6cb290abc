package io.quantadb.operator.model;

/**
 * Something that the operator cannot get past without a person.
 *
 * @param reason one CamelCase word, the reason of condition {@code Stalled}
 * @param message what is wrong, where, and what to do
 * @param blocking nothing of the spec is applied while it stands; otherwise only the refused part is not
 */
public record Finding(String reason, String message, boolean blocking) {}
