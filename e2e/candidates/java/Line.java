import java.io.FileOutputStream;
import java.io.FileDescriptor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Locale;

final class Line {
  private static final FileOutputStream OUT = new FileOutputStream(FileDescriptor.out);

  /** In one write: the process may be killed at any moment. Identities here need no escapes. */
  static void say(String event, String leader) {
    // On Linux nanoTime is the clock that all processes of a machine share.
    double monotonicMillis = System.nanoTime() / 1e6;
    String named = leader == null || leader.isEmpty() ? "" : "\"leader\":\"" + leader + "\",";
    String text =
        String.format(
            Locale.ROOT,
            "{\"event\":\"%s\",%s\"monotonicMillis\":%.3f,\"wallMillis\":%d}%n",
            event,
            named,
            monotonicMillis,
            System.currentTimeMillis());
    try {
      OUT.write(text.getBytes(StandardCharsets.UTF_8));
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }
}
