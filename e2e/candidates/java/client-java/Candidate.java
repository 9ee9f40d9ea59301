// A leader-elected program on the official Java client's LeaderElector as it is.
// Each step of its election is a JSON line on standard output.

import io.kubernetes.client.extended.leaderelection.LeaderElectionConfig;
import io.kubernetes.client.extended.leaderelection.LeaderElector;
import io.kubernetes.client.extended.leaderelection.resourcelock.LeaseLock;
import io.kubernetes.client.openapi.ApiClient;
import io.kubernetes.client.util.ClientBuilder;
import io.kubernetes.client.util.KubeConfig;
import java.io.FileReader;
import java.io.IOException;

public final class Candidate {
  public static void main(String[] args) throws IOException {
    Flags flags = new Flags(args);
    ApiClient client =
        ClientBuilder.kubeconfig(KubeConfig.loadKubeConfig(new FileReader(flags.text("kubeconfig")))).build();
    LeaseLock lock = new LeaseLock(flags.text("namespace"), flags.text("lease"), flags.text("id"), client);
    LeaderElector elector =
        new LeaderElector(
            new LeaderElectionConfig(
                lock,
                flags.duration("lease-duration"),
                flags.duration("renew-deadline"),
                flags.duration("retry-period")));
    Work work = new Work();
    Thread election =
        new Thread(() -> elector.run(work::begin, work::lose, leader -> Line.say("newLeader", leader)));
    Line.say("started", null);
    election.start();
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  work.finish();
                  // Its close() releases the Lease if it leads.
                  if (flags.has("release-on-cancel")) elector.close();
                  Runtime.getRuntime().halt(0);
                }));
  }
}
