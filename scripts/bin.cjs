#!/usr/bin/env node
// `leadergroup` and `kubectl leadergroup` as they are installed. Plain JavaScript that any Node reads: an older one would
// else stop at the first line of the bundle that it does not understand, and say that instead of what to do.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `leadergroup needs Node 22.19 or later, this is ${process.versions.node} (${process.execPath}). ` +
      'Install a newer Node, or put one first on the PATH',
  )
  process.exit(1)
}
void import('./leadergroup.js')
