import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { z } from 'zod';
import type { AuditPerson, AuditRecord } from '../../../domain/security/audit-record.ts';
import { canonicalJson } from '../../../domain/security/canonical-json.ts';
import { codedFailure } from '../../coded-failure.ts';

/** A line of an export: a record with its hashes, and who it is about where that is still told. */
const ExportLine = z.object({
  position: z.int(),
  leaf: z.string(),
  chain: z.string(),
  record: z.looseObject({ actor: z.looseObject({ ref: z.string() }) }),
  actor: z.object({ name: z.string(), salt: z.string() }).optional(),
});

type ExportLine = z.output<typeof ExportLine>;

export const exportLine = (
  { position, body, leaf, chain }: AuditRecord,
  people: ReadonlyMap<string, AuditPerson>,
): string => {
  const record = JSON.parse(body) as ExportLine['record'];
  const person = people.get(record.actor.ref);
  const line: ExportLine = {
    position,
    leaf: Buffer.from(leaf).toString('hex'),
    chain: Buffer.from(chain).toString('hex'),
    record,
    ...(person === undefined ? {} : { actor: { name: person.name, salt: person.salt } }),
  };
  // Whoever reads lines may take these for the end of one.
  return JSON.stringify(line).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029');
};

/** The records of an export, needing nothing but the file. @throws INVALID_INPUT */
export async function* readExport(file: string): AsyncGenerator<AuditRecord> {
  for await (const line of linesOf(file)) {
    const { position, record, leaf, chain } = line;
    yield {
      position,
      body: canonicalJson(record),
      leaf: Buffer.from(leaf, 'hex'),
      chain: Buffer.from(chain, 'hex'),
    };
  }
}

/** Who the records of an export are about. @throws INVALID_INPUT */
export const peopleInExport = async (file: string): Promise<AuditPerson[]> => {
  const people = new Map<string, AuditPerson>();
  for await (const { record, actor } of linesOf(file)) {
    const { ref } = record.actor;
    if (actor === undefined) continue;
    // A name that differs from line to line must not hide behind a right one.
    people.set(`${ref} ${actor.salt} ${actor.name}`, { ref, ...actor });
  }
  return [...people.values()];
};

async function* linesOf(file: string): AsyncGenerator<ExportLine> {
  const source = createReadStream(file, 'utf8');
  let number = 0;
  try {
    for await (const text of createInterface({ input: source, crlfDelay: Infinity })) {
      number += 1;
      yield parsed(file, number, text);
    }
  } catch (error) {
    if (!('syscall' in Object(error))) throw error;
    throw invalid(file, `cannot be read: ${(error as Error).message}`);
  } finally {
    source.destroy();
  }
}

const parsed = (file: string, number: number, text: string): ExportLine => {
  try {
    return ExportLine.parse(JSON.parse(text));
  } catch {
    throw invalid(file, `has no record in line ${String(number)}`);
  }
};

const invalid = (file: string, reason: string): Error =>
  codedFailure({
    code: 'INVALID_INPUT',
    message: `${file} ${reason}. Nothing was verified.`,
    next: 'Name a file that `holdfast audit export --format jsonl` has written.',
    subject: file,
  });
