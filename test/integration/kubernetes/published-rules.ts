import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { listAt, stringAt } from '../../../domain/delivery/canonical-json.ts';
import type { Rule } from './limited-account.ts';

const published = path.resolve(import.meta.dirname, '../../../deploy/kubernetes');

/** The rules that the documentation asks for. */
export const publishedRules = async (file = 'released-namespace.yaml'): Promise<Rule[]> => {
  const documents = parseAllDocuments(await readFile(path.join(published, file), 'utf8'));
  const role = documents
    .map((document) => document.toJS() as unknown)
    .find((object) => stringAt(object, 'kind') === 'Role');
  return listAt(role, 'rules') as Rule[];
};
