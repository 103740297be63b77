/** Copies a folder out of a Go module after comparing the module's checksum with the pinned one. */
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { SandboxError } from '../sandbox-error.ts';
import type { GoModuleSource, Tool } from './catalogue.ts';
import { runCommand } from './run-command.ts';

export interface GoModuleFetch {
  readonly tool: Tool;
  readonly source: GoModuleSource;
  readonly goBinary: string;
  /** The folder's files are copied to `files` below. */
  readonly directory: string;
}

export async function fetchGoModule(fetch: GoModuleFetch): Promise<void> {
  const { source, tool } = fetch;
  const result = await runCommand({
    command: fetch.goBinary,
    args: ['mod', 'download', '-json', `${source.module}@${source.moduleVersion}`],
    workingDirectory: fetch.directory,
    environment: { GOTOOLCHAIN: 'local', GOFLAGS: '', GOWORK: 'off' },
  });
  const answer = result.exitCode === 0 ? parseDownload(result.stdout) : undefined;
  if (answer?.Dir === undefined || answer.Sum !== source.sum) {
    const reason =
      answer === undefined ? result.tail : `its checksum is ${answer.Sum}, not ${source.sum}`;
    throw new SandboxError({
      code: 'SANDBOX_TOOL_INSTALL_FAILED',
      message: `${tool.title} could not be taken from ${source.module}@${source.moduleVersion}: ${reason}`,
      next: `Check that the Go module proxy is reachable, or set ${tool.environmentVariable} to a folder with the definitions of ${tool.version}.`,
    });
  }
  await cp(join(answer.Dir, source.folder), join(fetch.directory, 'files'), { recursive: true });
}

function parseDownload(output: string): { readonly Dir?: string; readonly Sum?: string } {
  return JSON.parse(output) as { readonly Dir?: string; readonly Sum?: string };
}
