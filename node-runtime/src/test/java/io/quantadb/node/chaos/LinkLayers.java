package io.quantadb.node.chaos;

import java.util.Collection;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/** What several strikes impose on the same links at the same time: each ends its own, whoever began first. Any thread. */
final class LinkLayers {
    private final BiConsumer<Link, LinkFaults> network;
    private final Map<Link, Map<Object, LinkFaults>> imposed = new HashMap<>();

    /** @param network is told what is wrong with a link, all in all, whenever that changes */
    LinkLayers(BiConsumer<Link, LinkFaults> network) {
        this.network = network;
    }

    /** Adds faults to links. */
    Strike.Undo impose(Collection<Link> links, LinkFaults faults) {
        Object token = new Object();
        change(links, layers -> layers.put(token, faults));
        return () -> change(links, layers -> layers.remove(token));
    }

    /** Takes everything off these links; what is undone later does nothing more. */
    void clear(List<Link> links) {
        change(links, Map::clear);
    }

    private synchronized void change(Collection<Link> links, Consumer<Map<Object, LinkFaults>> how) {
        for (Link link : links) {
            Map<Object, LinkFaults> layers = imposed.computeIfAbsent(link, key -> new LinkedHashMap<>());
            how.accept(layers);
            network.accept(link, layers.values().stream().reduce(LinkFaults.NONE, LinkFaults::and));
        }
    }
}
