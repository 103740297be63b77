/** Builds an executable from one of our Go modules, with the sources of all dependencies pinned by go.sum. */
import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { packageRoot } from '../package-root.ts';
import type { StepReporter } from '../progress.ts';
import { SandboxError } from '../sandbox-error.ts';
import type { GoBuildSource, Tool } from './catalogue.ts';
import { currentPlatform } from './platform.ts';
import { runCommand } from './run-command.ts';

/** Same sources and flags, same key: the name under which the binary is kept. */
export async function goBuildKey(source: GoBuildSource): Promise<string> {
  const directory = sourceDirectory(source);
  const hash = createHash('sha256');
  for (const name of (await readdir(directory)).sort()) {
    hash.update(`${name}\0`).update(await readFile(join(directory, name)));
  }
  const flags = [currentPlatform(), source.package, ...source.stamps, ...tagFlags(source)];
  hash.update(flags.join('\0'));
  return hash.digest('hex').slice(0, 16);
}

export interface GoBuild {
  readonly tool: Pick<Tool, 'title'>;
  readonly source: GoBuildSource;
  readonly goBinary: string;
  readonly outputPath: string;
  readonly reporter: StepReporter;
}

export async function buildGo(build: GoBuild): Promise<void> {
  const { tool, source } = build;
  await mkdir(dirname(build.outputPath), { recursive: true });
  const result = await runCommand({
    command: build.goBinary,
    args: [
      ...['build', '-v', '-trimpath', '-ldflags', await linkerFlags(source)],
      ...tagFlags(source),
      ...['-o', build.outputPath, source.package],
    ],
    workingDirectory: sourceDirectory(source),
    environment: {
      CGO_ENABLED: '0',
      // The user's own flags, workspace or toolchain choice would make another binary.
      GOFLAGS: '-buildvcs=false -mod=readonly',
      GOTOOLCHAIN: 'local',
      GOWORK: 'off',
      GOOS: undefined,
      GOARCH: undefined,
    },
    onLine: progressOf(build),
  });
  if (result.exitCode === 0) return;
  throw new SandboxError({
    code: 'SANDBOX_TOOL_INSTALL_FAILED',
    message: `${tool.title} could not be built; what was compiled so far is kept by Go.\n${result.tail}`,
    next: 'Run the same command again: it continues where it stopped. `holdfast sandbox doctor` checks disk space and Go.',
  });
}

function tagFlags({ tags = [] }: GoBuildSource): string[] {
  return tags.length === 0 ? [] : [`-tags=${tags.join(',')}`];
}

async function linkerFlags(source: GoBuildSource): Promise<string> {
  const stamps = [...source.stamps];
  if (source.keyStamp !== undefined) stamps.push(`${source.keyStamp}=${await goBuildKey(source)}`);
  return ['-s', '-w', ...stamps.map((stamp) => `-X ${stamp}`)].join(' ');
}

/** `go build -v` names each module it downloads and each package it compiles. */
function progressOf(build: GoBuild): (line: string) => void {
  let downloaded = 0;
  let compiled = 0;
  return (line) => {
    if (line.startsWith('go: downloading')) downloaded += 1;
    else compiled += 1;
    build.reporter.revise(
      `building ${build.tool.title}: ${downloaded} modules downloaded, ${compiled} packages compiled (${build.source.takes})`,
    );
  };
}

function sourceDirectory(source: GoBuildSource): string {
  return join(packageRoot(), 'sandbox', source.directory);
}
