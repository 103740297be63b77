import { z } from 'zod';
import { Duration } from '../shared/duration.ts';

/** The name of the alert by which a release proves that its alerts fire. */
const probeName = 'HoldfastProbe';

const name = /^[A-Za-z_][A-Za-z0-9_]{0,99}$/;

const AlertName = z
  .string()
  .regex(name, 'must consist of letters, digits and underscores')
  .regex(new RegExp(`^(?!${probeName}$)`), `${probeName} is the name of the alert that proves`)
  .describe('Name of the alert, e.g. `ShopErrors`; unique in the list.');

/** Nothing that a rule file could not hold, or that would garble a terminal. */
const OneLine = z
  .string()
  .regex(/^[^\p{Cc}\p{Cs}\p{Zl}\p{Zp}]*$/u, 'must be one line without control characters');

const Text = OneLine.max(1_000);

const mostLabels = 20;

const Labels = z
  .record(
    z
      .string()
      .regex(name, 'must consist of letters, digits and underscores')
      .regex(/^(?!__|alertname$)/, 'is taken by Prometheus'),
    Text,
  )
  .refine(
    (labels) => Object.keys(labels).length <= mostLabels,
    `takes at most ${String(mostLabels)}`,
  )
  .meta({ maxProperties: mostLabels });

const shared = {
  name: AlertName,
  expr: OneLine.min(1)
    .max(2_000)
    .describe(
      'PromQL that gives a series for each thing that is wrong. `$service`, `$environment` and `$release` are filled in, also in labels and annotations.',
    ),
};

const hasNoTwins = (alerts: readonly { name: string }[]): boolean =>
  new Set(alerts.map((alert) => alert.name)).size === alerts.length;

const noTwins = 'two alerts have the same name';

/** Alerts on a version, from the moment at which it counts as good. */
export const AlertsInput = z
  .array(
    z.strictObject({
      ...shared,
      forMs: z
        .number()
        .int()
        .min(0)
        .max(7 * 86_400_000)
        .default(0)
        .describe('How long the expression must hold before the alert fires.'),
      labels: Labels.default({}).describe(
        'Beside `service`, `environment` and `release`, which every alert carries.',
      ),
      annotations: Labels.default({}).describe('Text for people; Prometheus fills in `{{ … }}`.'),
    }),
  )
  .max(20)
  .refine(hasNoTwins, noTwins)
  .describe(
    'Alerts that Prometheus gets with the new version, proven to be loaded and to fire. An empty list takes those of the version before away; without it they stay.',
  );

export type AlertsInput = z.output<typeof AlertsInput>;

/** The same as people write it in `holdfast.yaml`. */
export const AlertsFile = z
  .array(
    z
      .strictObject({
        ...shared,
        for: Duration.optional(),
        labels: Labels.default({}),
        annotations: Labels.default({}),
      })
      .transform(({ for: forMs = 0, ...alert }) => ({ ...alert, forMs })),
  )
  .max(20)
  .refine(hasNoTwins, noTwins)
  .describe('Alerts that Prometheus gets with the new version.');
