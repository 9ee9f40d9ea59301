// Plain JavaScript that any Node runs: says what to do when the project's own Node 24 is not the one in use.
// `npm ci --ignore-scripts` (or a policy that skips install scripts) leaves node_modules/.bin/node empty,
// and npm scripts then silently use whatever Node the machine has.
const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 22 || (major === 22 && minor < 19)) {
  console.error(
    `leadergroup needs Node 22.19 or later, this is ${process.versions.node} (${process.execPath}).\n` +
      `The project brings Node 24 as a dev dependency; its binary was not installed. Run: npm rebuild node`,
  )
  process.exit(1)
}
