import { z } from 'zod';
import type { LoadedGroup } from '../../domain/delivery/alert-rules.ts';
import { codedFailure } from '../coded-failure.ts';
import type { PrometheusAccess } from './prometheus-access.ts';
import { parseJson, requestPrometheus, shorten } from './prometheus-exchange.ts';

const Groups = z.object({
  data: z.object({
    groups: z.array(
      z.object({
        name: z.string(),
        rules: z.array(
          z.object({ name: z.string(), health: z.string(), lastError: z.string().optional() }),
        ),
      }),
    ),
  }),
});

const Alerts = z.object({
  data: z.object({
    alerts: z.array(z.object({ labels: z.record(z.string(), z.string()), state: z.string() })),
  }),
});

const Flags = z.object({ data: z.record(z.string(), z.string()) });

const Runtime = z.object({ data: z.object({ reloadConfigSuccess: z.boolean() }) });

interface Source {
  access: PrometheusAccess;
  timeoutMs: number;
}

/** Rule groups as Prometheus has loaded them. */
export const loadedGroups = async (source: Source): Promise<LoadedGroup[]> => {
  const { groups } = (await get(source, '/api/v1/rules?type=alert', Groups)).data;
  return groups.map(({ name, rules }) => ({
    name,
    rules: rules.map(({ lastError, ...rule }) => ({
      ...rule,
      ...(lastError === undefined || lastError === '' ? {} : { lastError: shorten(lastError) }),
    })),
  }));
};

/** Does an alert with this label fire? */
export const isFiring = async (
  source: Source,
  label: { name: string; value: string },
): Promise<boolean> => {
  const { alerts } = (await get(source, '/api/v1/alerts', Alerts)).data;
  return alerts.some(
    ({ labels, state }) => state === 'firing' && labels[label.name] === label.value,
  );
};

/**
 * @throws CONFIGURATION_INVALID where Prometheus was started without its lifecycle API, or could
 * not load its files the last time: then it would not load ours either
 */
export const refuseUnlessReloadable = async (source: Source): Promise<void> => {
  const flags = (await get(source, '/api/v1/status/flags', Flags)).data;
  if (flags['web.enable-lifecycle'] !== 'true') throw noLifecycle(source);
  const { reloadConfigSuccess } = (await get(source, '/api/v1/status/runtimeinfo', Runtime)).data;
  if (reloadConfigSuccess) return;
  const { subject } = source.access;
  throw codedFailure({
    code: 'CONFIGURATION_INVALID',
    message: `${subject} could not load its own files the last time; nothing was changed.`,
    next: 'Read the log of that Prometheus, which names the file, and have it reload once it is repaired.',
    subject,
  });
};

/** Has Prometheus read its files again; it answers when it has, or keeps what it had. */
export const reload = async (source: Source): Promise<void> => {
  const { access, timeoutMs } = source;
  const answer = await requestPrometheus(access, { method: 'POST', path: '/-/reload', timeoutMs });
  if (answer.status === 200) return;
  if (answer.status === 403) throw noLifecycle(source);
  throw codedFailure({
    code: 'ALERTS_REFUSED',
    message: `${access.subject} does not load its rule files (${shorten(answer.body)}); it goes on with those that it had.`,
    subject: access.subject,
  });
};

const noLifecycle = ({ access: { subject } }: Source): Error =>
  codedFailure({
    code: 'CONFIGURATION_INVALID',
    message: `${subject} cannot be told to read its rules again.`,
    next: 'Start that Prometheus with --web.enable-lifecycle.',
    subject,
  });

const get = async <T>(
  { access, timeoutMs }: Source,
  path: string,
  shape: z.ZodType<T>,
): Promise<T> => {
  const { status, body } = await requestPrometheus(access, { method: 'GET', path, timeoutMs });
  const answer = shape.safeParse(parseJson(body));
  if (status === 200 && answer.success) return answer.data;
  throw codedFailure({
    code: 'METRICS_UNAVAILABLE',
    message: `${access.subject} does not answer ${path} as Prometheus does (HTTP ${String(status)}: ${shorten(body)}).`,
    subject: access.subject,
  });
};
