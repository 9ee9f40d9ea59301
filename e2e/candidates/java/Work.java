/** What a program does only while it leads: here, to say so. */
final class Work {
  private boolean isLeading;
  private boolean isOver;

  synchronized void begin() {
    if (isLeading || isOver) return;
    isLeading = true;
    Line.say("leading", null);
  }

  synchronized void end() {
    if (isLeading) Line.say("stopped", null);
    isLeading = false;
  }

  /** It does not begin again. */
  synchronized void finish() {
    end();
    isOver = true;
  }

  /** These electors are used once: as with client-go, a term that was lost ends the program. */
  synchronized void lose() {
    end();
    if (isOver) return;
    System.err.println("the Lease was lost");
    Runtime.getRuntime().halt(1);
  }
}
