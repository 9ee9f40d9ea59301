import java.time.Duration;
import java.util.HashMap;
import java.util.Map;

/** `--name=value` and `--name`. */
final class Flags {
  private final Map<String, String> values = new HashMap<>();

  Flags(String[] args) {
    for (String arg : args) {
      String[] parts = arg.substring(2).split("=", 2);
      values.put(parts[0], parts.length == 2 ? parts[1] : "true");
    }
  }

  String text(String name) {
    String value = values.get(name);
    if (value == null) throw new IllegalArgumentException("--" + name + " is missing");
    return value;
  }

  boolean has(String name) {
    return values.containsKey(name);
  }

  /** In seconds, as in `1.5s`. */
  Duration duration(String name) {
    return Duration.parse("PT" + text(name));
  }
}
