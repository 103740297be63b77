import { sandboxUp, type HostChange, type Sandbox } from '../../sandbox/index.ts';
import { hostChangesAgreed } from './config.ts';
import { confirm } from './confirm.ts';
import { createStepProgress } from './step-progress.ts';
import { say, type Terminal } from './terminal.ts';

export interface BringUpFlags {
  /** `1`, `2`, or the best that this machine can. */
  level?: string;
  /** Agree to changes of the host. */
  yes?: boolean;
}

/** Brings the sandbox up, tells what takes how long, and asks before the host is changed. */
export const bringUp = async (terminal: Terminal, flags: BringUpFlags): Promise<Sandbox> => {
  const progress = createStepProgress(terminal);
  try {
    return await sandboxUp({
      level: flags.level === '1' ? 1 : flags.level === '2' ? 2 : 'auto',
      confirm: async (changes) =>
        agree(terminal, changes, flags.yes === true || hostChangesAgreed()),
      onProgress: progress.report,
      prepareDatabase: migrateStore,
    });
  } finally {
    progress.finish();
  }
};

/** The database of the sandbox is ours alone, so that nobody has to be asked. */
const migrateStore = async (url: string): Promise<void> => {
  const { migrate, openStore } = await import('../../activities/store/postgres/index.ts');
  await using store = openStore(url);
  await migrate(store);
};

const agree = async (
  terminal: Terminal,
  changes: readonly HostChange[],
  yes: boolean,
): Promise<boolean> => {
  say(terminal, 'Real pods need these changes of this machine:', 'strong');
  for (const { change, reason, undo } of changes) {
    say(terminal, `  ${change}`);
    say(terminal, `    why: ${reason}`, 'faint');
    say(terminal, `    undone: ${undo}`, 'faint');
  }
  if (yes) return true;
  return confirm(terminal, 'Make them?');
};

/** Where everything of a sandbox is, line by line. */
export const sandboxAddresses = (sandbox: Sandbox): [string, string][] => {
  const { temporal, kubernetes, postgres, gateway, level, levelReason } = sandbox;
  const levelText = level === 1 ? '1, pods carry no traffic' : '2, real pods and traffic';
  return [
    ['level', levelReason === undefined ? levelText : `${levelText}: ${levelReason}`],
    ['Temporal UI', temporal.uiUrl],
    ['Temporal', `${temporal.address}, namespace ${temporal.namespace}`],
    ['kubeconfig', `${kubernetes.kubeconfigPath}, context ${kubernetes.context}`],
    ...optionalRow('gateway', gateway?.url),
    ...optionalRow('PostgreSQL', postgres && `${postgres.address}, URL in ${postgres.urlPath}`),
    ['state', sandbox.stateDirectory],
  ];
};

const optionalRow = (name: string, value: string | undefined): [string, string][] =>
  value === undefined ? [] : [[name, value]];
