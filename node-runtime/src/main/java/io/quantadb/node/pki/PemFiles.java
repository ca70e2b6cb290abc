package io.quantadb.node.pki;

import io.quantadb.node.common.NodeException.LocalFault;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileAttribute;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyFactory;
import java.security.PrivateKey;
import java.security.cert.CertificateException;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Set;

/**
 * PEM on disk, read and written with the JDK alone. Files are put in place by rename, so that a reader (a rotation
 * under way) sees the old one or the new one, never half of either.
 */
final class PemFiles {
    static final Set<PosixFilePermission> OWNER_ONLY_FILE = PosixFilePermissions.fromString("rw-------");
    static final Set<PosixFilePermission> OWNER_ONLY_DIRECTORY = PosixFilePermissions.fromString("rwx------");

    /** No honest certificate, chain or key comes near this; a wrong path (a log, a device) does. */
    private static final int MAX_BYTES = 256 * 1024;

    private static final Base64.Encoder LINES = Base64.getMimeEncoder(64, "\n".getBytes(StandardCharsets.US_ASCII));

    private PemFiles() {}

    /** All certificates of a file, at least one; {@code what} is how messages call the file. */
    static List<X509Certificate> certificates(Path file, String what) {
        byte[] text = read(file, what);
        try {
            var found = new ArrayList<X509Certificate>();
            for (var certificate :
                    CertificateFactory.getInstance("X.509").generateCertificates(new ByteArrayInputStream(text))) {
                found.add((X509Certificate) certificate);
            }
            if (found.isEmpty()) {
                throw new CertificateException("no certificate in it");
            }
            return List.copyOf(found);
        } catch (CertificateException e) {
            throw new LocalFault(
                    "%s %s holds no PEM certificate: put the right file there, or issue it anew with 'quantadb init'"
                            .formatted(what, file),
                    e);
        }
    }

    /** The one private key of a file, PKCS#8 and not encrypted. */
    static PrivateKey privateKey(Path file, String what, String algorithm) {
        String text = new String(read(file, what), StandardCharsets.ISO_8859_1);
        String begin = "-----BEGIN PRIVATE KEY-----";
        int from = text.indexOf(begin);
        int to = text.indexOf("-----END PRIVATE KEY-----");
        if (from < 0 || to < from) {
            boolean other = text.contains("PRIVATE KEY-----");
            throw new LocalFault((other
                            ? "%s %s is not in PKCS#8 without a passphrase: convert it with 'openssl pkcs8 -topk8 -nocrypt'"
                            : "%s %s holds no PEM private key: put the right file there, or issue it anew with 'quantadb init'")
                    .formatted(what, file));
        }
        try {
            byte[] der = Base64.getMimeDecoder().decode(text.substring(from + begin.length(), to));
            return KeyFactory.getInstance(algorithm).generatePrivate(new PKCS8EncodedKeySpec(der));
        } catch (IllegalArgumentException | GeneralSecurityException e) {
            throw new LocalFault(
                    "%s %s cannot be used as the %s key of its certificate: the file is damaged or is of another certificate; issue both anew"
                            .formatted(what, file, algorithm),
                    e);
        }
    }

    private static byte[] read(Path file, String what) {
        try {
            if (Files.size(file) > MAX_BYTES) {
                throw new LocalFault(
                        "%s %s is larger than %d bytes, so it is not the right file".formatted(what, file, MAX_BYTES));
            }
            return Files.readAllBytes(file);
        } catch (NoSuchFileException e) {
            throw new LocalFault(
                    "%s %s does not exist: make it with 'quantadb init', or correct its path in the settings"
                            .formatted(what, file),
                    e);
        } catch (AccessDeniedException e) {
            throw new LocalFault(
                    "%s %s cannot be read by user '%s': give that user the file (chown), or run as its owner"
                            .formatted(what, file, System.getProperty("user.name")),
                    e);
        } catch (IOException e) {
            throw new LocalFault("%s %s cannot be read: %s".formatted(what, file, e), e);
        }
    }

    static void writeCertificates(Path file, List<X509Certificate> certificates) {
        try {
            var text = new StringBuilder();
            for (X509Certificate certificate : certificates) {
                text.append(pem("CERTIFICATE", certificate.getEncoded()));
            }
            write(file, text.toString(), PosixFilePermissions.fromString("rw-r--r--"));
        } catch (CertificateException e) {
            throw new IllegalStateException("a certificate just made cannot be encoded", e);
        }
    }

    static void writePrivateKey(Path file, PrivateKey key) {
        write(file, pem("PRIVATE KEY", key.getEncoded()), OWNER_ONLY_FILE);
    }

    private static String pem(String type, byte[] der) {
        return "-----BEGIN %s-----%n%s%n-----END %s-----%n"
                .formatted(type, LINES.encodeToString(der), type)
                .replace("\r", "");
    }

    private static void write(Path file, String text, Set<PosixFilePermission> permissions) {
        try {
            // Created with its final mode: a key is never readable by others, not even for a moment.
            Path fresh =
                    Files.createTempFile(file.toAbsolutePath().getParent(), ".new", ".pem", attribute(permissions));
            try {
                Files.setPosixFilePermissions(fresh, permissions);
                Files.writeString(fresh, text, StandardOpenOption.SYNC);
                Files.move(fresh, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
            } finally {
                Files.deleteIfExists(fresh);
            }
        } catch (IOException e) {
            throw new LocalFault(
                    "%s cannot be written: %s; give user '%s' a directory it may write to"
                            .formatted(file, e, System.getProperty("user.name")),
                    e);
        }
    }

    /** Makes the directory, and those above it, for its owner alone; leaves the mode of one that was there. */
    static void makePrivateDirectory(Path directory) {
        try {
            Path above = directory.toAbsolutePath().getParent();
            if (above != null) {
                Files.createDirectories(above);
            }
            Files.createDirectory(directory, attribute(OWNER_ONLY_DIRECTORY));
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(directory)) {
                throw new LocalFault("%s is not a directory: move it away, or choose another".formatted(directory), e);
            }
        } catch (IOException e) {
            throw new LocalFault(
                    "directory %s cannot be made: %s; choose a place that user '%s' may write to"
                            .formatted(directory, e, System.getProperty("user.name")),
                    e);
        }
    }

    private static FileAttribute<Set<PosixFilePermission>> attribute(Set<PosixFilePermission> permissions) {
        return PosixFilePermissions.asFileAttribute(permissions);
    }
}
