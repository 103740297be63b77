import type { z } from 'zod';
import type { SearchAttributeKey } from '../search-attributes.ts';
import type { UpdateName } from '../messages.ts';

/** Pools of workers; each has a task queue of its own. */
export type Pool = 'orchestration' | 'kubernetes' | 'traffic' | 'notify';

/**
 * One use case as data. The facade method, CLI verb, JSON Schema, reference page
 * and completeness test are all driven by this row.
 */
export interface Contract<
  Input extends z.ZodType = z.ZodType,
  Result extends z.ZodType = z.ZodType,
> {
  /** Catalogue id, e.g. `DEL-04`. */
  readonly id: string;
  /** Document and use case in the requirements, e.g. `003-1`. */
  readonly requirement: string;
  readonly domain: string;
  /** Workflow type; the file is its kebab-case form. */
  readonly workflow: string;
  readonly pool: Pool;
  /** One sentence for a reader. */
  readonly summary: string;
  readonly workflowId: (input: z.output<Input>) => string;
  readonly searchAttributes: readonly SearchAttributeKey[];
  readonly input: Input;
  readonly result: Result;
  readonly messages: readonly UpdateName[];
  /**
   * The action of policies that its start and its steering messages are in, instead of those of their
   * names: a policy that was written about releases must not let somebody do this. Decisions, which are
   * `approve` and `reject`, are in those of their names always.
   */
  readonly steering?: string;
  /** Where its verbs of the command line are, if not at the top: `holdfast <command> approve`. */
  readonly command?: string;
  /** An input that parses; shown on the reference page. */
  readonly example: z.input<Input>;
}

export const defineContract = <Input extends z.ZodType, Result extends z.ZodType>(
  contract: Contract<Input, Result>,
): Contract<Input, Result> => Object.freeze(contract);
