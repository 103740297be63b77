/** Decides between nodes without containers and real pods; asks before the machine is changed. */
import type { HostChange, NodeLayer } from './node-layer.ts';
import type { SandboxLevel } from './sandbox-description.ts';
import { SandboxError } from './sandbox-error.ts';

/** Shows the changes and answers whether the user agrees to all of them. */
export type ConfirmHostChanges = (changes: readonly HostChange[]) => Promise<boolean>;

export interface LevelChoice {
  readonly level: SandboxLevel;
  readonly levelReason?: string;
}

export async function chooseLevel(options: {
  readonly asked: SandboxLevel | 'auto';
  readonly stateDirectory: string;
  readonly nodeLayer: NodeLayer;
  readonly confirm: ConfirmHostChanges;
}): Promise<LevelChoice> {
  const { asked, stateDirectory, nodeLayer, confirm } = options;
  if (asked === 1) return { level: 1 };
  const obstacle = await nodeLayer.explainUnavailable(stateDirectory);
  if (obstacle !== undefined) {
    if (asked === 'auto') return { level: 1, levelReason: obstacle };
    throw new SandboxError({
      code: 'SANDBOX_LEVEL_UNAVAILABLE',
      message: `Level 2 (real pods) cannot run on this machine: ${obstacle} Nothing was started.`,
      next: 'Run `holdfast sandbox up --level 1`, or name an existing cluster with --context.',
    });
  }
  const changes = await nodeLayer.listHostChanges(stateDirectory);
  if (changes.length === 0 || (await confirm(changes))) return { level: 2 };
  if (asked === 'auto') {
    return {
      level: 1,
      levelReason:
        'the changes that real pods need were not agreed to; --yes or HOLDFAST_YES=1 agrees',
    };
  }
  throw new SandboxError({
    code: 'SANDBOX_CHANGES_REFUSED',
    message: 'The changes that level 2 needs were not agreed to. Nothing was changed or started.',
    next: 'Run the command again and agree (or pass --yes, or set HOLDFAST_YES=1), or use --level 1.',
  });
}
