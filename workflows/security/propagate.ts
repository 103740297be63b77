import { workflowInfo } from '@temporalio/workflow';
import type { AccessWritten } from '../../activities/identity/port.ts';
import type { AccessPhase } from '../../domain/security/access-writes.ts';
import { codedErrorOf } from '../runtime/failures.ts';
import { announce, begin, end } from './access-run.ts';
import type { AccessRun } from './access-run.ts';

/** `over`: taken, or left out by an operator; `aborted`: an operator gives the change up. */
export type Taken = 'over' | 'aborted';

const forward = ['retryStep', 'skip', 'abort'] as const;
/** On the way back there is nothing left to give up. */
const back = ['retryStep', 'skip'] as const;
const again = ['retryStep'] as const;

type Verbs = typeof forward | typeof back | typeof again;

/** Writes a phase of the change and brings it to every target. */
export const writePhase = async (
  run: AccessRun,
  stage: string,
  phase: 'remove' | 'give',
): Promise<Taken> => {
  begin(run, stage, phase);
  run.isStoppable = false;
  const written = await write(run, phase);
  const taken = await propagate(run, stage, forward);
  if (taken === 'over') end(run, stage, { note: noteOf(written) });
  return taken;
};

/** The same on the way back, which never fails: it is tried again for as long as it takes. False: there was nothing to take back. */
export const takeBack = async (
  run: AccessRun,
  stage: string,
  phase: 'end' | 'put back',
): Promise<boolean> => {
  begin(run, stage, 'unwind');
  run.isStoppable = false;
  const written = await writeUntilDone(run, stage, phase);
  if (written.given.length + written.removed.length === 0) {
    end(run, stage, { status: 'skipped', note: 'there is nothing to take back' });
    return false;
  }
  await propagate(run, stage, back);
  end(run, stage, { note: noteOf(written) });
  return true;
};

const writeUntilDone = async (
  run: AccessRun,
  stage: string,
  phase: AccessPhase,
): Promise<AccessWritten> => {
  for (;;) {
    try {
      return await write(run, phase);
    } catch (error) {
      const { code, message } = codedErrorOf(error);
      await askOperator(run, { stage, why: `${code}: ${message}`, verbs: again });
    }
  }
};

const write = async (run: AccessRun, phase: AccessPhase): Promise<AccessWritten> => {
  const written = await writeOnce(run, phase);
  run.given.push(...written.given);
  run.removed.push(...written.removed);
  return written;
};

const writeOnce = async (run: AccessRun, phase: AccessPhase): Promise<AccessWritten> => {
  const { change, planDigest = '' } = run.state;
  const approvals = (run.approvals ?? []).map(({ message, takenAtMs }) => ({ message, takenAtMs }));
  const startedAtMs = workflowInfo().startTime.getTime();
  const warrant = { request: run.request, startedAtMs, approvals };
  return run.ports.accessChanges.write(
    { phase, change, planDigest, warrant },
    { summary: `${phase}: roles` },
  );
};

const noteOf = ({ given, removed }: AccessWritten): string =>
  [...removed.map((text) => `−${text}`), ...given.map((text) => `+${text}`)].join('; ') ||
  'it was so already';

const propagate = async (run: AccessRun, stage: string, verbs: Verbs): Promise<Taken> => {
  let open = run.plan?.targets ?? [];
  for (;;) {
    await Promise.all(open.map(async (target) => reconcile(run, target)));
    open = run.state.targets.filter(({ state }) => state === 'failed').map(({ target }) => target);
    if (open.length === 0) return 'over';
    const failed = run.state.targets.filter(({ state }) => state === 'failed');
    const why = failed.map(({ target, note: said }) => `${target}: ${said}`).join('; ');
    const verb = await askOperator(run, { stage, why, verbs });
    if (verb === 'skip') return 'over';
    if (verb === 'abort') return 'aborted';
  }
};

const reconcile = async (run: AccessRun, target: string): Promise<void> => {
  note(run, target, { state: 'pending', note: 'asked' });
  try {
    const { given, removed } = await run.ports.accessTargets.reconcile(
      { target },
      { summary: `bring roles to ${target}` },
    );
    const changes = [...removed.map((each) => `−${each}`), ...given.map((each) => `+${each}`)];
    const text = changes.join('; ') || 'nothing to change';
    note(run, target, { state: 'taken', note: `read back: ${text}` });
  } catch (error) {
    const { code, message } = codedErrorOf(error);
    note(run, target, { state: 'failed', note: `${code}: ${message}` });
  }
};

type Target = AccessRun['state']['targets'][number];

const note = (run: AccessRun, target: string, seen: Omit<Target, 'target'>): void => {
  const entry = { target, ...seen };
  const isKnown = run.state.targets.some((each) => each.target === target);
  run.state.targets = isKnown
    ? run.state.targets.map((each) => (each.target === target ? entry : each))
    : [...run.state.targets, entry];
};

const askOperator = async (
  run: AccessRun,
  { stage, why, verbs }: { stage: string; why: string; verbs: Verbs },
): Promise<string> => {
  run.state.status = 'needs-operator';
  run.state.waitingFor = { what: `an operator: ${stage} is not done, ${why}`, verbs: [...verbs] };
  run.show();
  void announce(run, 'needs-operator', `${run.change.change}: ${stage} is not done, ${why}`);
  const { verb } = await run.desk.ask({ what: stage, verbs });
  delete run.state.waitingFor;
  run.state.status = 'running';
  run.show();
  return verb;
};
