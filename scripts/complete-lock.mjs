// Completes package-lock.json with the optional platform packages that npm left out.
//
// Some registries and mirrors serve only the packages of the platforms they carry. npm then drops
// the others from the lock file without a word, and `npm ci` refuses the result ("Missing … from
// lock file"). Version, os and cpu follow from the parent's optionalDependencies and the package's
// name; the checksum does not, so an entry added here is verified by nothing but its version.
//
//   node scripts/complete-lock.mjs           add the missing entries
//   node scripts/complete-lock.mjs --check   fail when entries are missing or a registry is named
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * @typedef {object} LockEntry
 * @property {string} [version]
 * @property {string[]} [os]
 * @property {string[]} [cpu]
 * @property {string[]} [libc]
 * @property {boolean} [dev]
 * @property {boolean} [optional]
 * @property {string} [resolved]
 * @property {Record<string, string>} [optionalDependencies]
 */
/** @typedef {Record<string, LockEntry>} LockedPackages */
/** @typedef {{ location: string, entry: LockEntry }} MissingEntry */

const PLATFORM =
  /(?<os>aix|android|darwin|freebsd|linux|netbsd|openbsd|openharmony|sunos|win32)-(?<cpu>arm64|arm|ia32|loong64|mips64el|ppc64|riscv64|s390x|x64)(?:-(?<abi>\w+))?$/;

/** @type {Record<string, string>} */
const LIBC_OF_ABI = { gnu: 'glibc', glibc: 'glibc', musl: 'musl' };

/**
 * The optional dependencies that no entry of the lock file provides.
 * @param {LockedPackages} packages
 * @returns {MissingEntry[]}
 */
export function missingOptionalEntries(packages) {
  return Object.entries(packages).flatMap(([parent, entry]) =>
    Object.entries(entry.optionalDependencies ?? {}).flatMap(([name, version]) => {
      const found = resolveFrom(packages, parent, name);
      if (found !== undefined && satisfies(packages[found], version)) return [];
      const location =
        found === undefined || parent === ''
          ? `node_modules/${name}`
          : `${parent}/node_modules/${name}`;
      return [{ location, entry: platformEntry({ name, version, dev: entry.dev === true }) }];
    }),
  );
}

/**
 * Node's own look-up: the nearest node_modules on the way up.
 * @param {LockedPackages} packages
 * @param {string} parent
 * @param {string} name
 * @returns {string | undefined}
 */
function resolveFrom(packages, parent, name) {
  for (
    let folder = parent;
    ;
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf('/node_modules/')))
  ) {
    const location = folder === '' ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (packages[location] !== undefined) return location;
    if (folder === '') return undefined;
  }
}

/**
 * Platform packages are pinned exactly by their parents; a range is npm's business.
 * @param {LockEntry | undefined} entry
 * @param {string} wanted
 */
function satisfies(entry, wanted) {
  return !/^\d+\.\d+\.\d+/.test(wanted) || entry?.version === wanted;
}

/**
 * @param {{ name: string, version: string, dev: boolean }} wanted
 * @returns {LockEntry}
 */
function platformEntry({ name, version, dev }) {
  const platform = PLATFORM.exec(name)?.groups;
  if (platform?.['os'] === undefined || platform['cpu'] === undefined) {
    throw new Error(
      `${name}: the lock file lacks this optional package and its name tells no platform. ` +
        'Nothing was written. Add its entry by hand from the package manifest.',
    );
  }
  const libc = LIBC_OF_ABI[platform['abi'] ?? ''];
  return {
    version,
    cpu: [platform['cpu']],
    ...(dev ? { dev } : {}),
    ...(libc === undefined ? {} : { libc: [libc] }),
    optional: true,
    os: [platform['os']],
  };
}

/**
 * @param {LockedPackages} packages
 * @returns {string[]}
 */
function entriesNamingARegistry(packages) {
  return Object.entries(packages)
    .filter(([, entry]) => entry.resolved !== undefined)
    .map(([location]) => location);
}

/**
 * @param {string} file
 * @returns {boolean} whether the file is complete
 */
function check(file) {
  const { packages } = JSON.parse(readFileSync(file, 'utf8'));
  const named = entriesNamingARegistry(packages);
  const missing = missingOptionalEntries(packages);
  for (const { location } of missing) console.error(`${location}: missing from package-lock.json`);
  if (missing.length > 0) console.error('run: npm run lock');
  for (const location of named) console.error(`${location}: names a registry ("resolved")`);
  if (named.length > 0) console.error('remove these lines; .npmrc keeps npm from writing new ones');
  return missing.length === 0 && named.length === 0;
}

/** @param {string} file */
function complete(file) {
  const lock = JSON.parse(readFileSync(file, 'utf8'));
  const missing = missingOptionalEntries(lock.packages);
  if (missing.length === 0) return;
  for (const { location, entry } of missing) lock.packages[location] = entry;
  // npm sorts by this collation; any other order would come back as a diff.
  lock.packages = Object.fromEntries(
    Object.entries(lock.packages).sort(([left], [right]) => left.localeCompare(right, 'en')),
  );
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
  console.error(`added ${String(missing.length)} entries to package-lock.json`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
  const file = path.join(root, 'package-lock.json');
  if (!process.argv.includes('--check')) complete(file);
  process.exitCode = check(file) ? 0 : 1;
}
