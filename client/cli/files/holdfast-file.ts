import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { ServiceDefinition } from '../../../contracts/delivery/service-definition.ts';
import { OpsError } from '../../ops-error.ts';
import { displayPath, invalidFile, parseDocument, parseYaml } from './yaml-source.ts';

/** A service definition with the directory that its paths are relative to. */
export interface LoadedDefinition {
  definition: ServiceDefinition;
  directory: string;
}

/**
 * Reads a `holdfast.yaml`.
 *
 * @throws INVALID_INPUT naming file, line, column and field of every mistake
 */
export const loadServiceDefinition = async (file: string): Promise<LoadedDefinition> => {
  const name = displayPath(path.resolve(file), process.cwd());
  const text = await readDefinition(file, name);
  const documents = parseYaml({ name, text }, { dialect: 'yaml-1.2', code: 'INVALID_INPUT' });
  const [document, second] = documents;
  if (document === undefined || second !== undefined) {
    const place = second?.locate([]) ?? `${name}:1:1`;
    const mistakes = [`${place} one document is expected, there are ${String(documents.length)}`];
    throw invalidFile({ code: 'INVALID_INPUT', mistakes, subject: name });
  }
  const definition = parseDocument(document, ServiceDefinition, name);
  return { definition, directory: path.dirname(path.resolve(file)) };
};

const readDefinition = async (file: string, name: string): Promise<string> => {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new OpsError(
      {
        code: 'INVALID_INPUT',
        message: `${name} cannot be read: ${cause instanceof Error ? cause.message : String(cause)}. Nothing was changed.`,
        next: 'Name the service definition with `holdfast deploy -f holdfast.yaml`.',
        subject: name,
      },
      { cause },
    );
  }
};
