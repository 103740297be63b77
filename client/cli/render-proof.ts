import type { DeployServiceResult } from '../../contracts/delivery/deploy-service.ts';
import { paintLine, paintTable, piece, type Canvas, type Piece, type Tone } from './paint.ts';

type Proof = DeployServiceResult['proof'];
type Row = Proof['rows'][number];

const verdictTones: Record<Row['verdict'], Tone> = {
  exact: 'good',
  'foreign-change-preserved': 'busy',
  differs: 'bad',
  leftover: 'bad',
  missing: 'bad',
  recreated: 'busy',
  'replica-set-replaced': 'busy',
};

/** The proof as a table, with the fields that the comparison leaves out and why. */
export const renderProof = (proof: Proof, canvas: Canvas): string =>
  [renderVerdicts(proof, canvas), ...ignoredLines(proof, canvas)].join('\n');

/** The table alone, for a reader who has just seen what is not compared. */
export const renderVerdicts = (proof: Proof, canvas: Canvas): string => {
  const head = ['object', 'before', 'after', 'verdict'].map((title) => piece(title, 'faint'));
  const claim =
    proof.direction === 'forward' ? 'everything is as the plan says' : 'everything is as before';
  const exact = proof.rows.filter(({ verdict }) => verdict === 'exact').length;
  const holds = exact === proof.rows.length;
  const title = [
    piece('proof: ', 'strong'),
    piece(holds ? claim : 'not exact', holds ? 'good' : 'bad'),
    piece(` (${String(exact)} of ${String(proof.rows.length)} objects exact)`, 'faint'),
  ];
  return [
    paintLine(title, canvas),
    ...paintTable([head, ...proof.rows.map(rowPieces)], canvas),
    ...proof.rows.flatMap((row) => fieldLines(row, canvas)),
  ].join('\n');
};

const rowPieces = ({ object, hashBefore, hashAfter, verdict }: Row): Piece[] => [
  piece(`${object.kind}/${object.name}`),
  piece(shortHash(hashBefore), 'faint'),
  piece(shortHash(hashAfter), 'faint'),
  piece(verdict.replaceAll('-', ' '), verdictTones[verdict]),
];

const fieldLines = ({ object, fields, verdict }: Row, canvas: Canvas): string[] => {
  if (verdict === 'exact') return [];
  const name = `${object.kind}/${object.name}`;
  return fields.map((field) => paintLine([piece(`  ${name} `), piece(field, 'busy')], canvas));
};

const ignoredLines = ({ ignored }: Proof, canvas: Canvas): string[] => {
  if (ignored.length === 0) return [];
  const rows = ignored.map(({ path, reason }) => [
    piece(`  ${path}`, 'faint'),
    piece(reason, 'faint'),
  ]);
  return [paintLine([piece('not compared:', 'faint')], canvas), ...paintTable(rows, canvas)];
};

// Twelve digits tell objects of a table apart; the whole digest is in the evidence.
const shortHash = (hash: string): string => hash.replace(/^sha256:/, '').slice(0, 12);
