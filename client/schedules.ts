import {
  ScheduleAlreadyRunning,
  ScheduleNotFoundError,
  type CalendarSpec,
  type ScheduleDescription,
  type ScheduleOptions,
  type ScheduleOptionsStartWorkflowAction,
} from '@temporalio/client';
import type { Workflow } from '@temporalio/common';
import {
  manageAccess as contract,
  ManageAccessInput,
} from '../contracts/security/manage-access.ts';
import { accessQuestion, changeOf } from '../domain/security/access-change.ts';
import { taskQueueOf } from '../domain/shared/task-queue.ts';
import { toOpsError } from './error-translation.ts';
import { parseInput } from './input-validation.ts';
import type { FacadeContext } from './use-case.ts';

/** How often everybody's roles are certified; always on the first of a month. */
export type CertificationInterval = 'month' | 'quarter';

/** The schedule by which certifications start, as the server has it now. */
export interface CertificationSchedule {
  scheduleId: string;
  every: CertificationInterval;
  /** When the next one starts; `null` where the server has not computed it yet. */
  nextAt: string | null;
  /** False where it was there already, and the same. */
  changed: boolean;
}

/** `ops.security.certification`: the one schedule that starts certifications of all roles. */
export interface Certification {
  /**
   * Starts one on the first of each month or quarter, at 08:00 UTC, unless the one before is still
   * open. The runs are `access:certify-<time of the start>`; nobody signs them, and they change nothing.
   *
   * @throws PERMISSION_DENIED and IDENTITY_UNPROVEN where access is configured, TEMPORAL_UNREACHABLE
   */
  every(interval: CertificationInterval): Promise<CertificationSchedule>;
  /** Starts no more; false if there was no schedule. What has been started goes on. */
  stop(): Promise<boolean>;
}

const scheduleId = 'certify-access';
const change = 'certify';

const firstOfMonth: CalendarSpec = { hour: 8, dayOfMonth: 1 };
const calendars: Record<CertificationInterval, CalendarSpec> = {
  month: { ...firstOfMonth, comment: 'every month' },
  quarter: {
    ...firstOfMonth,
    month: ['JANUARY', 'APRIL', 'JULY', 'OCTOBER'],
    comment: 'every quarter',
  },
};

// A server that was away on the first of the month makes up for it within this time, and only then.
const catchupWindowMs = 7 * 86_400_000;

/** @internal */
export const createCertification = (context: FacadeContext): Certification => {
  const { schedule: schedules } = context.client;
  return {
    every: async (interval) => {
      const options = optionsOf(context, interval);
      await permit(context, options.action.args[0]);
      try {
        const changed = await createOrUpdate(context, options, interval);
        const { info } = await schedules.getHandle(scheduleId).describe();
        const nextAt = info.nextActionTimes[0]?.toISOString() ?? null;
        return { scheduleId, every: interval, nextAt, changed };
      } catch (error) {
        throw toOpsError(error);
      }
    },
    stop: async () => {
      await permit(context, inputBy(context.caller.actor, 'month'));
      try {
        await schedules.getHandle(scheduleId).delete();
        return true;
      } catch (error) {
        if (error instanceof ScheduleNotFoundError) return false;
        throw toOpsError(error);
      }
    },
  };
};

type Start = ScheduleOptionsStartWorkflowAction<Workflow> & { args: [ManageAccessInput] };
type Options = ScheduleOptions & { action: Start };

const optionsOf = (
  { queuePrefix, caller }: FacadeContext,
  interval: CertificationInterval,
): Options => {
  const input = inputBy(caller.actor, interval);
  return {
    scheduleId,
    spec: { calendars: [calendars[interval]] },
    policies: { overlap: 'SKIP', catchupWindow: catchupWindowMs },
    action: {
      type: 'startWorkflow',
      workflowType: contract.workflow,
      // The server puts the time of the start behind it, so that each run has an id of its own:
      // `access:certify-2026-12-01T08:00:00Z`.
      workflowId: contract.workflowId(input),
      taskQueue: taskQueueOf(queuePrefix, contract.pool),
      args: [input],
      staticSummary: `certification of all roles, ${String(calendars[interval].comment)}`,
    },
  };
};

const inputBy = (actor: string, interval: CertificationInterval): ManageAccessInput =>
  parseInput(ManageAccessInput, {
    change,
    certify: true,
    requestedBy: {
      actor,
      reason: `Certification ${String(calendars[interval].comment)}, by the schedule ${scheduleId}`,
    },
  });

/** Only this side can ask: a schedule belongs to the server, which knows nothing of policies. */
const permit = async ({ caller }: FacadeContext, input: ManageAccessInput): Promise<void> =>
  caller.permit(caller.actor, {
    action: `${contract.workflow}.start`,
    ...accessQuestion(changeOf(input)),
  });

/** False where it was there already, and the same. */
const createOrUpdate = async (
  { client }: FacadeContext,
  options: Options,
  interval: CertificationInterval,
): Promise<boolean> => {
  try {
    await client.schedule.create(options);
    return true;
  } catch (error) {
    if (!(error instanceof ScheduleAlreadyRunning)) throw error;
  }
  const handle = client.schedule.getHandle(scheduleId);
  if (isSame(await handle.describe(), options, interval)) return false;
  const { scheduleId: _, ...changes } = options;
  await handle.update(({ state }) => ({ ...changes, state }));
  return true;
};

/** Whoever set it up first stays the one who asks. */
const isSame = (
  { spec, action }: ScheduleDescription,
  options: Options,
  interval: CertificationInterval,
): boolean =>
  spec.calendars?.length === 1 &&
  spec.calendars[0]?.comment === calendars[interval].comment &&
  action.taskQueue === options.action.taskQueue &&
  action.workflowType === options.action.workflowType;
