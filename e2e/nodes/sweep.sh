#!/bin/sh
# sweep.sh NUMBER DIRECTORY: takes away whatever a cluster with nodes has made on this machine, in any state of its life.
# It is a shell script because the guard runs it as well, when the process that kept the cluster is gone.
#
# What is ours is told by the cluster's own names: a node's processes by their cgroup, which none leaves by itself, those
# of the control plane by their pid files and by the directory in their command lines, namespaces and the link by their
# prefix. Mounts are in the nodes' own mount namespaces, and end with their processes.
number=$1
dir=$2
prefix=leadergroup$number

groups() {
  for top in /sys/fs/cgroup/"$prefix" /sys/fs/cgroup/*/"$prefix"; do
    # Deepest first, so that each is empty when its turn comes.
    [ -d "$top" ] && find "$top" -depth -type d
  done
}

for file in "$dir"/pids/* "$dir"/*/pids/*; do
  pid=$(cat "$file" 2>/dev/null) || continue
  grep -q "$dir/" "/proc/$pid/cmdline" 2>/dev/null && kill -s KILL -- "-$pid" 2>/dev/null
done

tries=100
while [ "$tries" -gt 0 ]; do
  pids=$(groups | while read -r group; do cat "$group/cgroup.procs" 2>/dev/null; done | sort -u)
  [ -z "$pids" ] && break
  for pid in $pids; do kill -s KILL "$pid" 2>/dev/null; done
  tries=$((tries - 1))
  sleep 0.1
done
groups | while read -r group; do rmdir "$group" 2>/dev/null; done

for namespace in $(ip netns list 2>/dev/null | sed 's/ .*//' | grep "^$prefix-"); do ip netns delete "$namespace"; done
[ -e "/sys/class/net/$prefix" ] && ip link delete "$prefix"

# A mount that is seen from here was made before the node had a namespace for its mounts.
awk -v dir="$dir/" 'index($2, dir) == 1 { print $2 }' /proc/self/mounts | sort -r | while read -r mount; do umount -l "$mount"; done
tries=50
until rm -rf "$dir" 2>/dev/null; do
  tries=$((tries - 1)); [ "$tries" -gt 0 ] || exit 1
  sleep 0.1
done
rmdir "$(dirname "$dir")" 2>/dev/null
exit 0
