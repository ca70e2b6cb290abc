package io.quantadb.node.pgwire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufHolder;

/**
 * What {@link FrameDecoder} hands on. The content of every part, written in order, is exactly the bytes that came in;
 * whoever receives a part owns its buffer and releases it, or writes it on, which does so.
 */
public sealed interface WirePart extends ByteBufHolder permits Frame, FrameStart, FrameRest {
    /** True when this part ends its message. */
    boolean last();

    /** The bytes as they came, header included; reader index at the first of them. */
    @Override
    ByteBuf content();
}
