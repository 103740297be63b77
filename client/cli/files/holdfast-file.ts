import path from 'node:path';
import { ServiceDefinition } from '../../../contracts/delivery/service-definition.ts';
import { readOneDocument } from './one-document.ts';

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
export const loadServiceDefinition = async (file: string): Promise<LoadedDefinition> => ({
  definition: await readOneDocument(file, {
    schema: ServiceDefinition,
    what: 'service definition',
    command: 'holdfast deploy -f holdfast.yaml',
  }),
  directory: path.dirname(path.resolve(file)),
});
