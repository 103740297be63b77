import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { listAt, stringAt } from '../../../domain/delivery/canonical-json.ts';
import type { Rule } from './limited-account.ts';

const published = path.resolve(
  import.meta.dirname,
  '../../../deploy/kubernetes/released-namespace.yaml',
);

/** The rules that the documentation asks for. */
export const publishedRules = async (): Promise<Rule[]> => {
  const documents = parseAllDocuments(await readFile(published, 'utf8'));
  const role = documents
    .map((document) => document.toJS() as unknown)
    .find((object) => stringAt(object, 'kind') === 'Role');
  return listAt(role, 'rules') as Rule[];
};
