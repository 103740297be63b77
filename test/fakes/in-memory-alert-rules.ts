import type { AlertRules, AlertsState, AlertsStep } from '../../activities/metrics/port.ts';
import type { EnvironmentsFile } from '../../contracts/shared/environments-file.ts';
import { alertProblems, readRuleFile, ruleFileOf } from '../../domain/delivery/alert-rules.ts';
import type { ReleaseAlerts } from '../../domain/delivery/alert-rules.ts';
import { failure, sha256 as hash } from './in-memory-failure.ts';

export interface AlertRulesKnobs {
  /** Rule files by `environment/service`; a test may change them as someone else would. */
  files: Map<string, string>;
  /** What was written, in order: `probed`, `wanted` or `back`, each with its epoch. */
  writes: string[];
}

/** Rules that nobody evaluates; passes the same conformance suite as a Prometheus. */
export const createInMemoryAlertRules = ({
  environments,
}: EnvironmentsFile): { alertRules: AlertRules; knobs: AlertRulesKnobs } => {
  const files = new Map<string, string>();
  const loaded = new Map<string, string>();
  const fences = new Map<string, number>();
  const writes: string[] = [];

  const open = ({ environment, service }: Owner): { key: string; live: string | null } => {
    const rules = environments[environment]?.metrics?.prometheus.rulesDirectory;
    if (rules === undefined) {
      throw failure('CONFIGURATION_INVALID', 'no rules directory', environment);
    }
    const key = `${environment}/${service}`;
    return { key, live: files.get(key) ?? null };
  };
  const replace = (step: AlertsStep, text: string | null): boolean => {
    const { key, live } = open(step);
    if (step.epoch < (fences.get(key) ?? 0)) throw failure('FENCED', 'an older epoch', key);
    if (live !== text && !Object.values(textsOf(step)).includes(live)) return false;
    fences.set(key, step.epoch);
    put(files, key, text);
    return true;
  };
  const reload = ({ key }: { key: string }): void => {
    const text = files.get(key) ?? null;
    if (text !== null && !isBalanced(text)) throw failure('ALERTS_REFUSED', 'bad template', key);
    put(loaded, key, text);
  };
  const alertRules: AlertRules = {
    async check({ adopt, ...wanted }) {
      const { live } = open(wanted);
      const edited =
        !adopt && isForeign(live, wanted) ? [{ field: 'alerts', reason: 'edited' }] : [];
      return Promise.resolve([...alertProblems(wanted, hash), ...refused(wanted), ...edited]);
    },
    async capture({ adopt, ...owner }) {
      const { key, live } = open(owner);
      if (!adopt && isForeign(live, owner)) throw failure('FOREIGN_CHANGE', 'edited', key);
      return Promise.resolve({ text: live });
    },
    async write(step) {
      const { key } = open(step);
      if (!replace(step, textsOf(step)[step.state])) throw failure('FOREIGN_CHANGE', 'edited', key);
      writes.push(`${step.state} @${String(step.epoch)}`);
      reload({ key });
      return Promise.resolve();
    },
    async awaitLoaded({ state, ...step }) {
      const { key } = open(step);
      const text = textsOf(step)[state];
      if ((loaded.get(key) ?? null) !== text) {
        throw failure('ALERTS_UNPROVEN', 'the in-memory rules show nothing', key);
      }
      const file = text === null ? undefined : readRuleFile(text, step, hash);
      return Promise.resolve({ group: file?.group ?? null });
    },
    async putBack(step) {
      const { key, live } = open(step);
      const isBack = replace(step, step.before);
      writes.push(`back @${String(step.epoch)}`);
      reload({ key });
      const changed = live === step.before ? 'nothing-to-undo' : 'reverted';
      return Promise.resolve({ outcome: isBack ? changed : 'foreign-change-preserved', file: key });
    },
  };
  return { alertRules, knobs: { files, writes } };
};

interface Owner {
  environment: string;
  service: string;
}

const textsOf = (step: AlertsStep): Record<AlertsState, string | null> => ({
  probed: ruleFileOf(step, { probe: true, hash })?.text ?? null,
  wanted: ruleFileOf(step, { probe: false, hash })?.text ?? null,
  before: step.before,
});

const put = (map: Map<string, string>, key: string, text: string | null): void => {
  if (text === null) map.delete(key);
  else map.set(key, text);
};

const isForeign = (live: string | null, owner: Owner): boolean =>
  live !== null && readRuleFile(live, owner, hash) === undefined;

/** The mistakes that it knows: brackets that do not match, and a range where a number is wanted. */
const refused = ({ alerts }: ReleaseAlerts): { field: string; reason: string }[] =>
  alerts.flatMap(({ expr }, index) => {
    const isGood = isBalanced(expr) && !expr.endsWith(']');
    return isGood ? [] : [{ field: `alerts[${String(index)}].expr`, reason: 'refused' }];
  });

const isBalanced = (text: string): boolean =>
  (text.match(/[({[]/g) ?? []).length === (text.match(/[)}\]]/g) ?? []).length;
