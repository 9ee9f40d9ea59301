// A leader-elected program on client-go as it is: what mode Observe follows in real clusters.
// Each step of its election is a JSON line on standard output.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

func main() {
	lease := flag.String("lease", "", "name of the Lease")
	namespace := flag.String("namespace", "default", "namespace of the Lease")
	id := flag.String("id", "", "holder identity")
	leaseDuration := flag.Duration("lease-duration", 15*time.Second, "")
	renewDeadline := flag.Duration("renew-deadline", 10*time.Second, "")
	retryPeriod := flag.Duration("retry-period", 2*time.Second, "")
	kubeconfig := flag.String("kubeconfig", "", "path of the kubeconfig")
	releaseOnCancel := flag.Bool("release-on-cancel", false, "empty the Lease on SIGTERM")
	flag.Parse()

	config, err := clientcmd.BuildConfigFromFlags("", *kubeconfig)
	if err != nil {
		fail(err)
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		fail(err)
	}

	stop, stopped := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stopped()
	contend, withdraw := context.WithCancel(context.Background())
	// Held while the work goes on. client-go asks that the work has ended before its context is cancelled, since it
	// releases the Lease at once.
	var work sync.Mutex
	go func() {
		<-stop.Done()
		work.Lock()
		withdraw()
	}()

	say("started", "")
	leaderelection.RunOrDie(contend, leaderelection.LeaderElectionConfig{
		Lock: &resourcelock.LeaseLock{
			LeaseMeta:  metav1.ObjectMeta{Namespace: *namespace, Name: *lease},
			Client:     client.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{Identity: *id},
		},
		LeaseDuration:   *leaseDuration,
		RenewDeadline:   *renewDeadline,
		RetryPeriod:     *retryPeriod,
		ReleaseOnCancel: *releaseOnCancel,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(term context.Context) {
				work.Lock()
				defer work.Unlock()
				if stop.Err() != nil || term.Err() != nil {
					return
				}
				say("leading", "")
				select {
				case <-term.Done():
				case <-stop.Done():
				}
				say("stopped", "")
			},
			OnStoppedLeading: func() {},
			OnNewLeader:      func(leader string) { say("newLeader", leader) },
		},
	})
	if stop.Err() == nil {
		// The work's last line, which is under way.
		work.Lock()
		fail(fmt.Errorf("the Lease was lost"))
	}
}

type line struct {
	Event  string `json:"event"`
	Leader string `json:"leader,omitempty"`
	// The clock that all processes of a machine share, and that no step of the wall clock moves.
	MonotonicMillis float64 `json:"monotonicMillis"`
	WallMillis      float64 `json:"wallMillis"`
}

// In one write: the process may be killed at any moment.
func say(event, leader string) {
	var now unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &now); err != nil {
		fail(err)
	}
	text, err := json.Marshal(line{event, leader, float64(now.Nano()) / 1e6, float64(time.Now().UnixMicro()) / 1e3})
	if err != nil {
		fail(err)
	}
	if _, err := os.Stdout.Write(append(text, '\n')); err != nil {
		fail(err)
	}
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
