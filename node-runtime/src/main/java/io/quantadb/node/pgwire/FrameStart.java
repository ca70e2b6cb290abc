package io.quantadb.node.pgwire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.DefaultByteBufHolder;

/** The header and first bytes of a message too big to be held whole; {@link FrameRest}s follow. */
public final class FrameStart extends DefaultByteBufHolder implements WirePart {
    private final char tag;
    private final int lengthBytes;

    FrameStart(char tag, int lengthBytes, ByteBuf content) {
        super(content);
        this.tag = tag;
        this.lengthBytes = lengthBytes;
    }

    public char tag() {
        return tag;
    }

    /** The message's length word: counts itself and the body, not the tag. */
    public int lengthBytes() {
        return lengthBytes;
    }

    @Override
    public boolean last() {
        return false;
    }

    @Override
    public FrameStart replace(ByteBuf content) {
        return new FrameStart(tag, lengthBytes, content);
    }

    @Override
    public String toString() {
        return "FrameStart['%c', %d bytes]".formatted(tag, lengthBytes + 1);
    }
}
