package io.quantadb.node.chaos;

/**
 * What is wrong with a link. A proxy of streams cannot lose a byte of one and go on, so loss shows as what becomes of it:
 * waiting, or a connection that ends.
 *
 * @param delayMs added to everything, before jitter
 * @param jitterMs up to so much more, drawn for each piece; the order stays
 * @param dropPerMille of a thousand pieces, how many end their connection with a reset
 * @param bytesPerSecond what goes through in a second, over all connections together; 0 for no bound
 * @param cut nothing arrives: what is sent is held, ends of connections too, and arrives when the link is mended; new
 *     connections, which need both directions, come about then
 */
record LinkFaults(int delayMs, int jitterMs, int dropPerMille, long bytesPerSecond, boolean cut) {
    static final LinkFaults NONE = new LinkFaults(0, 0, 0, 0, false);

    LinkFaults {
        if (delayMs < 0 || jitterMs < 0 || dropPerMille < 0 || dropPerMille > 1000 || bytesPerSecond < 0) {
            throw new IllegalArgumentException("%d ms, %d ms, %d of 1000 or %d bytes a second is out of bounds"
                    .formatted(delayMs, jitterMs, dropPerMille, bytesPerSecond));
        }
    }

    static LinkFaults delay(int ms, int jitterMs) {
        return new LinkFaults(ms, jitterMs, 0, 0, false);
    }

    static LinkFaults drop(int perMille) {
        return new LinkFaults(0, 0, perMille, 0, false);
    }

    static LinkFaults throttle(long bytesPerSecond) {
        return new LinkFaults(0, 0, 0, bytesPerSecond, false);
    }

    static LinkFaults severed() {
        return new LinkFaults(0, 0, 0, 0, true);
    }

    /** Both at once: the worse of each. */
    LinkFaults and(LinkFaults other) {
        long rate = bytesPerSecond == 0
                ? other.bytesPerSecond
                : other.bytesPerSecond == 0 ? bytesPerSecond : Math.min(bytesPerSecond, other.bytesPerSecond);
        return new LinkFaults(
                Math.max(delayMs, other.delayMs),
                Math.max(jitterMs, other.jitterMs),
                Math.max(dropPerMille, other.dropPerMille),
                rate,
                cut || other.cut);
    }
}
