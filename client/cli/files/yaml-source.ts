import path from 'node:path';
import {
  isMap,
  LineCounter,
  parseAllDocuments,
  type Document,
  type ParsedNode,
  type Tags,
  type YAMLMap,
} from 'yaml';
import type { z } from 'zod';
import type { ErrorCode } from '../../../contracts/errors.ts';
import { inputProblems } from '../../../contracts/shared/input-problems.ts';
import { OpsError } from '../../ops-error.ts';

/** Text of a file that a person wrote, with the name that errors use for it. */
export interface YamlText {
  /** Path as the person gave it; `<stdin>` for standard input. */
  name: string;
  text: string;
}

/** One document of a file, able to say where in the file each of its fields is. */
export interface YamlDocument {
  value: unknown;
  /** `file:line:column` of a field; of the nearest parent that is there if the field is not. */
  locate: (field: readonly PropertyKey[]) => string;
}

type Dialect = 'yaml-1.2' | 'kubernetes';

// kubectl reads YAML 1.1, in which `defaultMode: 0644` is octal, but without base-60 numbers and
// without dates: `22:22` and `2026-01-01` stay text (sigs.k8s.io/yaml).
const kubernetesTags = (tags: Tags): Tags =>
  tags.filter(
    (tag) =>
      typeof tag === 'string' ||
      !(('format' in tag && tag.format === 'TIME') || tag.tag.endsWith(':timestamp')),
  );

const dialects = {
  'yaml-1.2': { version: '1.2' },
  kubernetes: { version: '1.1', customTags: kubernetesTags },
} as const;

/**
 * Parses all documents of a file; empty ones are left out.
 *
 * @throws the given code, naming file, line and column of every mistake
 */
export const parseYaml = (
  source: YamlText,
  { dialect, code }: { dialect: Dialect; code: ErrorCode },
): YamlDocument[] => {
  const lines = new LineCounter();
  const parsed = parseAllDocuments(source.text, {
    ...dialects[dialect],
    lineCounter: lines,
    prettyErrors: false,
  });
  const documents: Document.Parsed[] = 'empty' in parsed ? [] : parsed;
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${source.name}:${String(Math.max(line, 1))}:${String(Math.max(col, 1))}`;
  };
  const mistakes = documents.flatMap((document) =>
    [...document.errors, ...document.warnings].map(
      (error) => `${at(error.pos[0])} ${error.message}`,
    ),
  );
  if (mistakes.length > 0) throw invalidFile({ code, mistakes, subject: source.name });
  return (
    documents
      .map((document) => located(document, { at, code, name: source.name }))
      // A document of comments only, as templates that render to nothing leave behind.
      .filter(({ value }) => value !== null && value !== undefined)
  );
};

const located = (
  document: Document.Parsed,
  { at, code, name }: { at: (offset: number) => string; code: ErrorCode; name: string },
): YamlDocument => {
  const locate = (field: readonly PropertyKey[]): string => at(offsetOf(document, field));
  try {
    return { value: document.toJS() as unknown, locate };
  } catch (cause) {
    // An alias without an anchor, or aliases that multiply beyond the parser's limit.
    const mistakes = [`${locate([])} ${cause instanceof Error ? cause.message : String(cause)}`];
    throw invalidFile({ code, mistakes, subject: name, cause });
  }
};

const offsetOf = (document: Document.Parsed, field: readonly PropertyKey[]): number => {
  for (let length = field.length; length > 0; length -= 1) {
    const node = nodeOf(document, field.slice(0, length));
    const start = node?.range[0];
    if (start !== undefined) return start;
  }
  return document.contents?.range[0] ?? 0;
};

/** The key of a field where there is one: that is what a person looks for. */
const nodeOf = (
  document: Document.Parsed,
  field: readonly PropertyKey[],
): ParsedNode | undefined => {
  const last = field.at(-1);
  const parents = field.slice(0, -1);
  const parent: unknown = parents.length === 0 ? document.contents : document.getIn(parents, true);
  if (!isMap(parent)) return document.getIn(field, true) as ParsedNode | undefined;
  const pair = (parent as YAMLMap<ParsedNode, ParsedNode>).items.find(
    ({ key }) => 'value' in key && key.value === last,
  );
  return pair?.key;
};

/** Reads a document through a schema; every issue is reported at its place in the file. */
export const parseDocument = <Schema extends z.ZodType>(
  document: YamlDocument,
  schema: Schema,
  file: string,
): z.output<Schema> => {
  const outcome = schema.safeParse(document.value);
  if (outcome.success) return outcome.data;
  const mistakes = inputProblems(outcome.error).map(({ field, reason }) => {
    const place = document.locate(fieldPath(field));
    return field === '' ? `${place} ${reason}` : `${place} ${field}: ${reason}`;
  });
  throw invalidFile({ code: 'INVALID_INPUT', mistakes: [...new Set(mistakes)], subject: file });
};

/** `smoke[0].http.path` as the steps to the field. */
const fieldPath = (field: string): PropertyKey[] =>
  [...field.matchAll(/\[(\d+)\]|[^.[\]]+/g)].map(([part, index]) =>
    index === undefined ? part : Number(index),
  );

/** An error about a file that nothing was done with yet. */
export const invalidFile = (about: {
  code: ErrorCode;
  mistakes: readonly string[];
  subject: string;
  cause?: unknown;
}): OpsError => {
  const { code, mistakes, subject, cause } = about;
  const message = `${mistakes.join('\n')}\nNothing was changed.`;
  return new OpsError({ code, message, subject }, { cause });
};

/** The path as errors and users name it: relative to the working directory where that is shorter. */
export const displayPath = (file: string, workingDirectory: string): string => {
  const relative = path.relative(workingDirectory, file);
  return relative === '' || relative.startsWith('..') ? file : relative;
};
