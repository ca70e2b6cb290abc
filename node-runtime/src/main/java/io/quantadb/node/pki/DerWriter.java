package io.quantadb.node.pki;

import java.io.ByteArrayOutputStream;
import java.math.BigInteger;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.List;

/**
 * Writes the few ASN.1 values that a certificate consists of in DER, the one encoding of each value (ITU-T X.690):
 *
 * <pre>
 * | int8 tag | length: 1 byte below 128, else 0x80 + n and n bytes | body |
 * </pre>
 *
 * <p>Writes only; certificates are read by the JDK. Each method returns a whole value, tag included, so that values are
 * composed by nesting calls. Pure; any thread.
 */
final class DerWriter {
    private static final int INTEGER = 0x02;
    private static final int BIT_STRING = 0x03;
    private static final int OCTET_STRING = 0x04;
    private static final int OBJECT_IDENTIFIER = 0x06;
    private static final int UTF8_STRING = 0x0c;
    private static final int UTC_TIME = 0x17;
    private static final int GENERALIZED_TIME = 0x18;
    private static final int SEQUENCE = 0x30;
    private static final int SET = 0x31;
    private static final int CONTEXT = 0x80;
    private static final int CONSTRUCTED = 0x20;

    private static final byte[] TRUE = {0x01, 0x01, (byte) 0xff};

    /** The years that UTCTime can say; RFC 5280 §4.1.2.5 asks for it there and for GeneralizedTime elsewhere. */
    private static final int FIRST_UTC_YEAR = 1950;

    private static final int LAST_UTC_YEAR = 2049;
    private static final DateTimeFormatter UTC = DateTimeFormatter.ofPattern("yyMMddHHmmss'Z'");
    private static final DateTimeFormatter GENERALIZED = DateTimeFormatter.ofPattern("uuuuMMddHHmmss'Z'");

    private DerWriter() {}

    static byte[] sequence(byte[]... values) {
        return value(SEQUENCE, values);
    }

    static byte[] sequence(List<byte[]> values) {
        return value(SEQUENCE, values.toArray(byte[][]::new));
    }

    /** A set of one: with more, DER would ask for an order among them. */
    static byte[] setOf(byte[] only) {
        return value(SET, only);
    }

    static byte[] integer(BigInteger number) {
        return value(INTEGER, number.toByteArray());
    }

    /** TRUE alone: what is FALSE in a certificate is so by default, and DER leaves defaults out. */
    static byte[] yes() {
        return TRUE.clone();
    }

    static byte[] octets(byte[] bytes) {
        return value(OCTET_STRING, bytes);
    }

    /** Whole bytes. */
    static byte[] bits(byte[] bytes) {
        return value(BIT_STRING, new byte[] {0}, bytes);
    }

    /**
     * Named bits, of which DER leaves the zeros at the end out.
     *
     * @param numbers at least one, each 0 (the first bit) to 7
     */
    static byte[] namedBits(int... numbers) {
        int all = 0;
        for (int number : numbers) {
            all |= 0x80 >>> number;
        }
        return value(BIT_STRING, new byte[] {(byte) Integer.numberOfTrailingZeros(all), (byte) all});
    }

    /** @param dotted as in {@code 2.5.29.17} */
    static byte[] objectId(String dotted) {
        String[] parts = dotted.split("\\.");
        var body = new ByteArrayOutputStream();
        base128(Integer.parseInt(parts[0]) * 40 + Integer.parseInt(parts[1]), body);
        for (int i = 2; i < parts.length; i++) {
            base128(Integer.parseInt(parts[i]), body);
        }
        return value(OBJECT_IDENTIFIER, body.toByteArray());
    }

    /** Seven bits a byte, the highest first; every byte but the last has its top bit set. */
    private static void base128(int number, ByteArrayOutputStream out) {
        int groups = Math.max(1, (38 - Integer.numberOfLeadingZeros(number)) / 7);
        for (int group = groups - 1; group >= 0; group--) {
            out.write(((number >>> (7 * group)) & 0x7f) | (group == 0 ? 0 : 0x80));
        }
    }

    static byte[] utf8(String text) {
        return value(UTF8_STRING, text.getBytes(StandardCharsets.UTF_8));
    }

    /** To the second, which is all that a certificate says. */
    static byte[] time(Instant instant) {
        ZonedDateTime at = instant.atZone(ZoneOffset.UTC);
        boolean utc = at.getYear() >= FIRST_UTC_YEAR && at.getYear() <= LAST_UTC_YEAR;
        return value(
                utc ? UTC_TIME : GENERALIZED_TIME,
                (utc ? UTC : GENERALIZED).format(at).getBytes(StandardCharsets.US_ASCII));
    }

    /** {@code [number] EXPLICIT}: a value in a wrapping of its own. */
    static byte[] explicit(int number, byte[] value) {
        return value(CONTEXT | CONSTRUCTED | number, value);
    }

    /** {@code [number] IMPLICIT} of a type that holds bytes. */
    static byte[] implicit(int number, byte[] body) {
        return value(CONTEXT | number, body);
    }

    /** {@code [number] IMPLICIT IA5String}; {@link IllegalArgumentException} for what is not ASCII. */
    static byte[] implicitAscii(int number, String text) {
        try {
            var bytes = StandardCharsets.US_ASCII.newEncoder().encode(java.nio.CharBuffer.wrap(text));
            byte[] body = new byte[bytes.remaining()];
            bytes.get(body);
            return implicit(number, body);
        } catch (CharacterCodingException e) {
            throw new IllegalArgumentException("'%s' is not ASCII".formatted(text), e);
        }
    }

    private static byte[] value(int tag, byte[]... bodies) {
        int length = 0;
        for (byte[] body : bodies) {
            length += body.length;
        }
        var out = new ByteArrayOutputStream(length + 5);
        out.write(tag);
        if (length < 0x80) {
            out.write(length);
        } else {
            int bytes = (39 - Integer.numberOfLeadingZeros(length)) / 8;
            out.write(0x80 | bytes);
            for (int i = bytes - 1; i >= 0; i--) {
                out.write(length >>> (8 * i));
            }
        }
        for (byte[] body : bodies) {
            out.writeBytes(body);
        }
        return out.toByteArray();
    }
}
