/** What a running sandbox says about itself, also in `sandbox.json` of its state directory. */
import { readFileIfPresent, writeFileAtomically } from './state/atomic-file.ts';
import type { StatePaths } from './state/directory.ts';

/** 1: a real control plane with nodes that run no containers. 2: real pods and real HTTP traffic. */
export type SandboxLevel = 1 | 2;

export interface Sandbox {
  readonly stateDirectory: string;
  readonly level: SandboxLevel;
  /** Why it is not level 2, where `auto` was asked for. */
  readonly levelReason?: string;
  readonly temporal: {
    /** host:port */
    readonly address: string;
    readonly namespace: string;
    readonly uiUrl: string;
  };
  readonly kubernetes: {
    readonly kubeconfigPath: string;
    readonly context: string;
    readonly auditLogPath: string;
    /** uid of the namespace kube-system. */
    readonly clusterUid: string;
  };
  /** Absent where DATABASE_URL named another one when the sandbox came up. */
  readonly postgres?: {
    /** host:port */
    readonly address: string;
    /** A file with the URL of the database, password included, that only its owner can read. */
    readonly urlPath: string;
  };
  /** Where HTTP traffic enters; on level 2 only. */
  readonly gateway?: { readonly url: string };
}

export async function writeDescription(paths: StatePaths, sandbox: Sandbox): Promise<void> {
  await writeFileAtomically(paths.description, `${JSON.stringify(sandbox, null, 2)}\n`);
}

export async function readDescription(paths: StatePaths): Promise<Sandbox | undefined> {
  const text = await readFileIfPresent(paths.description);
  return text === undefined ? undefined : (JSON.parse(text) as Sandbox);
}
