import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import {
  alertProblems,
  digestOfGroup,
  maxRuleFileBytes,
  probeLabel,
  readRuleFile,
  ruleFileOf,
  whyNotLoaded,
} from '../../domain/delivery/alert-rules.ts';
import type {
  AlertProblem,
  LoadedGroup,
  ReleaseAlerts,
  RuleFile,
} from '../../domain/delivery/alert-rules.ts';
import { filledIn } from '../../domain/delivery/metric-query.ts';
import { codedErrorOf, codedFailure } from '../coded-failure.ts';
import type { AlertRules, AlertsState, AlertsStep } from './port.ts';
import { accessOf, type AccessDeps, type PrometheusAccess } from './prometheus-access.ts';
import { callPrometheus } from './prometheus-exchange.ts';
import { isFiring, loadedGroups, refuseUnlessReloadable, reload } from './prometheus-rules.ts';
import { openRuleFile, refuseUnusable, type RuleFileStore } from './rule-file-store.ts';

const timeoutMs = 10_000;
const lookEveryMs = 250;

const hash = (text: string): string => createHash('sha256').update(text).digest('hex');

interface Site {
  source: { access: PrometheusAccess; timeoutMs: number };
  file: RuleFileStore;
}

interface Owner {
  environment: string;
  service: string;
}

/** Rule files in a directory that a Prometheus reads, and that Prometheus. */
export const createPrometheusAlertRules = (deps: AccessDeps): AlertRules => {
  const open = (owner: Owner): Promise<Site> => openSite(owner, deps);
  return {
    async check({ adopt, ...wanted }) {
      const { source, file } = await open(wanted);
      await refuseUnlessReloadable(source);
      const edited = whyNotOurs(file, wanted, adopt);
      const known = alertProblems(wanted, hash);
      if (edited !== undefined) known.push({ field: 'alerts', reason: edited });
      return known.length > 0 ? known : refusedQueries(source.access, wanted);
    },

    async capture({ adopt, ...owner }) {
      const { file } = await open(owner);
      const reason = whyNotOurs(file, owner, adopt);
      if (reason !== undefined) throw foreign(file, reason);
      return { text: file.read() };
    },

    async write(step) {
      const { source, file } = await open(step);
      const texts = textsOf(step);
      const expected = Object.values(texts);
      const { epoch, state } = step;
      if (!(await file.replace({ text: texts[state], expected, epoch }))) {
        throw foreign(file, 'was changed by someone else since the release began');
      }
      await reload(source);
    },

    async awaitLoaded(request) {
      return proveLoaded(await open(request), request);
    },

    async putBack(step) {
      const { source, file } = await open(step);
      const live = file.read();
      const { before, epoch } = step;
      const isBack = await file.replace({
        text: before,
        expected: Object.values(textsOf(step)),
        epoch,
      });
      // Also where the file is as before: an attempt may have died before Prometheus read it.
      await reload(source);
      const changed = live === before ? 'nothing-to-undo' : 'reverted';
      return { outcome: isBack ? changed : 'foreign-change-preserved', file: file.path };
    },
  };
};

const openSite = async ({ environment, service }: Owner, deps: AccessDeps): Promise<Site> => {
  const access = await accessOf(environment, deps);
  const { rulesDirectory: directory } = access;
  if (directory === undefined) {
    const subject = `environments.${environment}.metrics.prometheus.rulesDirectory`;
    throw codedFailure({
      code: 'CONFIGURATION_INVALID',
      message: `Environment ${environment} has no directory for alerts; nothing was changed.`,
      next: `Set ${subject} in environments.yaml and restart the worker.`,
      subject,
    });
  }
  await refuseUnusable(directory, environment);
  const source = { access, timeoutMs };
  return { source, file: openRuleFile({ directory, environment, service }) };
};

/** The three contents that the file may have while a release is at work. */
const textsOf = (step: AlertsStep): Record<AlertsState, string | null> => ({
  probed: ruleFileOf(step, { probe: true, hash })?.text ?? null,
  wanted: ruleFileOf(step, { probe: false, hash })?.text ?? null,
  before: step.before,
});

const fileIn = (state: AlertsState, step: AlertsStep): RuleFile | undefined => {
  if (state !== 'before') return ruleFileOf(step, { probe: state === 'probed', hash });
  return step.before === null ? undefined : readRuleFile(step.before, step, hash);
};

/** A file that is not as a release left it would be overwritten; undefined where it is, or absent. */
const whyNotOurs = (file: RuleFileStore, owner: Owner, adopt: boolean): string | undefined => {
  const text = file.read();
  if (text === null || readRuleFile(text, owner, hash) !== undefined) return undefined;
  // It could not be kept to go back to.
  if (Buffer.byteLength(text) > maxRuleFileBytes) return `${file.path} is too large to be ours`;
  if (adopt) return undefined;
  return `${file.path} was changed by someone else; move that to a file of its own, or release with --adopt`;
};

const foreign = (file: RuleFileStore, reason: string): Error =>
  codedFailure({
    code: 'FOREIGN_CHANGE',
    message: `The alerts were left as they are: ${reason}.`,
    next: 'Settle who owns the rule file, then deploy again.',
    subject: file.path,
  });

const proveLoaded = async (
  { source }: Site,
  { state, deadlineMs, ...step }: Parameters<AlertRules['awaitLoaded']>[0],
): Promise<{ group: string | null }> => {
  const file = fileIn(state, step);
  const why = await whyNotWithin(deadlineMs, () => whyNotYet(source, step, { state, file }));
  if (why === undefined) return { group: file?.group ?? null };
  throw codedFailure({
    code: 'ALERTS_UNPROVEN',
    message: `After ${String(deadlineMs / 1_000)} s ${source.access.subject} does not show the alerts of ${step.service}: ${why}.`,
    subject: source.access.subject,
  });
};

/** Each expression is asked once: what cannot be evaluated now would never fire. */
const refusedQueries = async (
  access: PrometheusAccess,
  { service, environment, release, alerts }: ReleaseAlerts,
): Promise<AlertProblem[]> => {
  const problems: AlertProblem[] = [];
  for (const [index, { expr }] of alerts.entries()) {
    const query = filledIn(expr, { service, environment, release });
    const reason = await whyRefused(access, query);
    if (reason !== undefined) problems.push({ field: `alerts[${String(index)}].expr`, reason });
  }
  return problems;
};

const whyRefused = async (access: PrometheusAccess, query: string): Promise<string | undefined> => {
  try {
    const { data } = await callPrometheus(access, {
      path: '/api/v1/query',
      parameters: { query, timeout: `${String(timeoutMs)}ms` },
      timeoutMs,
    });
    const { resultType } = data;
    const isRule = resultType === 'vector' || resultType === 'scalar';
    return isRule ? undefined : `gives a ${resultType}, not series at one time`;
  } catch (error) {
    const known = codedErrorOf(error);
    const isQuerys = known?.code.startsWith('METRICS_QUERY_') === true;
    if (known === undefined || !isQuerys) throw error;
    return known.message;
  }
};

const whyNotYet = async (
  source: Site['source'],
  step: AlertsStep,
  { state, file }: { state: AlertsState; file: RuleFile | undefined },
): Promise<string | undefined> => {
  // The rules of before may be ill for reasons of their own; the way back does not wait for them.
  const healthy = state !== 'before';
  const groups = await loadedGroups(source);
  const isAdopted = state === 'before' && step.before !== null && file === undefined;
  // What someone else wrote is theirs to prove; here it counts that ours is gone.
  if (isAdopted) return whyStillLoaded(groups, step);
  const why = whyNotLoaded(groups, file, { owner: step, healthy });
  if (why !== undefined || state !== 'probed' || file === undefined) return why;
  const label = { name: probeLabel, value: digestOfGroup(file.group) };
  return (await isFiring(source, label)) ? undefined : 'the alert that proves does not fire';
};

const whyStillLoaded = (groups: readonly LoadedGroup[], step: AlertsStep): string | undefined => {
  const ours = ruleFileOf(step, { probe: false, hash })?.group;
  const isLoaded = groups.some(({ name }) => name === ours);
  return isLoaded ? `group ${String(ours)} is still loaded` : undefined;
};

/** Looks until there is nothing to say any more; what was said last once the time is over. */
const whyNotWithin = async (
  deadlineMs: number,
  look: () => Promise<string | undefined>,
): Promise<string | undefined> => {
  const endsAtMs = Date.now() + deadlineMs;
  const context = contextOrNone();
  for (;;) {
    const why = await look();
    if (why === undefined || Date.now() >= endsAtMs) return why;
    context?.heartbeat(why);
    await (context === undefined ? delay(lookEveryMs) : context.sleep(lookEveryMs));
  }
};

/** Outside of an activity, in a test of its own, there is nobody to heartbeat to. */
const contextOrNone = (): Context | undefined => {
  try {
    return Context.current();
  } catch {
    return undefined;
  }
};
