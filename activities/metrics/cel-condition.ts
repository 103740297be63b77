import { Environment, type ASTNode, type ParseResult } from '@marcbachmann/cel-js';

/** What a condition says of some numbers, or why it cannot say. */
export type ConditionAnswer = { holds: boolean } | { problem: string };

export interface Condition {
  /** It speaks of the one `result`, and has nothing to say of several numbers. */
  readonly needsOneResult: boolean;
  /** `numbers` are finite and not none. */
  of(numbers: readonly number[]): ConditionAnswer;
}

const maxChars = 500;
/** Terms of one condition; together with `maxNumbers` of the query this bounds its evaluation. */
const maxTerms = 150;

/**
 * Everything else of the standard library is left out: `matches` runs a pattern of the author's
 * for as long as it likes, `cel.bind` makes values that double with each use.
 */
const loops: readonly string[] = ['all', 'exists', 'exists_one', 'filter', 'map'];
const functions: readonly string[] = ['size', 'double', 'int', ...loops];

const language = new Environment({
  limits: { maxAstNodes: maxTerms, maxDepth: 30, maxListElements: 50, maxCallArguments: 3 },
})
  .registerVariable('result', 'double')
  .registerVariable('results', 'list<double>');

/** Why a condition cannot be used, in words for its author; undefined where it can. */
export const conditionProblem = (text: string): string | undefined => {
  const outcome = compileCondition(text);
  return 'problem' in outcome ? outcome.problem : undefined;
};

/**
 * Compiles a condition in CEL. It is type-checked, must be a boolean and must speak of what was
 * measured: `result`, the one number that the query gives, or `results`, all of them.
 */
export const compileCondition = (text: string): Condition | { problem: string } => {
  if (text.length > maxChars) {
    return {
      problem: `must have at most ${String(maxChars)} characters, has ${String(text.length)}`,
    };
  }
  const parsed = parse(text);
  if ('problem' in parsed) return parsed;
  const terms = termsOf(parsed.ast);
  const problem = notAvailable(terms) ?? notTyped(parsed) ?? notOfMeasured(terms);
  if (problem !== undefined) return { problem };
  return { needsOneResult: speaksOf(terms, 'result'), of: (numbers) => evaluate(parsed, numbers) };
};

const parse = (text: string): ParseResult | { problem: string } => {
  try {
    return language.parse(text);
  } catch (error) {
    return { problem: explain(error) };
  }
};

const evaluate = (parsed: ParseResult, numbers: readonly number[]): ConditionAnswer => {
  try {
    const holds: unknown = parsed({ result: numbers[0], results: [...numbers] });
    return typeof holds === 'boolean' ? { holds } : { problem: 'gave no true or false' };
  } catch (error) {
    return { problem: explain(error) };
  }
};

interface Term {
  readonly node: ASTNode;
  /** How many loops go over this term. */
  readonly loopDepth: number;
}

const termsOf = (node: ASTNode, loopDepth = 0): Term[] => {
  const loops = node.op === 'rcall' && isLoop(node.args[0]) ? 1 : 0;
  // The first operand of a loop is what it goes over; only the others are repeated.
  const [subject, ...repeated] = operandsOf(node);
  const below = [
    ...(subject === undefined ? [] : termsOf(subject, loopDepth)),
    ...repeated.flatMap((operand) => termsOf(operand, loopDepth + loops)),
  ];
  return [{ node, loopDepth }, ...below];
};

/** Operands are nested in lists, and between names and literals. */
const operandsOf = (node: ASTNode): ASTNode[] => {
  const { args } = node as { args: unknown };
  return (Array.isArray(args) ? args : [args]).flat(2).filter(isNode);
};

const isNode = (value: unknown): value is ASTNode =>
  typeof value === 'object' && value !== null && 'op' in value && 'args' in value;

const isLoop = (name: string): boolean => loops.includes(name);

const notAvailable = (terms: readonly Term[]): string | undefined => {
  for (const { node, loopDepth } of terms) {
    if (node.op === 'map') return 'maps are not available in conditions';
    if (node.op !== 'call' && node.op !== 'rcall') continue;
    const [name] = node.args;
    if (!functions.includes(name)) {
      return `${name}() is not available in conditions; there are ${functions.join(', ')}`;
    }
    if (isLoop(name) && loopDepth > 0) return `${name}() must not stand inside another loop`;
  }
  return undefined;
};

const notTyped = (parsed: ParseResult): string | undefined => {
  const { valid, type, error } = parsed.check();
  if (!valid) return explain(error);
  return type === 'bool' ? undefined : `must be true or false, is of type ${String(type)}`;
};

const notOfMeasured = (terms: readonly Term[]): string | undefined =>
  speaksOf(terms, 'result') || speaksOf(terms, 'results')
    ? undefined
    : 'must speak of result or results, else it decides the same whatever is measured';

const speaksOf = (terms: readonly Term[], name: string): boolean =>
  terms.some(({ node }) => node.op === 'id' && node.args === name);

/** By shape: in a test runner the evaluator's errors may be of another realm's class. */
const explain = (error: unknown): string => {
  const { code, summary, message, range } = Object(error) as {
    code?: string;
    summary?: string;
    message?: string;
    range?: { start: number };
  };
  const at = range === undefined ? '' : ` (at character ${String(range.start + 1)})`;
  const hint = code === undefined ? undefined : hints[code];
  return `${summary ?? message ?? String(error)}${at}${hint === undefined ? '' : `; ${hint}`}`;
};

const hints: Readonly<Record<string, string>> = {
  unknown_variable: 'a condition speaks of result, a number, and results, a list of numbers',
  no_such_overload: 'what is measured is a double: beside ==, !=, +, -, * and / write 1.0, not 1',
};
