package io.quantadb.crd.v1alpha1;

import org.jspecify.annotations.Nullable;

/** What a field is when nothing was said. */
final class Defaults {
    private Defaults() {}

    static <T> T or(@Nullable T value, T fallback) {
        return value == null ? fallback : value;
    }
}
