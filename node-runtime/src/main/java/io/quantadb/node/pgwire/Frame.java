package io.quantadb.node.pgwire;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.DefaultByteBufHolder;

/** One whole typed message: {@code | int8 tag | int32 length | body |}; the content holds all of it. */
public final class Frame extends DefaultByteBufHolder implements WirePart {
    static final int HEADER_BYTES = 5;

    /** Takes over {@code content}, which must begin at a tag and hold exactly one message. */
    public Frame(ByteBuf content) {
        super(content);
    }

    /** The message type, such as {@code 'Q'} or {@code 'Z'}; see {@link Tag}. */
    public char tag() {
        return (char) content().getUnsignedByte(content().readerIndex());
    }

    /** The bytes after the length word: a view with indices of its own, alive as long as this frame is. */
    public ByteBuf body() {
        ByteBuf all = content();
        return all.slice(all.readerIndex() + HEADER_BYTES, all.readableBytes() - HEADER_BYTES);
    }

    @Override
    public boolean last() {
        return true;
    }

    @Override
    public Frame replace(ByteBuf content) {
        return new Frame(content);
    }

    @Override
    public String toString() {
        // Bodies carry passwords and row data: only the type and the size are ever printed.
        return refCnt() > 0 ? "Frame['%c', %d bytes]".formatted(tag(), content().readableBytes()) : "Frame[released]";
    }
}
