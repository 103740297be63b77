/** How many of the trials were events, such as failed requests. */
export interface Proportion {
  events: number;
  trials: number;
}

/** One-sided mid-p values: an outcome at least as extreme, of which the outcome itself counts half. */
export interface MidP {
  /** Small where the experiment has more events than chance allows. */
  above: number;
  /** Small where it has fewer. */
  below: number;
}

/** Relative to the most probable outcome; no level that a test asks for lies as far out. */
const negligible = 1e-60;

interface Table {
  control: Proportion;
  experiment: Proportion;
}

/**
 * Probability, relative to that of `from`, of each further count of events in the experiment,
 * all events being given, in one direction until it is negligible.
 */
const weightsFrom = function* (
  { control, experiment }: Table,
  from: number,
  step: 1 | -1,
): Generator<{ events: number; weight: number }> {
  const total = control.events + experiment.events;
  const spare = control.trials - total;
  let weight = 1;
  for (let events = from; weight > negligible; events += step) {
    yield { events, weight };
    const lower = step === 1 ? events : events - 1;
    const up =
      ((total - lower) * (experiment.trials - lower)) / ((lower + 1) * (spare + lower + 1));
    weight *= step === 1 ? up : 1 / up;
  }
};

/**
 * Fisher's exact test with mid-p. The events of both sides together are held fixed; how many
 * of them fall to the experiment is then hypergeometric, whatever the common rate is. The sum
 * starts at the most probable count, so that nothing overflows and no factorial is needed.
 */
export const fisherMidP = (table: Table): MidP => {
  const { control, experiment } = table;
  const total = control.events + experiment.events;
  const mode = Math.floor(
    ((total + 1) * (experiment.trials + 1)) / (control.trials + experiment.trials + 2),
  );
  const sums = { above: 0, same: 0, below: 0 };
  const add = ({ events, weight }: { events: number; weight: number }): void => {
    if (events > experiment.events) sums.above += weight;
    else if (events < experiment.events) sums.below += weight;
    else sums.same += weight;
  };
  for (const outcome of weightsFrom(table, mode, 1)) add(outcome);
  for (const outcome of weightsFrom(table, mode, -1)) if (outcome.events !== mode) add(outcome);
  const all = sums.above + sums.same + sums.below;
  return { above: (sums.above + sums.same / 2) / all, below: (sums.below + sums.same / 2) / all };
};
