package io.quantadb.node.pgwire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.DefaultByteBufHolder;

/** A further piece of the message that a {@link FrameStart} began. */
public final class FrameRest extends DefaultByteBufHolder implements WirePart {
    private final boolean last;

    FrameRest(ByteBuf content, boolean last) {
        super(content);
        this.last = last;
    }

    @Override
    public boolean last() {
        return last;
    }

    @Override
    public FrameRest replace(ByteBuf content) {
        return new FrameRest(content, last);
    }

    @Override
    public String toString() {
        return "FrameRest[last=%s]".formatted(last);
    }
}
