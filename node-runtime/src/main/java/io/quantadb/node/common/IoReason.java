package io.quantadb.node.common;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Optional;

/** An I/O failure in words for a person: the JDK's message is often the path alone. */
public final class IoReason {
    private IoReason() {}

    public static String of(IOException e) {
        String text = Optional.ofNullable(e.getMessage()).orElse("");
        if (e instanceof AccessDeniedException) {
            return "permission denied";
        }
        if (e instanceof NoSuchFileException) {
            return "no such file or directory";
        }
        if (text.contains("No space left")) {
            return "the disk is full";
        }
        if (text.contains("Read-only file system")) {
            return "the file system is read-only";
        }
        if (e instanceof FileSystemException f && f.getReason() != null) {
            return f.getReason();
        }
        return e.getClass().getSimpleName() + (text.isEmpty() ? "" : ": " + text);
    }
}
