import { messageLimits } from '../../contracts/messages.ts';
import type { UpdateName } from '../../contracts/messages.ts';

const digestPattern = /^sha256:[0-9a-f]{64}$/;

interface FieldRule {
  name: string;
  maxChars: number;
  required: boolean;
}

const fields: readonly FieldRule[] = [
  { name: 'actor', maxChars: messageLimits.actorChars, required: true },
  { name: 'reason', maxChars: messageLimits.reasonChars, required: true },
  { name: 'proof', maxChars: messageLimits.proofChars, required: false },
];

/** A field that only some messages have. */
interface ExtraField {
  name: string;
  problemOf(value: unknown): string | undefined;
}

const planDigest: ExtraField = {
  name: 'planDigest',
  problemOf: (value) =>
    typeof value === 'string' && digestPattern.test(value)
      ? undefined
      : '`planDigest` must be sha256: and 64 hexadecimal digits',
};

const weightPercent: ExtraField = {
  name: 'weightPercent',
  problemOf: (value) =>
    Number.isInteger(value) && Number(value) >= 0 && Number(value) <= 100
      ? undefined
      : '`weightPercent` must be a whole number from 0 to 100',
};

const extraFields: Partial<Record<UpdateName, ExtraField>> = {
  approve: planDigest,
  reject: planDigest,
  setWeight: weightPercent,
};

/**
 * What is wrong with the shape of a message, naming the field. Messages can be sent
 * from the Temporal UI, past every schema; zod does not run inside a workflow.
 */
export const messageProblem = (message: unknown, update?: UpdateName): string | undefined => {
  if (!isPlainObject(message)) return 'the message must be an object with `actor` and `reason`';
  const values = new Map<string, unknown>(Object.entries(message));
  const extra = update === undefined ? undefined : extraFields[update];
  const allowed = [...fields, ...(extra === undefined ? [] : [extra])].map(({ name }) => name);
  const unknownField = [...values.keys()].find((name) => !allowed.includes(name));
  if (unknownField !== undefined) return `\`${unknownField}\` is not a field of this message`;
  for (const rule of fields) {
    const problem = fieldProblem(rule, values.get(rule.name));
    if (problem !== undefined) return problem;
  }
  return extra?.problemOf(values.get(extra.name));
};

const isPlainObject = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const fieldProblem = (rule: FieldRule, value: unknown): string | undefined => {
  if (value === undefined && !rule.required) return undefined;
  if (typeof value !== 'string' || value.length === 0) {
    return `\`${rule.name}\` must be a text that is not empty`;
  }
  return value.length > rule.maxChars
    ? `\`${rule.name}\` has ${value.length} characters; ${rule.maxChars} are allowed`
    : undefined;
};
