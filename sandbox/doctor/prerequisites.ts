/** What has to be on the machine before anything can be installed or built. */
import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { readSandboxSettings } from '../config.ts';
import { postgresBinaries } from '../postgres/binaries.ts';
import { SandboxError, systemErrorCode } from '../sandbox-error.ts';
import { TOOLS } from '../tools/catalogue.ts';
import type { ToolName } from '../tools/catalogue.ts';
import { findTool, pathCandidates, toolsDirectory } from '../tools/locate.ts';
import { isAtLeast } from '../tools/look-on-path.ts';
import { runCommand } from '../tools/run-command.ts';
import type { DoctorCheck } from './check.ts';

/** The first Node.js line that runs TypeScript without a flag and is supported for years. */
const LEAST_NODE = '24.0.0';
/** Modules and compiled packages of Kubernetes, measured at 4.4 GB. */
const BUILD_NEEDS_BYTES = 6 * 1024 ** 3;
const RUN_NEEDS_BYTES = 1024 ** 3;

export async function checkPrerequisites(): Promise<readonly DoctorCheck[]> {
  return [
    checkNode(),
    await checkCommand({ id: 'npm', command: 'npm', args: ['--version'], fix: 'Install npm.' }),
    await checkCommand({
      id: 'python-pip',
      command: 'python3',
      args: ['-m', 'pip', '--version'],
      fix: 'Install Python 3 with pip (Debian: `apt-get install python3-pip`), or put the Temporal CLI on PATH.',
    }),
    await checkGo(),
    ...(await Promise.all((Object.keys(TOOLS) as ToolName[]).map(checkTool))),
    checkPostgres(),
    await checkDiskSpace(),
  ].filter((check) => check !== undefined);
}

function checkNode(): DoctorCheck {
  const evidence = `Node.js ${process.version} at ${process.execPath}`;
  if (isAtLeast(process.version, LEAST_NODE)) return { id: 'node', verdict: 'ok', evidence };
  return {
    id: 'node',
    verdict: 'missing',
    evidence,
    fix: 'Run `npm ci`, which brings Node.js 24 on Linux, or install it.',
  };
}

async function checkCommand(check: {
  readonly id: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly fix: string;
}): Promise<DoctorCheck> {
  const { exitCode, stdout, tail } = await runCommand(check);
  const text = `${check.command} ${check.args.join(' ')}`;
  return exitCode === 0
    ? { id: check.id, verdict: 'ok', evidence: `${text}: ${stdout.split('\n')[0] ?? ''}` }
    : { id: check.id, verdict: 'missing', evidence: `${text} failed: ${tail}`, fix: check.fix };
}

async function checkGo(): Promise<DoctorCheck> {
  const found = await findTool('go');
  if (found !== undefined) return { id: 'go', verdict: 'ok', evidence: found.path };
  const tooOld = (await pathCandidates('go')).map(
    ({ path, version }) => `${path} (${version ?? '?'})`,
  );
  return {
    id: 'go',
    verdict: 'warning',
    evidence: `No Go of at least ${TOOLS.go.version}${tooOld.length === 0 ? '' : `; too old: ${tooOld.join(', ')}`}.`,
    fix: 'Nothing: it is installed for the sandbox alone when something must be built.',
  };
}

async function checkTool(name: ToolName): Promise<DoctorCheck | undefined> {
  if (name === 'go') return undefined;
  const tool = TOOLS[name];
  const found = await findTool(name);
  if (found !== undefined) {
    return { id: `tool-${name}`, verdict: 'ok', evidence: `${found.path} (${found.origin})` };
  }
  const { source } = tool;
  const effort = source.kind === 'go-build' ? `built: ${source.takes}` : 'installed: a few seconds';
  return {
    id: `tool-${name}`,
    verdict: 'warning',
    evidence: `${tool.title} ${tool.version} is not there yet.`,
    fix: `Nothing: the sandbox gets it when it is needed (${effort}), or set ${tool.environmentVariable}.`,
  };
}

function checkPostgres(): DoctorCheck {
  const id = 'postgres';
  if (readSandboxSettings().databaseUrl !== undefined) {
    return { id, verdict: 'ok', evidence: 'DATABASE_URL is set; the sandbox starts none' };
  }
  try {
    const { postgres, version } = postgresBinaries();
    return { id, verdict: 'ok', evidence: `${postgres} (${version})` };
  } catch (error) {
    if (!(error instanceof SandboxError)) throw error;
    return { id, verdict: 'missing', evidence: error.message, fix: error.next };
  }
}

async function checkDiskSpace(): Promise<DoctorCheck> {
  const directory = await nearestExisting(toolsDirectory());
  const { bavail, bsize } = await statfs(directory);
  const free = bavail * bsize;
  const mustBuild = (await findTool('kubernetes')) === undefined;
  const needed = mustBuild ? BUILD_NEEDS_BYTES : RUN_NEEDS_BYTES;
  const evidence = `${gigabytes(free)} free at ${directory}; ${gigabytes(needed)} needed${mustBuild ? ' to build Kubernetes' : ''}`;
  if (free >= needed) return { id: 'disk-space', verdict: 'ok', evidence };
  return {
    id: 'disk-space',
    verdict: 'missing',
    evidence,
    fix: 'Free some space, or set XDG_CACHE_HOME and GOCACHE to a larger disk.',
  };
}

async function nearestExisting(path: string): Promise<string> {
  try {
    await statfs(path);
    return path;
  } catch (error) {
    if (systemErrorCode(error) !== 'ENOENT') throw error;
    return nearestExisting(dirname(path));
  }
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GB`;
}
