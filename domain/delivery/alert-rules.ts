import { isRecord, listAt, stringAt } from './canonical-json.ts';
import { filledIn, unknownNames } from './metric-query.ts';

/** An alert as a release asks for it. */
export interface Alert {
  name: string;
  expr: string;
  forMs: number;
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

/** The alerts of one version of a service. */
export interface ReleaseAlerts {
  environment: string;
  service: string;
  release: string;
  alerts: readonly Alert[];
}

/** The same with what is needed to go back. */
export interface RecordedAlerts extends ReleaseAlerts {
  /** Content of the rule file before the release; null where there was none. */
  before: string | null;
}

/** A rule as Prometheus reads it. */
interface Rule {
  alert: string;
  expr: string;
  for?: string;
  labels: Record<string, string>;
  annotations?: Record<string, string>;
}

/** A rule file and what Prometheus must show once it has read it. */
export interface RuleFile {
  text: string;
  /** Carries the digest of the rules, so that what is loaded names its content. */
  group: string;
  /** Names of the alerts in the order of the file. */
  names: string[];
}

/** Hex of SHA-256; the caller's, because this folder computes nothing that is not its own. */
type Hash = (text: string) => string;

/** Much more than 20 alerts of ordinary length; it also travels in histories. */
export const maxRuleFileBytes = 16_000;

export const probeAlert = 'HoldfastProbe';
export const probeLabel = 'holdfast_probe';

const digestChars = 12;

/** No part of a name has a dot, so that no two services share a file. */
export const ruleFileName = ({ environment, service }: Owner): string =>
  `holdfast.${environment}.${service}.yaml`;

interface Owner {
  environment: string;
  service: string;
}

/** What the groups of a service begin with, whatever they hold. */
export const groupPrefix = ({ environment, service }: Owner): string =>
  `holdfast/${environment}/${service}@`;

const ruleOf = (alert: Alert, { service, environment, release }: ReleaseAlerts): Rule => {
  const names = { service, environment, release };
  const filled = (texts: Record<string, string>): Record<string, string> =>
    Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, filledIn(text, names)]));
  return {
    alert: alert.name,
    expr: filledIn(alert.expr, names),
    ...(alert.forMs === 0 ? {} : { for: `${alert.forMs}ms` }),
    labels: { ...filled(alert.labels), ...names },
    ...(Object.keys(alert.annotations).length === 0
      ? {}
      : { annotations: filled(alert.annotations) }),
  };
};

/**
 * Always true, in the same group: it fires exactly if Prometheus read the file and evaluates the
 * group. That another alert would fire when it should is up to its expression.
 */
const probeOf = ({ service, environment, release }: ReleaseAlerts, digest: string): Rule => ({
  alert: probeAlert,
  expr: 'vector(1)',
  labels: { [probeLabel]: digest, severity: 'none', service, environment, release },
  annotations: { summary: `${service} ${release} proves that its alerts fire; nothing is wrong.` },
});

const fileOf = (group: string, rules: readonly Rule[]): RuleFile => ({
  // JSON is YAML; a digest over it needs no agreement about how YAML is written.
  text: `# Written by holdfast with each release; what someone else changes here is kept and flagged.\n${JSON.stringify({ groups: [{ name: group, rules }] }, null, 2)}\n`,
  group,
  names: rules.map(({ alert }) => alert),
});

const digestOf = (rules: unknown, hash: Hash): string =>
  hash(JSON.stringify(rules)).slice(0, digestChars);

/**
 * The rule file for the alerts; undefined where there shall be none. `probe` adds the alert that
 * proves: the group keeps its name, so that the alerts keep their state when it is taken out.
 */
export const ruleFileOf = (
  wanted: ReleaseAlerts,
  { probe, hash }: { probe: boolean; hash: Hash },
): RuleFile | undefined => {
  if (wanted.alerts.length === 0) return undefined;
  const rules = wanted.alerts.map((alert) => ruleOf(alert, wanted));
  const digest = digestOf(rules, hash);
  const group = `${groupPrefix(wanted)}${digest}`;
  return fileOf(group, probe ? [...rules, probeOf(wanted, digest)] : rules);
};

/** The digest at the end of a group's name. */
export const digestOfGroup = (group: string): string => group.slice(group.lastIndexOf('@') + 1);

/** Reads a rule file that is exactly as a release wrote it; undefined where someone changed it. */
export const readRuleFile = (text: string, owner: Owner, hash: Hash): RuleFile | undefined => {
  const [, ...lines] = text.split('\n');
  const [group] = listAt(parsed(lines.join('\n')), 'groups');
  const rules = listAt(group, 'rules').filter(isRule);
  const own = rules.filter(({ alert }) => alert !== probeAlert);
  const name = `${groupPrefix(owner)}${digestOf(own, hash)}`;
  const file = fileOf(name, rules);
  return file.text === text ? file : undefined;
};

const isRule = (value: unknown): value is Rule =>
  isRecord(value) && stringAt(value, 'alert') !== undefined;

const parsed = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** What is wrong with alerts that can be said without asking Prometheus, by field. */
export const alertProblems = (wanted: ReleaseAlerts, hash: Hash): AlertProblem[] => {
  const { service, environment, release } = wanted;
  const unknown = wanted.alerts.flatMap(({ expr }, index) =>
    unknownNames(expr, { service, environment, release }).map((name) => ({
      field: `alerts[${index}].expr`,
      reason: `nobody fills in $${name}`,
    })),
  );
  const bytes = utf8Bytes(ruleFileOf(wanted, { probe: true, hash })?.text ?? '');
  const reason = `make a rule file of ${bytes} bytes, more than ${maxRuleFileBytes}`;
  return bytes > maxRuleFileBytes ? [...unknown, { field: 'alerts', reason }] : unknown;
};

export interface AlertProblem {
  field: string;
  reason: string;
}

const utf8Bytes = (text: string): number => encodeURIComponent(text).replace(/%../g, '.').length;

/** What Prometheus shows of one rule group. */
export interface LoadedGroup {
  name: string;
  rules: { name: string; health: string; lastError?: string }[];
}

/**
 * Why what is loaded is not yet what the file says; undefined if it is. `healthy` wants each rule
 * to have been evaluated without an error too.
 */
export const whyNotLoaded = (
  groups: readonly LoadedGroup[],
  file: RuleFile | undefined,
  { owner, healthy }: { owner: Owner; healthy: boolean },
): string | undefined => {
  const own = groups.filter(({ name }) => name.startsWith(groupPrefix(owner)));
  const other = own.find(({ name }) => name !== file?.group);
  if (other !== undefined) return `group ${other.name} is still loaded`;
  if (file === undefined) return undefined;
  const [group] = own;
  if (group === undefined) return `group ${file.group} is not loaded`;
  const names = group.rules.map(({ name }) => name);
  if (names.join() !== file.names.join())
    return `group ${file.group} has the rules ${names.join(', ')}`;
  const ill = group.rules.find(({ health }) => health !== 'ok');
  if (!healthy || ill === undefined) return undefined;
  const why = ill.lastError === undefined ? 'was not evaluated yet' : `fails: ${ill.lastError}`;
  return `alert ${ill.name} ${why}`;
};
