/**
 * Runs one benchmark: `npm run -s bench -- NAME`. Figures go to standard output,
 * one line of JSON each; everything else goes to standard error.
 */
import { parseArgs } from 'node:util';
import type { Figure } from './figure.ts';

/** Smaller numbers are for a look; a record is made without them. */
interface BenchOptions {
  rounds?: number;
  releases?: number;
}

type Bench = (options: BenchOptions) => AsyncIterable<Figure>;

const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  concurrent: async () => (await import('./concurrent.ts')).measureConcurrent,
  deploy: async () => (await import('./deploy.ts')).measureDeploy,
  pictures: async () => (await import('./pictures.ts')).drawPictures,
  trust: async () => (await import('./trust.ts')).measureTrust,
  progressive: async () => (await import('./progressive.ts')).measureProgressive,
};

const countOf = (option: string, text: string): number => {
  const count = Number(text);
  if (Number.isInteger(count) && count > 0) return count;
  throw new TypeError(`--${option} takes a number, and ${text} is none`);
};

const main = async (): Promise<number> => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rounds: { type: 'string' }, releases: { type: 'string' } },
  });
  const name = positionals[0] ?? '';
  const options: BenchOptions = Object.fromEntries(
    Object.entries(values).map(([option, text]) => [option, countOf(option, text)]),
  );
  const load = benches[name];
  if (load === undefined) {
    process.stderr.write(
      `There is no benchmark "${name}". Run \`npm run -s bench -- NAME\` with one of: ${Object.keys(benches).join(', ')}\n`,
    );
    return 2;
  }
  const measure = await load();
  for await (const line of measure(options)) process.stdout.write(`${JSON.stringify(line)}\n`);
  return 0;
};

process.exitCode = await main();
