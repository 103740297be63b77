import { condition, defineQuery, setHandler, workflowInfo } from '@temporalio/workflow';
import type { CancellationScope } from '@temporalio/workflow';
import type { VerifiedActor } from '../../activities/identity/port.ts';
import type { ReleasePlan } from '../../activities/kubernetes/port.ts';
import type { VersionCounts } from '../../activities/traffic/port.ts';
import type {
  DeployServiceInput,
  DeployServiceProgress,
} from '../../contracts/delivery/deploy-service.ts';
import type { LockGrant, LockRefusal } from '../../contracts/delivery/service-lock.ts';
import type { Message, UpdateName } from '../../contracts/messages.ts';
import { queryNames } from '../../contracts/messages.ts';
import type { Drained } from '../../domain/delivery/drain.ts';
import { firstStages } from '../../domain/delivery/release-stage.ts';
import type { ReplicaShare } from '../../domain/delivery/replica-share.ts';
import { approvalsAskedFor } from '../../domain/security/approval.ts';
import type { OpenApproval, SentApproval } from '../../domain/security/approval.ts';
import type { Warrant } from '../../domain/security/warrant.ts';
import type { IdentityEvidence } from '../runtime/messages.ts';
import { createOperatorDesk } from '../runtime/operator-desk.ts';
import type { OperatorDesk } from '../runtime/operator-desk.ts';
import type { Ports } from '../runtime/ports.ts';
import type { Rollout } from '../runtime/progressive-shift.ts';
import { createSearchView, showDetails } from '../runtime/progress.ts';
import type { Found } from '../runtime/progress.ts';
import { createRunControl } from '../runtime/run-control.ts';
import type { RunControl } from '../runtime/run-control.ts';
import type { Saga } from '../runtime/saga.ts';
import { knownWithinMs } from '../runtime/timeouts.ts';
import type { Waits } from '../runtime/timeouts.ts';

/** One line of what happened, for the query `timeline`. */
interface Moment {
  atMs: number;
  what: string;
}

/** A gate that is being measured, and whether an operator skipped it. */
export interface OpenGate {
  scope: CancellationScope;
  skippedBy?: string;
}

/**
 * What exists of a run from its first moment, before the input is known: messages and
 * queries may arrive at once. `state` is the answer of the query `progress`.
 */
export interface OpenRun {
  readonly state: DeployServiceProgress;
  readonly control: RunControl;
  readonly desk: OperatorDesk;
  readonly evidence: Evidence;
  readonly timeline: Moment[];
  /** What the lock said; filled by signals. */
  readonly lock: { grant?: LockGrant; refusal?: LockRefusal; wantedBy?: string };
  /** Set once the input is valid; messages wait for it. */
  ports?: Ports;
  plan?: ReleasePlan;
  /** Set while traffic is shared between the new version and the stable one. */
  rollout?: Rollout;
  /** What the candidate answers in the version header. */
  candidateVersion?: string;
  /** Share of the traffic that was measured last. */
  measuredPercent?: number;
  /** Pods that the candidate of a canary was given last. */
  scaledTo?: number;
  /** Where the numbers of pods make the share: what they are. */
  podShare?: ReplicaShare;
  gate?: OpenGate;
  /** Jobs that were run as checks so far: each run has a name of its own. */
  jobsRun?: number;
  /** Set where the release has a budget, from the first step that gives the version traffic. */
  exposure?: Exposure;
  approval?: OpenApproval;
  /** Digest of the plan that was approved, so that a repeated approval is recognised. */
  approvedDigest?: string;
  /** The approvals of that plan: its writes show them. */
  approvals?: readonly SentApproval[];
  /** Shows the state in the Temporal UI; call it at stage changes only. */
  show(found?: Found): void;
  note(what: string): void;
}

/** What met the new version since it got its first traffic. */
export interface Exposure {
  /** Absent until the version has traffic. */
  openedAtMs?: number;
  /** The version is verified, or the release goes back: nothing is held against the budget. */
  isOver: boolean;
  /** Cancels the watch of the counts. */
  scope: CancellationScope;
  /** What the prober counted; absent while it counted nothing. */
  probed?: { samples: number; failures: number };
  /** Why the prober cannot count here. */
  notMeasured?: string;
  /** What queries gave last, by name. */
  read: Map<string, { value: number; atMs: number }>;
  /** An operator wants to see what cannot be read tried for its whole time again. */
  retriedAtMs?: number;
  /** Why the budget has no say any more. */
  skippedBy?: string;
}

export interface Evidence {
  preImageDigest?: string;
  logsDigest?: string;
  identities: IdentityEvidence[];
  /** What was counted under traffic, for the report; thinned out where there is much. */
  samples?: TrafficSample[];
  /** Where the numbers of pods make the share: each share that was given. */
  shares?: GivenShare[];
  /** What checks other than requests to the service said. */
  checks?: { gate: string; check: string; answer: string; outputDigest?: string }[];
  /** How connections ended before pods went. */
  drains?: Drained[];
}

interface GivenShare {
  atMs: number;
  weightPercent: number;
  achievedPercent: number;
  candidatePods: number;
  stablePods: number;
  measuredPercent?: number;
}

export interface TrafficSample {
  atMs: number;
  /** The gate that was measured. */
  gate: string;
  /** Share of the new version at that time; absent where traffic is not shared. */
  weightPercent?: number;
  versions: VersionCounts[];
}

/** A run whose input is valid. */
export interface ReleaseRun extends OpenRun {
  /** The input as it was sent, which is what the proof of who asked is about. */
  readonly request: unknown;
  readonly input: DeployServiceInput;
  readonly ports: Ports;
  readonly waits: Waits;
  readonly timeoutProfile: 'standard' | 'test';
  readonly saga: Saga;
}

const longestTimeline = 200;

/** Opens the run and answers its queries; call it before the first wait. */
export const openRun = (firstHold: string): OpenRun => {
  const found = createSearchView();
  const run: OpenRun = {
    state: firstState(),
    control: createRunControl(firstHold),
    desk: createOperatorDesk(),
    evidence: { identities: [] },
    timeline: [],
    lock: {},
    show(attributes = {}) {
      found({ ...attributes, needsOperator: run.state.status === 'needs-operator' });
      showDetails(run.state);
    },
    note(what) {
      if (run.timeline.length < longestTimeline) run.timeline.push({ atMs: Date.now(), what });
    },
  };
  answerQueries(run);
  return run;
};

const firstState = (): DeployServiceProgress => ({
  schemaVersion: 1,
  service: '',
  environment: '',
  release: '',
  status: 'running',
  stages: firstStages(),
  compensations: [],
  gates: [],
});

const answerQueries = (run: OpenRun): void => {
  setHandler(defineQuery<DeployServiceProgress>(queryNames.progress), () => run.state, {
    description: 'Where the release is and what it waits for.',
  });
  setHandler(defineQuery<ReleasePlan | null>(queryNames.plan), () => run.plan ?? null, {
    description: 'The plan with its digest, which approvals are bound to.',
  });
  setHandler(defineQuery<Moment[]>(queryNames.timeline), () => run.timeline, {
    description: 'What happened when.',
  });
  setHandler(defineQuery<Evidence>(queryNames.evidence), () => run.evidence, {
    description: 'Who asked and decided, and digests of what was kept.',
  });
};

/** The use case whose verbs a release and its restore take. */
export const releaseUseCase = 'deployService';

/** Checks who sends a message and may; a message that comes before the input is known waits. */
export const verifyActor = async (
  run: OpenRun,
  verb: UpdateName,
  message: Message,
): Promise<VerifiedActor> => {
  await condition(() => run.ports !== undefined);
  const { ports, input } = run as ReleaseRun;
  const { environment, service } = run.state;
  const { actor, proof } = message;
  const { workflowId, runId } = workflowInfo();
  // A restore has no one who asked for a release.
  const requester = (input as Partial<DeployServiceInput>).requestedBy;
  return ports.identity.verify(
    {
      ...{ actor, action: `${releaseUseCase}.${verb}`, workflowId, runId },
      ...{ content: message, askedAtMs: Date.now() },
      about: {
        ...{ environment, service },
        ...(requester === undefined ? {} : { requestedBy: requester.actor }),
      },
      ...('planDigest' in message ? { planDigest: String(message.planDigest) } : {}),
      ...(proof === undefined ? {} : { proof }),
    },
    { summary: `who sends ${verb}?`, scheduleToCloseMs: knownWithinMs },
  );
};

/** Checks who asks for the release, and whether they may. */
export const verifyRequester = async ({
  ports,
  input,
  request,
}: ReleaseRun): Promise<VerifiedActor> => {
  const { environment, service, approvals, queue, requestedBy } = input;
  const { actor, proof } = requestedBy;
  const { workflowId, startTime } = workflowInfo();
  return ports.identity.verify(
    {
      ...{ actor, action: `${releaseUseCase}.start`, workflowId, content: request },
      // A proof need not outlast the time in which no worker was there.
      askedAtMs: startTime.getTime(),
      about: {
        ...{ environment, service, requestedBy: actor },
        ...{ approvals: approvalsAskedFor(approvals), isHotfix: queue === 'hotfix' },
      },
      approvals,
      ...(proof === undefined ? {} : { proof }),
    },
    { summary: 'who sends deploy?', scheduleToCloseMs: knownWithinMs },
  );
};

/** What the run shows with each write. */
export const warrantOf = ({ request, approvals }: ReleaseRun): Warrant => ({
  request,
  startedAtMs: workflowInfo().startTime.getTime(),
  approvals: (approvals ?? []).map(({ message, takenAtMs }) => ({ message, takenAtMs })),
});

/** The same for every attempt of a claim, and another one for a later run of the same name. */
export const requestIdOfRun = (): string => {
  const { workflowId, firstExecutionRunId } = workflowInfo();
  return `${workflowId}/${firstExecutionRunId}`;
};
