package io.quantadb.node.chaos;

import java.util.ArrayList;
import java.util.List;

/** Every kind of strike there is. A new one is added at the end, so that old seeds change as little as may be. */
final class Strikes {
    static final List<Strike> ALL = all();

    private Strikes() {}

    private static List<Strike> all() {
        List<Strike> out = new ArrayList<>(LinkStrike.all());
        out.addAll(ProcessStrike.all());
        out.addAll(List.of(new CancelCommits(), new FullDisk()));
        // What an operator does.
        out.addAll(List.of(new ChangeMode(), new Maintain(), new RemoveMember(), new LoseDisk()));
        out.add(new KillUnheard());
        out.addAll(List.of(new Switchover(), new ForceResync(), new SlowDisk()));
        return List.copyOf(out);
    }

    /** Those with these names, in the order of {@link #ALL}; all when none is named. */
    static List<Strike> named(List<String> names) {
        for (String name : names) {
            if (ALL.stream().noneMatch(kind -> kind.label().equals(name))) {
                throw new IllegalArgumentException("there is no action '%s'; choose from %s"
                        .formatted(
                                name,
                                String.join(
                                        ", ", ALL.stream().map(Strike::label).toList())));
            }
        }
        return ALL.stream()
                .filter(kind -> names.isEmpty() || names.contains(kind.label()))
                .toList();
    }
}
