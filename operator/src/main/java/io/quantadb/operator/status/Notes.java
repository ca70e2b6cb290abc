package io.quantadb.operator.status;

import io.quantadb.crd.common.Condition;
import io.quantadb.crd.v1alpha1.QuantaClusterStatus;
import io.quantadb.operator.model.Note;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What changed between two statuses, as far as a person wants to read of it afterwards. {@code Ready} and
 * {@code Progressing} mostly repeat the others, and change too often: of them it tells only that all is in place, and what
 * goes wrong. That copies are missing while the first of them are made is no news either. Pure.
 */
public final class Notes {
    private final QuantaClusterStatus before;
    private final QuantaClusterStatus after;
    private final List<Note> notes = new ArrayList<>();

    private Notes(QuantaClusterStatus before, QuantaClusterStatus after) {
        this.before = before;
        this.after = after;
    }

    public static List<Note> of(QuantaClusterStatus before, QuantaClusterStatus after) {
        var notes = new Notes(before, after);
        notes.changed(StatusMaker.INITIALIZED).filter(Condition::holds).ifPresent(c -> notes.add(false, c));
        notes.primary();
        notes.changed(StatusMaker.AVAILABLE)
                .ifPresent(c -> notes.add(!c.holds() && !c.reason().equals("Bootstrapping"), c));
        if (!notes.comesUp()) {
            notes.trouble(StatusMaker.DEGRADED);
        }
        notes.trouble(StatusMaker.STALLED);
        notes.changed(StatusMaker.PROGRESSING)
                .filter(c -> c.reason().equals("Retrying") || c.reason().equals("InstanceCannotRun"))
                .ifPresent(c -> notes.add(true, c));
        notes.changed(StatusMaker.READY).filter(Condition::holds).ifPresent(c -> notes.add(false, c));
        return List.copyOf(notes.notes);
    }

    /** Writes are served for the first time. */
    private boolean comesUp() {
        return before.condition(StatusMaker.AVAILABLE)
                .filter(c -> c.reason().equals("Bootstrapping"))
                .isPresent();
    }

    /** The condition, if it says something else than before. */
    private Optional<Condition> changed(String type) {
        Optional<Condition> old = before.condition(type);
        return after.condition(type)
                .filter(now -> old.isEmpty()
                        || !old.get().status().equals(now.status())
                        || !old.get().reason().equals(now.reason()));
    }

    /** A condition that had better not hold: told when it does, and when it does no more. */
    private void trouble(String type) {
        boolean held = before.condition(type).filter(Condition::holds).isPresent();
        changed(type)
                .filter(now -> now.holds() || (held && now.status().equals("False")))
                .ifPresent(now -> add(now.holds(), now));
    }

    private void primary() {
        String old = before.currentPrimary();
        String now = after.currentPrimary();
        if (old != null && now != null && !old.equals(now)) {
            notes.add(Note.of(
                    "PrimaryChanged",
                    "%s is primary in epoch %d; before it was %s".formatted(now, after.epoch(), old)));
        }
    }

    private void add(boolean warning, Condition condition) {
        notes.add(new Note(warning, condition.reason(), condition.message()));
    }
}
