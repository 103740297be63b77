import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { z } from 'zod';
import { OpsError } from '../../ops-error.ts';
import { displayPath, invalidFile, parseDocument, parseYaml } from './yaml-source.ts';

/** What a file is, for the text of errors. */
export interface FileKind<Schema extends z.ZodType> {
  schema: Schema;
  /** E.g. `service definition`. */
  what: string;
  /** The command that names such a file. */
  command: string;
}

/**
 * Reads a file that holds one document.
 *
 * @throws INVALID_INPUT naming file, line, column and field of every mistake
 */
export const readOneDocument = async <Schema extends z.ZodType>(
  file: string,
  kind: FileKind<Schema>,
): Promise<z.output<Schema>> => {
  const name = displayPath(path.resolve(file), process.cwd());
  const text = await textOf(file, name, kind);
  const documents = parseYaml({ name, text }, { dialect: 'yaml-1.2', code: 'INVALID_INPUT' });
  const [document, second] = documents;
  if (document === undefined || second !== undefined) {
    const place = second?.locate([]) ?? `${name}:1:1`;
    const mistakes = [`${place} one document is expected, there are ${String(documents.length)}`];
    throw invalidFile({ code: 'INVALID_INPUT', mistakes, subject: name });
  }
  return parseDocument(document, kind.schema, name);
};

const textOf = async (
  file: string,
  name: string,
  { what, command }: Pick<FileKind<z.ZodType>, 'what' | 'command'>,
): Promise<string> => {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new OpsError(
      {
        code: 'INVALID_INPUT',
        message: `${name} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}. Nothing was changed.`,
        next: `Name the ${what} with \`${command}\`.`,
        subject: name,
      },
      { cause },
    );
  }
};
