/**
 * Runs one benchmark: `npm run -s bench -- NAME`. Figures go to standard output,
 * one line of JSON each; everything else goes to standard error.
 */
import type { Figure } from './figure.ts';

type Bench = () => AsyncIterable<Figure>;

const benches: Readonly<Record<string, () => Promise<Bench>>> = {
  deploy: async () => (await import('./deploy.ts')).measureDeploy,
  pictures: async () => (await import('./pictures.ts')).drawPictures,
  progressive: async () => (await import('./progressive.ts')).measureProgressive,
};

const main = async (): Promise<number> => {
  const name = process.argv[2] ?? '';
  const load = benches[name];
  if (load === undefined) {
    process.stderr.write(
      `There is no benchmark "${name}". Run \`npm run -s bench -- NAME\` with one of: ${Object.keys(benches).join(', ')}\n`,
    );
    return 2;
  }
  const measure = await load();
  for await (const line of measure()) process.stdout.write(`${JSON.stringify(line)}\n`);
  return 0;
};

process.exitCode = await main();
