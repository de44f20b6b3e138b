import { existsSync, readdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, runLong, say } from './shell.js';

const SOURCES = ['apps', 'libs', 'deploy', 'test'];
const SETTINGS = ['package.json', 'tsconfig.json', 'nest-cli.json'];
const STAMP = join(ROOT, 'dist', '.built');

/** Builds when a source is newer than the last build that succeeded. */
export async function ensureBuild() {
  const begun = new Date();
  if (existsSync(STAMP) && statSync(STAMP).mtimeMs >= newestSource()) return;
  say('building (about half a minute)');
  const { seconds } = await runLong('build', 'npm', ['run', '-s', 'build']);
  writeFileSync(STAMP, '');
  // A source that changed while the build ran is newer than this.
  utimesSync(STAMP, begun, begun);
  say(`built in ${seconds} s`);
}

function newestSource() {
  const files = SOURCES.flatMap((dir) => walk(join(ROOT, dir))).concat(
    SETTINGS.map((name) => join(ROOT, name)),
  );
  return Math.max(...files.map((file) => statSync(file).mtimeMs));
}

/** TypeScript files, and directories (whose time moves when a file goes). */
function walk(dir) {
  if (!existsSync(dir)) return [];
  return readdirSync(dir, { withFileTypes: true }).flatMap((entry) => {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : [path, ...walk(path)];
    return entry.name.endsWith('.ts') ? [path] : [];
  });
}
