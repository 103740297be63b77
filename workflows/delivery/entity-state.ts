import { setCurrentDetails } from '@temporalio/workflow';
import type {
  LockDecision,
  ReleaseRecord,
  ServiceEntityInput,
  ServiceLockState,
  WaitingClaim,
} from '../../contracts/delivery/service-lock.ts';
import { rememberRelease, settleRequest } from '../../domain/delivery/service-lock.ts';
import { portsOf } from '../runtime/ports.ts';
import type { Ports } from '../runtime/ports.ts';
import { createSearchView } from '../runtime/progress.ts';
import { waitsOf } from '../runtime/timeouts.ts';
import type { Waits } from '../runtime/timeouts.ts';

/** A service entity at work. `state` is the answer of its query and what it carries over. */
export interface Entity {
  readonly state: ServiceLockState;
  /** What an operator decided about a dead holder; the main loop carries it out. */
  resolution?: LockDecision;
  /** When the holder is looked after next, and the gap that grows with each look. */
  look: { atMs: number; gapMs: number };
  ports(): Ports;
  waits(): Waits;
  show(): void;
}

export const openEntity = ({ environment, service, carried }: ServiceEntityInput): Entity => {
  const state = carried ?? emptyState(environment, service);
  const found = createSearchView();
  return {
    state,
    look: { atMs: Date.now() + waitsOf(state.timeoutProfile).firstHolderLookMs, gapMs: 0 },
    ports: () => portsOf(state.timeoutProfile),
    waits: () => waitsOf(state.timeoutProfile),
    show() {
      found({ service, environment, needsOperator: state.status === 'needs-operator' });
      setCurrentDetails(renderState(state));
    },
  };
};

const emptyState = (environment: string, service: string): ServiceLockState => ({
  schemaVersion: 1,
  environment,
  service,
  status: 'free',
  epoch: 0,
  queue: [],
  releases: [],
  unwoundReleases: [],
  unsweptReleases: [],
  settledRequestIds: [],
  timeoutProfile: 'standard',
});

/** Frees the lock; `record` is what the holder left, absent where it touched nothing. */
export const freeLock = (entity: Entity, record?: ReleaseRecord): void => {
  const { state } = entity;
  const requestId = state.holder?.requestId;
  if (requestId !== undefined) {
    state.settledRequestIds = settleRequest(state.settledRequestIds, requestId);
  }
  if (record !== undefined) Object.assign(state, rememberRelease(state, record));
  delete state.holder;
  delete state.needsOperator;
  state.status = 'free';
};

const describeClaim = ({ release, queue = 'wait' }: WaitingClaim): string =>
  queue === 'wait' ? release : `${release} (${queue})`;

const renderState = (state: ServiceLockState): string => {
  const { environment, service, status, holder, queue, releases, needsOperator } = state;
  const held = holder === undefined ? '' : ` by ${holder.release} (epoch ${holder.epoch})`;
  return [
    `### lock of ${service} in ${environment}: ${status}${held}`,
    ...(needsOperator === undefined
      ? []
      : [
          '',
          `**${needsOperator.why}** Send the update \`resolveLock\` with`,
          `\`{"action":"${needsOperator.verbs.join('|')}","actor":"you@example.com","reason":"why"}\``,
        ]),
    ...(queue.length === 0 ? [] : ['', `waiting: ${queue.map(describeClaim).join(', ')}`]),
    '',
    '| release | outcome | epoch |',
    '|---|---|---|',
    ...releases.map(({ release, outcome, epoch }) => `| ${release} | ${outcome} | ${epoch} |`),
  ].join('\n');
};
