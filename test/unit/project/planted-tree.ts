import { execFile } from 'node:child_process';
import { copyFile, mkdir, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

export const REPOSITORY = path.resolve(import.meta.dirname, '../../..');

/** Source text by path below the tree's root. */
export type Files = Readonly<Record<string, string>>;

export interface Violation {
  readonly rule: string;
  readonly from: string;
}

const PACKAGES = [
  '@kubernetes/client-node',
  '@temporalio/client',
  '@temporalio/common',
  '@temporalio/workflow',
  'commander',
  'zod',
];
const DEVELOPMENT_PACKAGES = ['jest'];

/** A small source tree of the same layout, with stand-ins for the packages it names. */
export async function plantTree(files: Files): Promise<string> {
  const root = await mkdtemp(path.join(tmpdir(), 'holdfast-architecture-'));
  await copyFile(path.join(REPOSITORY, 'tsconfig.json'), path.join(root, 'tsconfig.json'));
  const versions = (names: readonly string[]): Record<string, string> =>
    Object.fromEntries(names.map((name) => [name, '1.0.0']));
  const manifest = {
    name: 'planted',
    type: 'module',
    dependencies: versions(PACKAGES),
    devDependencies: versions(DEVELOPMENT_PACKAGES),
  };
  const packageFiles = [...PACKAGES, ...DEVELOPMENT_PACKAGES].flatMap(
    (name): [string, string][] => [
      [
        `node_modules/${name}/package.json`,
        JSON.stringify({ name, version: '1.0.0', type: 'module', exports: './index.js' }),
      ],
      [`node_modules/${name}/index.js`, 'export const value = 1;\n'],
    ],
  );
  const all = { ...files, ...Object.fromEntries(packageFiles) };
  await write(root, { ...all, 'package.json': JSON.stringify(manifest) });
  return root;
}

async function write(root: string, files: Files): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(root, name);
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, text);
  }
}

interface CruiseReport {
  readonly summary: { readonly violations: readonly { rule: { name: string }; from: string }[] };
}

/** Runs one pass of the import rules over the tree, with the settings of this repository. */
export async function cruise(root: string, settings: string): Promise<readonly Violation[]> {
  const tool = path.join(REPOSITORY, 'node_modules/dependency-cruiser/bin/dependency-cruiser.mjs');
  const args = ['--config', path.join(REPOSITORY, settings), '--output-type', 'json', '.'];
  const stdout = await new Promise<string>((resolve, reject) => {
    const options = { cwd: root, maxBuffer: 64 * 1024 * 1024 };
    // The exit code is the number of violations, which is what the caller judges.
    execFile(process.execPath, [tool, ...args], options, (error, out, talk) => {
      if (out === '')
        reject(new Error(`dependency-cruiser printed no report: ${talk}`, { cause: error }));
      else resolve(out);
    });
  });
  const report = JSON.parse(stdout) as CruiseReport;
  return report.summary.violations.map(({ rule, from }) => ({ rule: rule.name, from }));
}
