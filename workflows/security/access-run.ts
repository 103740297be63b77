import {
  condition,
  defineQuery,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { AccessPlan, VerifiedActor } from '../../activities/identity/port.ts';
import type { Notification, NotifyTarget } from '../../activities/notify/port.ts';
import type { Message, UpdateName } from '../../contracts/messages.ts';
import { queryNames } from '../../contracts/messages.ts';
import type {
  ManageAccessInput,
  ManageAccessProgress,
  ManageAccessResult,
} from '../../contracts/security/manage-access.ts';
import { beginStage, endStage } from '../../domain/delivery/release-stage.ts';
import type { StageStatus } from '../../domain/delivery/release-stage.ts';
import { accessQuestion } from '../../domain/security/access-change.ts';
import type { AccessChange } from '../../domain/security/access-change.ts';
import type { SentApproval } from '../../domain/security/approval.ts';
import type { ApprovalHolder } from '../runtime/approval-messages.ts';
import { renderAccessDetails } from '../runtime/details-markdown.ts';
import { createOperatorDesk } from '../runtime/operator-desk.ts';
import type { OperatorDesk } from '../runtime/operator-desk.ts';
import type { Ports } from '../runtime/ports.ts';
import { createSearchView } from '../runtime/progress.ts';
import type { Found } from '../runtime/progress.ts';
import { knownWithinMs } from '../runtime/timeouts.ts';

/** What exists of a run from its first moment; `state` is the answer of the query `progress`. */
export interface OpenAccessRun extends ApprovalHolder {
  readonly state: ManageAccessProgress;
  readonly desk: OperatorDesk;
  readonly evidence: ManageAccessResult['evidence'];
  readonly timeline: { atMs: number; what: string }[];
  /** Set once the input is valid; messages wait for it. */
  ports?: Ports;
  change?: AccessChange;
  plan?: AccessPlan;
  /** Who gives up the change, and why; roles that were given for a time end now. */
  stopped?: string;
  /** Set while somebody may stop it: before it is written, and while what was given lasts. */
  isStoppable: boolean;
  /** The approvals of its plan: writes show them. */
  approvals?: readonly SentApproval[];
  /** What was written so far, in words. */
  given: string[];
  removed: string[];
  /** Why everything is put back. */
  failure?: NonNullable<ManageAccessResult['failure']>;
  review?: NonNullable<ManageAccessResult['review']>;
  show(found?: Found): void;
  note(what: string): void;
}

/** A run whose input is valid. */
export interface AccessRun extends OpenAccessRun {
  readonly input: ManageAccessInput;
  /** The input as it was sent, which is what the proof of who asked is about. */
  readonly request: unknown;
  readonly change: AccessChange;
  readonly ports: Ports;
}

export const accessUseCase = 'manageAccess';
const longestTimeline = 200;

/** Opens the run and answers its queries; call it before the first wait. */
export const openAccessRun = (): OpenAccessRun => {
  const found = createSearchView();
  const run: OpenAccessRun = {
    state: {
      ...{ schemaVersion: 1, change: '', status: 'running' },
      ...{ stages: [], before: [], after: [], targets: [] },
    },
    desk: createOperatorDesk(),
    evidence: { identities: [] },
    timeline: [],
    isStoppable: true,
    given: [],
    removed: [],
    show(attributes = {}) {
      found({ ...attributes, needsOperator: run.state.status === 'needs-operator' });
      setCurrentDetails(renderAccessDetails(run.state, workflowInfo().workflowId));
    },
    note(what) {
      if (run.timeline.length < longestTimeline) run.timeline.push({ atMs: Date.now(), what });
    },
  };
  answerQueries(run);
  return run;
};

const answerQueries = (run: OpenAccessRun): void => {
  setHandler(defineQuery<ManageAccessProgress>(queryNames.progress), () => run.state, {
    description: 'Where the change of access is and what it waits for.',
  });
  setHandler(defineQuery<AccessPlan | null>(queryNames.plan), () => run.plan ?? null, {
    description: 'Who will have what, with the digest that approvals are bound to.',
  });
  setHandler(defineQuery<OpenAccessRun['timeline']>(queryNames.timeline), () => run.timeline, {
    description: 'What happened, and when.',
  });
  setHandler(defineQuery<OpenAccessRun['evidence']>(queryNames.evidence), () => run.evidence, {
    description: 'Who asked and who decided.',
  });
};

export const begin = (run: OpenAccessRun, stage: string, found?: string): void => {
  run.state.stages = beginStage(run.state.stages, stage, Date.now());
  run.note(`${stage} began`);
  run.show(found === undefined ? {} : { stage: found });
};

export const end = (
  run: OpenAccessRun,
  stage: string,
  { status = 'done', note }: { status?: StageStatus; note: string },
): void => {
  const ended = endStage(run.state.stages, stage, { status, note, nowMs: Date.now() });
  run.state.stages = ended;
  run.note(`${stage}: ${status}, ${note}`);
  run.show();
};

/** Checks who sends a message and may; one that comes before the input is known waits. */
export const verifyActor = async (
  run: OpenAccessRun,
  verb: UpdateName,
  message: Message,
): Promise<VerifiedActor> => {
  await condition(() => run.ports !== undefined);
  const { ports, change } = run as AccessRun;
  const { actor, proof } = message;
  const { workflowId, runId } = workflowInfo();
  return ports.identity.verify(
    {
      ...{ actor, action: `${accessUseCase}.${verb}`, workflowId, runId },
      ...{ content: message, askedAtMs: Date.now(), about: accessQuestion(change) },
      ...('planDigest' in message ? { planDigest: String(message.planDigest) } : {}),
      ...(proof === undefined ? {} : { proof }),
    },
    { summary: `who sends ${verb}?`, scheduleToCloseMs: knownWithinMs },
  );
};

/** Checks who asks for the change, and whether they may. */
export const verifyRequester = async ({
  ports,
  input,
  request,
  change,
}: AccessRun): Promise<VerifiedActor> => {
  const { actor, proof } = input.requestedBy;
  const { workflowId, startTime } = workflowInfo();
  return ports.identity.verify(
    {
      ...{ actor, action: `${accessUseCase}.start`, workflowId, content: request },
      // A proof need not outlast the time in which no worker was there.
      ...{ askedAtMs: startTime.getTime(), about: accessQuestion(change) },
      ...(proof === undefined ? {} : { proof }),
    },
    { summary: 'who asks for the change?', scheduleToCloseMs: knownWithinMs },
  );
};

/** Tells all targets at once; one that does not take it never fails the run. */
export const announce = async (
  run: AccessRun,
  event: Notification['event'],
  text: string,
): Promise<void> => {
  const { workflowId, runId, firstExecutionRunId } = workflowInfo();
  const send = async (target: NotifyTarget): Promise<void> => {
    const id = `${firstExecutionRunId}:${event}:${String(Date.now())}`;
    const notification = { id, event, text, change: run.change.change, workflowId, runId };
    try {
      await run.ports.notifications.send({ target, notification }, { summary: `notify: ${event}` });
    } catch {
      run.note(`notification ${event} was not delivered`);
    }
  };
  await Promise.all(run.input.notify.map(send));
};
