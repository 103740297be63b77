/** `temporal-dev.yaml`: what it may say, and where exactly it is wrong. */
import { readFile } from 'node:fs/promises';
import { LineCounter, isNode, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import { z } from 'zod';
import { SandboxError } from '../sandbox-error.ts';

const port = z.union([z.literal('auto'), z.int().min(1).max(65_535)]);
const name = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]*$/, 'must be a name');
const searchAttributeType = z.enum([
  'Text',
  'Keyword',
  'Int',
  'Double',
  'Bool',
  'Datetime',
  'KeywordList',
]);

const settingsSchema = z.strictObject({
  server: z
    .strictObject({
      address: z.union([z.ipv4(), z.ipv6()]).default('127.0.0.1'),
      port: port.default('auto'),
      uiPort: port.default('auto'),
      logLevel: z.enum(['debug', 'info', 'warn', 'error', 'never']).default('warn'),
      persistence: z.enum(['memory', 'file']).default('memory'),
    })
    .prefault({}),
  namespaces: z.array(name).min(1).default(['default']),
  searchAttributes: z.record(name, searchAttributeType).default({}),
  dynamicConfig: z
    .record(
      z.string().regex(/^[a-zA-Z]+(\.[a-zA-Z]+)*$/, 'must be a key such as history.someLimit'),
      z.union([z.boolean(), z.number(), z.string()]),
    )
    .default({}),
});

export type DevelopmentSettings = z.infer<typeof settingsSchema>;
export type Persistence = DevelopmentSettings['server']['persistence'];

export async function readDevelopmentSettings(path: string): Promise<DevelopmentSettings> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new SandboxError({
      code: 'SANDBOX_CONFIG_INVALID',
      message: `${path} cannot be read: ${String(error)}. Nothing was started.`,
      next: 'Put temporal-dev.yaml back, or name another file.',
      cause: error,
    });
  });
  return parseDevelopmentSettings(text, path);
}

/** @throws SandboxError with `file:line:column` and the field for everything that is wrong. */
export function parseDevelopmentSettings(text: string, path: string): DevelopmentSettings {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false });
  if (document.errors.length > 0) {
    throw invalid(
      document.errors.map(({ pos, message }) => `${place(path, lineCounter, pos[0])}: ${message}`),
    );
  }
  const parsed = settingsSchema.safeParse(document.toJS() ?? {});
  if (parsed.success) return parsed.data;
  throw invalid(
    parsed.error.issues.map((issue) => {
      const offset = offsetOf(document, issueField(issue));
      return `${place(path, lineCounter, offset)}: ${issueField(issue).join('.') || 'the file'}: ${issue.message}`;
    }),
  );
}

/** An unknown key is reported at its parent; we want the line of the key itself. */
function issueField(issue: z.core.$ZodIssue): readonly PropertyKey[] {
  const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  return unknownKey === undefined ? issue.path : [...issue.path, unknownKey];
}

/** Where the field is, or the nearest thing above it that is there. */
function offsetOf(document: Document, field: readonly PropertyKey[]): number {
  for (let length = field.length; length >= 0; length -= 1) {
    const node = document.getIn(field.slice(0, length), true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function place(path: string, lineCounter: LineCounter, offset: number): string {
  const { line, col } = lineCounter.linePos(offset);
  return `${path}:${line}:${col}`;
}

function invalid(problems: readonly string[]): SandboxError {
  return new SandboxError({
    code: 'SANDBOX_CONFIG_INVALID',
    message: `${problems.join('\n')}\nNothing was started.`,
    next: 'Correct the named field and run the same command again.',
  });
}
