// `npm run generate`: JSON Schemas and reference pages from the contracts and the command line.
// With `--check` nothing is written, and the exit code says whether everything is current.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { generatedFiles } from './generate/generated-files.ts';

const root = path.dirname(import.meta.dirname);
const isCheck = process.argv.includes('--check');

const currentText = async (file: string): Promise<string | undefined> =>
  readFile(file, 'utf8').catch(() => undefined);

const stale: string[] = [];
for (const { name, text } of generatedFiles()) {
  const file = path.join(root, name);
  if ((await currentText(file)) === text) continue;
  stale.push(name);
  if (isCheck) continue;
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, text);
}

if (stale.length === 0) {
  console.log('schemas and reference pages are current');
} else if (isCheck) {
  console.error(`not current: ${stale.join(', ')}\nnext: npm run generate`);
  process.exitCode = 1;
} else {
  console.log(`written: ${stale.join(', ')}`);
}
