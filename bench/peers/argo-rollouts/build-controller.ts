import { access, mkdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { reportStep, type OnProgress } from '../../../sandbox/progress.ts';
import { buildGo, goBuildKey } from '../../../sandbox/tools/build-go.ts';
import type { GoBuildSource } from '../../../sandbox/tools/catalogue.ts';
import { locateTool, toolsDirectory } from '../../../sandbox/tools/locate.ts';

const title = 'Argo Rollouts v1.10.1';

const source: GoBuildSource = {
  kind: 'go-build',
  directory: '../bench/peers/argo-rollouts/go',
  package: 'github.com/argoproj/argo-rollouts/cmd/rollouts-controller',
  stamps: ['github.com/argoproj/argo-rollouts/utils/version.version=v1.10.1'],
  takes: 'about 4 minutes the first time on two cores, with a download of about 300 MB',
};

/** The peer's controller, built from its Go module and kept beside the tools of the sandbox. */
export const buildController = async (onProgress: OnProgress): Promise<string> => {
  const directory = path.join(toolsDirectory(), `argo-rollouts-${await goBuildKey(source)}`);
  const binary = path.join(directory, 'rollouts-controller');
  const isBuilt = await access(binary).then(
    () => true,
    () => false,
  );
  if (isBuilt) return binary;
  const message = `building ${title} from source: ${source.takes}`;
  await reportStep({ name: 'peer', message, onProgress }, async (reporter) => {
    const go = await locateTool('go', { onProgress });
    await mkdir(directory, { recursive: true });
    // Half a file is never taken for the program.
    const unfinished = `${binary}.unfinished-${String(process.pid)}`;
    const build = { tool: { title }, source, goBinary: go.path, outputPath: unfinished, reporter };
    await buildGo(build);
    await rename(unfinished, binary);
  });
  return binary;
};
