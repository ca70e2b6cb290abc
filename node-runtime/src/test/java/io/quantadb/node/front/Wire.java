package io.quantadb.node.front;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.Unpooled;
import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.embedded.EmbeddedChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Makes protocol bytes for tests and reads them back. */
final class Wire {
    private Wire() {}

    static ByteBuf message(char tag, byte... body) {
        return Unpooled.buffer().writeByte(tag).writeInt(body.length + 4).writeBytes(body);
    }

    static ByteBuf query(String sql) {
        return message('Q', (sql + "\0").getBytes(StandardCharsets.UTF_8));
    }

    static ByteBuf setting(String name, String value) {
        return message('S', (name + "\0" + value + "\0").getBytes(StandardCharsets.UTF_8));
    }

    static ByteBuf report(char tag, String severity, String code, String message, String routine) {
        return new Report(
                        (byte) tag,
                        List.of(
                                new Report.Field('S', severity),
                                new Report.Field('V', severity),
                                new Report.Field('C', code),
                                new Report.Field('M', message),
                                new Report.Field('R', routine)))
                .encode(UnpooledByteBufAllocator.DEFAULT);
    }

    static ByteBuf complete(String tag) {
        return message('C', (tag + "\0").getBytes(StandardCharsets.UTF_8));
    }

    static ByteBuf ready() {
        return message('Z', (byte) 'I');
    }

    static ByteBuf startup(String... namesAndValues) {
        var parameters = new ArrayList<StartupPacket.Parameter>();
        for (int i = 0; i < namesAndValues.length; i += 2) {
            parameters.add(new StartupPacket.Parameter(namesAndValues[i], namesAndValues[i + 1]));
        }
        return new StartupPacket(3 << 16, parameters).encode(UnpooledByteBufAllocator.DEFAULT);
    }

    static ByteBuf request(int code) {
        return Unpooled.buffer().writeInt(8).writeInt(code);
    }

    static ByteBuf cancel(int pid, int key) {
        return Unpooled.buffer()
                .writeInt(16)
                .writeInt(StartupPacket.CANCEL_REQUEST)
                .writeInt(pid)
                .writeInt(key);
    }

    static ByteBuf keyData(int pid, int key) {
        return Unpooled.buffer().writeByte('K').writeInt(12).writeInt(pid).writeInt(key);
    }

    static ByteBuf join(ByteBuf... parts) {
        return Unpooled.wrappedBuffer(parts);
    }

    /** Everything that was written outbound so far. */
    static byte[] sent(EmbeddedChannel channel) {
        ByteBuf all = Unpooled.buffer();
        ByteBuf part = channel.readOutbound();
        while (part != null) {
            all.writeBytes(part);
            part.release();
            part = channel.readOutbound();
        }
        byte[] bytes = ByteBufUtil.getBytes(all);
        all.release();
        return bytes;
    }

    static byte[] bytes(ByteBuf buffer) {
        byte[] bytes = ByteBufUtil.getBytes(buffer);
        buffer.release();
        return bytes;
    }

    static Report reportOf(byte[] message) {
        Report report = Report.parse(Unpooled.wrappedBuffer(message));
        if (report == null) {
            throw new AssertionError("not a report: " + ByteBufUtil.hexDump(message));
        }
        return report;
    }
}
