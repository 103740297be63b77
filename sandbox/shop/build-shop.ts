/** Builds the sample service; it has no dependencies, so nothing is downloaded. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../package-root.ts';
import { reportStep } from '../progress.ts';
import type { OnProgress } from '../progress.ts';
import { SandboxError } from '../sandbox-error.ts';
import { locateTool, toolsDirectory } from '../tools/locate.ts';
import { runCommand } from '../tools/run-command.ts';

const SOURCES = ['go.mod', 'main.go', 'streams.go'];

/** The static binary of the sample service, built if its sources have changed since. */
export async function buildShop(onProgress: OnProgress): Promise<Buffer> {
  const sources = join(packageRoot(), 'sandbox', 'shop');
  const directory = join(toolsDirectory(), `shop-${await keyOf(sources)}`);
  const binary = join(directory, 'shop');
  const built = await readFile(binary).catch(() => undefined);
  if (built !== undefined) return built;
  await reportStep(
    { name: 'shop', message: 'building the sample service', onProgress },
    async () => {
      const go = await locateTool('go', { onProgress });
      await mkdir(directory, { recursive: true });
      // Whoever builds at the same time builds the same bytes; the last one to rename wins.
      const unfinished = `${binary}.unfinished-${process.pid}`;
      await compile({ go: go.path, sources, output: unfinished });
      await rename(unfinished, binary);
    },
  );
  return readFile(binary);
}

async function keyOf(directory: string): Promise<string> {
  const hash = createHash('sha256').update(process.arch);
  for (const name of SOURCES) hash.update(await readFile(join(directory, name)));
  return hash.digest('hex').slice(0, 16);
}

async function compile(build: {
  readonly go: string;
  readonly sources: string;
  readonly output: string;
}): Promise<void> {
  const result = await runCommand({
    command: build.go,
    args: ['build', '-trimpath', '-ldflags=-s -w -buildid=', '-o', build.output, '.'],
    workingDirectory: build.sources,
    environment: {
      // The container holds nothing but this file.
      CGO_ENABLED: '0',
      GOOS: 'linux',
      GOARCH: undefined,
      GOFLAGS: '-buildvcs=false',
      GOTOOLCHAIN: 'local',
      GOWORK: 'off',
    },
  });
  if (result.exitCode === 0) return;
  throw new SandboxError({
    code: 'SANDBOX_TOOL_INSTALL_FAILED',
    message: `The sample service could not be built:\n${result.tail}`,
    next: 'Run `holdfast sandbox doctor`.',
  });
}
