package io.quantadb.node.cli;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.PrintWriter;

/** Has somebody type the name of what is at stake, before something is done that cannot be undone. */
final class Confirmation {
    private final BufferedReader in;

    Confirmation(BufferedReader in) {
        this.in = in;
    }

    /** Returns the name once it was typed; throws {@link Failure} for anything else, or when nobody is there to type. */
    String typed(PrintWriter out, String name) {
        out.print("Type %s to go on: ".formatted(name));
        out.flush();
        String line;
        try {
            line = in.readLine();
        } catch (IOException e) {
            line = null;
        }
        if (line == null || !line.strip().equals(name)) {
            out.println();
            throw new Failure(
                    ExitCode.REFUSED,
                    "%s was not typed; nothing was changed".formatted(name),
                    "scripts say --yes-i-accept-data-loss");
        }
        return name;
    }
}
