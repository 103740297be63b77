/** The platforms that pinned executables exist for. */
import { SandboxError } from '../sandbox-error.ts';

export type Platform = 'linux-x64' | 'linux-arm64' | 'darwin-arm64';

const PLATFORMS: readonly string[] = ['linux-x64', 'linux-arm64', 'darwin-arm64'];

export function currentPlatform(): Platform {
  const name = `${process.platform}-${process.arch}`;
  if (isPlatform(name)) return name;
  throw new SandboxError({
    code: 'SANDBOX_TOOL_MISSING',
    message: `There are no pinned tools for ${name}; there are for ${PLATFORMS.join(', ')}.`,
    next: 'Use an existing cluster and Temporal server, or run on one of these platforms.',
  });
}

function isPlatform(name: string): name is Platform {
  return PLATFORMS.includes(name);
}
