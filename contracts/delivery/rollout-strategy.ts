import { z } from 'zod';
import { Duration, unwatchedReason, WatchDuration } from '../shared/duration.ts';

const weekMs = 7 * 86_400_000;

const RouteName = z
  .string()
  .min(1)
  .max(253)
  .describe('HTTPRoute of the Gateway API whose weights are shifted.');

const WeightPercent = z.number().int().min(1).max(99);

const Rolling = z.strictObject({
  type: z.literal('rolling').describe('Kubernetes itself replaces the pods, a few at a time.'),
});

const Recreate = z.strictObject({
  type: z
    .literal('recreate')
    .describe('The old version is stopped before the new one starts; nobody serves in between.'),
});

const WeightStepInput = z
  .strictObject({
    weightPercent: WeightPercent.describe('Share of the traffic that the new version gets.'),
    forMs: z
      .number()
      .int()
      .min(1, unwatchedReason)
      .max(86_400_000)
      .describe('How long it is watched there.'),
  })
  .describe('A stop on the way to all traffic.');

const ladderProblem = (weights: readonly number[]): boolean =>
  weights.every((weight, index) => index === 0 || weight > (weights[index - 1] ?? 0));

const WeightStepsInput = z
  .array(WeightStepInput)
  .max(20)
  .refine((steps) => ladderProblem(steps.map(({ weightPercent }) => weightPercent)), {
    message: 'the weights must rise from step to step',
  });

const retainMs = z.number().int().min(0).max(weekMs).default(3_600_000);

/** How the new version takes the place of the old one, as the workflow gets it. */
export const RolloutStrategyInput = z
  .discriminatedUnion('type', [
    Rolling,
    Recreate,
    z.strictObject({
      type: z
        .literal('blue-green')
        .describe('The new version comes up beside the old one and takes over at once.'),
      route: RouteName.optional(),
      steps: WeightStepsInput.default([]),
      retainMs: retainMs.describe('How long the old version stays ready to take over again.'),
    }),
    z.strictObject({
      type: z
        .literal('canary')
        .describe('The new version comes up beside the old one and gets more and more traffic.'),
      route: RouteName.optional().describe(
        'HTTPRoute whose weights are shifted; without it the share is made by the numbers of pods.',
      ),
      steps: WeightStepsInput.min(1),
    }),
  ])
  .refine((strategy) => strategy.type !== 'blue-green' || hasRouteForSteps(strategy), {
    message: 'steps need a route: without one the Services are switched at once',
    path: ['route'],
  })
  .default({ type: 'rolling' })
  .describe('How the new version takes the place of the old one.');

const hasRouteForSteps = (strategy: {
  route?: string | undefined;
  steps: readonly unknown[];
}): boolean => strategy.steps.length === 0 || strategy.route !== undefined;

const WeightStepFile = z
  .strictObject({ weight: WeightPercent, for: WatchDuration })
  .transform(({ weight, for: forMs }) => ({ weightPercent: weight, forMs }));

/** The same as people write it in `holdfast.yaml`; becomes the input of the workflow. */
export const RolloutStrategyFile = z
  .discriminatedUnion('type', [
    z.strictObject({ type: z.literal('rolling') }),
    z.strictObject({ type: z.literal('recreate') }),
    z
      .strictObject({
        type: z.literal('blue-green'),
        route: RouteName.optional(),
        steps: z.array(WeightStepFile).max(20).optional(),
        retain: Duration.optional(),
      })
      .transform(({ type, route, steps, retain }) => ({
        type,
        ...(route === undefined ? {} : { route }),
        ...(steps === undefined ? {} : { steps }),
        ...(retain === undefined ? {} : { retainMs: retain }),
      })),
    z.strictObject({
      type: z.literal('canary'),
      route: RouteName.optional(),
      steps: z.array(WeightStepFile).min(1).max(20),
    }),
  ])
  .default({ type: 'rolling' })
  .describe('How the new version takes the place of the old one.');
