// A leader-elected program on fabric8's LeaderElector as it is.
// Each step of its election is a JSON line on standard output.

import io.fabric8.kubernetes.client.Config;
import io.fabric8.kubernetes.client.KubernetesClient;
import io.fabric8.kubernetes.client.KubernetesClientBuilder;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderCallbacks;
import io.fabric8.kubernetes.client.extended.leaderelection.LeaderElectionConfigBuilder;
import io.fabric8.kubernetes.client.extended.leaderelection.resourcelock.LeaseLock;
import java.io.File;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;

public final class Candidate {
  public static void main(String[] args) throws ExecutionException, InterruptedException {
    Flags flags = new Flags(args);
    KubernetesClient client =
        new KubernetesClientBuilder().withConfig(Config.fromKubeconfig(new File(flags.text("kubeconfig")))).build();
    Work work = new Work();
    var config =
        new LeaderElectionConfigBuilder()
            .withName("candidate")
            .withLock(new LeaseLock(flags.text("namespace"), flags.text("lease"), flags.text("id")))
            .withLeaseDuration(flags.duration("lease-duration"))
            .withRenewDeadline(flags.duration("renew-deadline"))
            .withRetryPeriod(flags.duration("retry-period"))
            .withReleaseOnCancel(flags.has("release-on-cancel"))
            .withLeaderCallbacks(
                new LeaderCallbacks(work::begin, work::lose, leader -> Line.say("newLeader", leader)))
            .build();
    Line.say("started", null);
    CompletableFuture<?> election = client.leaderElector().withConfig(config).build().start();
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  // The elector itself would release first and call back then.
                  work.finish();
                  election.cancel(true);
                  Runtime.getRuntime().halt(0);
                }));
    try {
      // All threads of the client are daemons. A term that is lost ends the program: see Work.
      election.get();
    } catch (CancellationException stopped) {
      // By the hook above, which ends the program.
    }
  }
}
